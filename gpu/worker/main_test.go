package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain lets this test program be the child of its own parents, a child that misbehaves,
// and a parent that is killed.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "worker":
		if err := Serve(context.Background(), os.Args[2], methods()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case len(os.Args) == 4 && os.Args[1] == "impostor":
		impostor(os.Args[2], os.Args[3])
	case len(os.Args) == 3 && os.Args[1] == "parent":
		parent(os.Args[2])
	default:
		goleak.VerifyTestMain(m)
	}
}

// methods are the ways in which a job can end.
func methods() map[string]Method {
	without := func(f func() error) Method {
		return func(context.Context, *Request) ([][]byte, error) { return nil, f() }
	}
	return map[string]Method{
		"echo":     echo,
		"count":    count,
		"refuse":   without(func() error { return Fail("unsatisfied_witness", errors.New("row 7")) }),
		"wrapped":  without(func() error { return fmt.Errorf("prove: %w", Fail(ReasonDevice, errors.New("gone"))) }),
		"fail":     without(func() error { return errors.New("no luck") }),
		"hang":     without(func() error { select {} }),
		"spin":     without(spin),
		"panic":    without(func() error { panic("index out of thin air") }),
		"exit":     without(func() error { os.Exit(3); return nil }),
		"nothing":  without(func() error { return nil }),
		"surplus":  func(context.Context, *Request) ([][]byte, error) { return [][]byte{[]byte("surplus")}, nil },
		"wait":     wait,
		"heedless": heedless,
		"signal":   raise,
		"touch":    touch,
		"allocate": allocate,
		"where":    where,
		"pid":      pid,
		"chatter":  without(chatter),
		"litter":   without(func() error { return os.WriteFile("litter", []byte("x"), 0o600) }),
	}
}

// spin uses processor time without end.
func spin() error {
	for i := uint64(0); ; i++ {
		if i == 1<<63 {
			return nil
		}
	}
}

func echo(_ context.Context, r *Request) ([][]byte, error) {
	p := make([]byte, r.Size)
	_, err := io.ReadFull(r.Body, p)
	return [][]byte{p[:len(p)/2], p[len(p)/2:]}, err
}

// count reports progress far more often than it is sent.
func count(_ context.Context, r *Request) ([][]byte, error) {
	for _, stage := range []string{"first", "second", strings.Repeat("long", 100)} {
		for i := range 1000 {
			r.Progress(stage, i+1, 1000)
		}
	}
	return nil, nil
}

// wait is a method that can be cancelled. It says when it has begun.
func wait(ctx context.Context, r *Request) ([][]byte, error) {
	r.Progress("begun", 1, 1)
	<-ctx.Done()
	return nil, ctx.Err()
}

// heedless reads its body, so that it hears of cancellation, and does not care.
func heedless(_ context.Context, r *Request) ([][]byte, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	return nil, spin()
}

// bodyNumber reads a body that is one.
func bodyNumber(r *Request) (int, error) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(string(text))
	if err != nil {
		return 0, Fail(ReasonInput, err)
	}
	return n, nil
}

// raise sends its own process the signal that its body names.
func raise(_ context.Context, r *Request) ([][]byte, error) {
	n, err := bodyNumber(r)
	if err != nil {
		return nil, err
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return nil, err
	}
	if err := self.Signal(syscall.Signal(n)); err != nil {
		return nil, err
	}
	select {}
}

// touch uses memory without end.
func touch(context.Context, *Request) ([][]byte, error) {
	for kept := [][]byte{}; ; {
		kept = append(kept, bytes.Repeat([]byte{1}, 1<<20))
	}
}

// allocate asks for as much memory at once as its body says.
func allocate(_ context.Context, r *Request) ([][]byte, error) {
	n, err := bodyNumber(r)
	if err != nil {
		return nil, err
	}
	return [][]byte{make([]byte, n)[:0]}, nil
}

// where tells the working directory, the number of files in it, and the environment.
func where(context.Context, *Request) ([][]byte, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	files, err := os.ReadDir(dir)
	return [][]byte{fmt.Appendln(nil, dir), fmt.Appendln(nil, len(files)), []byte(strings.Join(os.Environ(), "\n"))}, err
}

// chatter says more than anybody keeps, and ends.
func chatter() error {
	line := bytes.Repeat([]byte("chatter "), 1<<10)
	for range 512 {
		os.Stdout.Write(line)
		os.Stderr.Write(line)
	}
	fmt.Fprintln(os.Stderr, "the end")
	os.Exit(3)
	return nil
}

func pid(context.Context, *Request) ([][]byte, error) {
	return [][]byte{strconv.AppendInt(nil, int64(os.Getpid()), 10)}, nil
}

// impostor is a child that breaks the protocol.
func impostor(how, socket string) {
	switch how {
	case "absent":
		time.Sleep(time.Hour)
	case "crashing":
		fmt.Fprintln(os.Stderr, "terminate called after throwing")
		os.Exit(134)
	}
	conn, err := net.Dial("unix", socket)
	if err != nil {
		os.Exit(1)
	}
	say := func(kind byte, payload []byte) { writeFrame(conn, kind, payload) }
	listen := func() { conn.Read(make([]byte, 1<<16)) }
	listen()
	switch how {
	case "silent":
	case "babbling":
		conn.Write([]byte("hello, I am no frame at all"))
	case "long-winded":
		conn.Write(appendHead(nil, frameReady, 1<<40))
	default:
		say(frameReady, nil)
		listen()
	}
	switch how {
	case "leaving":
		conn.Close()
	case "boasting":
		conn.Write(appendHead(nil, frameDone, 1<<40))
	case "generous":
		conn.Write(append(appendHead(nil, frameDone, 4), "four and more"...))
	case "huge progress":
		conn.Write(appendHead(nil, frameProgress, 1<<40))
	case "strange failure":
		say(frameFailed, []byte("\x05a b!?text"))
	case "cut":
		conn.Write([]byte{frameDone, 4, 0})
		os.Exit(0)
	case "asking":
		say(frameRequest, []byte("\x04echo"))
	}
	time.Sleep(time.Hour)
}

// into receives up to 64 MiB.
func into(reply *[]byte) func(io.Reader, uint64) error {
	return func(r io.Reader, size uint64) error {
		if size > 64<<20 {
			return fmt.Errorf("reply of %d bytes", size)
		}
		*reply = make([]byte, size)
		_, err := io.ReadFull(r, *reply)
		return err
	}
}

// ask runs a job whose body is text and returns its reply.
func ask(t testing.TB, c interface {
	Do(context.Context, Job) error
}, method, text string,
) string {
	t.Helper()
	var reply []byte
	if err := c.Do(t.Context(), Job{Method: method, Body: [][]byte{[]byte(text)}, Receive: into(&reply)}); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	return string(reply)
}
