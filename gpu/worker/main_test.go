package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain lets this test program be the child of its own parents: well behaved as "worker",
// and as "impostor HOW" not.
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
	return map[string]Method{
		"echo":  echo,
		"count": count,
		"refuse": func(context.Context, *Request) ([][]byte, error) {
			return nil, Fail("unsatisfied_witness", errors.New("row 7"))
		},
		"fail": func(context.Context, *Request) ([][]byte, error) { return nil, errors.New("no luck") },
		"wait": wait,
		"hang": func(context.Context, *Request) ([][]byte, error) { select {} },
		"spin": func(context.Context, *Request) ([][]byte, error) {
			for {
			}
		},
		"panic":    func(context.Context, *Request) ([][]byte, error) { panic("index out of thin air") },
		"exit":     func(context.Context, *Request) ([][]byte, error) { os.Exit(3); return nil, nil },
		"signal":   raise,
		"allocate": allocate,
		"ignore":   func(context.Context, *Request) ([][]byte, error) { return [][]byte{[]byte("unread")}, nil },
		"where":    where,
		"names":    names,
	}
}

func echo(_ context.Context, r *Request) ([][]byte, error) {
	p := make([]byte, r.Size)
	_, err := io.ReadFull(r.Body, p)
	return [][]byte{p[:len(p)/2], p[len(p)/2:]}, err
}

// count reports progress far more often than it is sent.
func count(_ context.Context, r *Request) ([][]byte, error) {
	for _, stage := range []string{"first", "second"} {
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

// raise sends its own process the signal that its body names.
func raise(_ context.Context, r *Request) ([][]byte, error) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(string(text))
	if err != nil {
		return nil, Fail(ReasonInput, err)
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

// allocate touches memory without end, or as much at once as its body says.
func allocate(_ context.Context, r *Request) ([][]byte, error) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var kept [][]byte
	if n, err := strconv.Atoi(string(text)); err == nil {
		return [][]byte{make([]byte, n)[:1]}, nil
	}
	for {
		kept = append(kept, bytes.Repeat([]byte{1}, 1<<20))
	}
}

// where tells the working directory, what is in it, and the environment.
func where(context.Context, *Request) ([][]byte, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	files, err := os.ReadDir(dir)
	return [][]byte{fmt.Appendln(nil, dir, len(files)), []byte(strings.Join(os.Environ(), "\n"))}, err
}

// names tells the process.
func names(context.Context, *Request) ([][]byte, error) {
	return [][]byte{strconv.AppendInt(nil, int64(os.Getpid()), 10)}, nil
}

// receive makes a receiver of up to 64 MiB.
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

var (
	_ = exec.Command
	_ = signal.Ignore
	_ = filepath.Join
	_ = time.Now
)
