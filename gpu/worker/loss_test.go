package worker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// fast is a heart that beats often, so that silence shows soon.
const fast = 100 * time.Millisecond

// TestLostChildrenSayWhy guards the reason of every way to lose a child, and that nothing of
// it is left.
func TestLostChildrenSayWhy(t *testing.T) {
	linux := runtime.GOOS == "linux"
	for _, test := range []struct {
		name    string
		options Options
		job     Job
		timeout time.Duration // 0: none
		reason  Reason
		text    string
		skip    bool
	}{
		{name: "killed", job: signalled(9), reason: ReasonCrashed, text: "signal: killed"},
		{name: "aborted", job: signalled(6), reason: ReasonCrashed, text: "SIGABRT"},
		{name: "exits", job: Job{Method: "exit"}, reason: ReasonCrashed, text: "exit status 3"},
		{name: "talks and exits", job: Job{Method: "chatter"}, reason: ReasonCrashed, text: "the end"},
		{name: "panics", job: Job{Method: "panic"}, reason: ReasonCrashed, text: "panic: index out of thin air"},
		{name: "hangs", options: Options{beat: fast}, job: Job{Method: "hang", Stall: 5 * fast}, reason: ReasonHung, text: "neither progress"},
		{
			name: "hangs before it reads", options: Options{beat: fast}, job: Job{Method: "hang", Body: [][]byte{make([]byte, 8<<20)}, Stall: 5 * fast},
			reason: ReasonHung, text: "neither progress",
		},
		{name: "stopped", options: Options{beat: fast}, job: signalled(19), reason: ReasonHung, text: "no sign of life", skip: !linux},
		{name: "spins past its deadline", options: Options{Grace: fast}, job: Job{Method: "spin"}, timeout: 2 * fast, reason: ReasonDeadline, text: "deadline exceeded"},
		{
			name: "does not read before its deadline", options: Options{Grace: fast}, job: Job{Method: "hang", Body: [][]byte{make([]byte, 8<<20)}},
			timeout: 2 * fast, reason: ReasonDeadline, text: "deadline exceeded",
		},
		{name: "gets no grace", options: Options{Grace: -1}, job: Job{Method: "spin"}, timeout: 2 * fast, reason: ReasonDeadline, text: "deadline exceeded"},
		{
			name: "spins past its processor time", options: Options{beat: fast, CPU: 5 * fast}, job: Job{Method: "spin"},
			reason: ReasonDeadline, text: "processor time of 500ms used up",
		},
		{
			name: "touches too much memory", options: Options{Memory: 192 << 20}, job: Job{Method: "touch"},
			reason: ReasonMemory, text: "memory budget of 201326592 bytes exceeded", skip: !linux,
		},
		{
			name: "asks for too much memory", options: Options{AddressSpace: 8 << 30}, job: numbered("allocate", 16<<30),
			reason: ReasonMemory, text: "exit status 2", skip: !linux || race,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.skip {
				t.Skip("needs Linux, and an address space that the race detector does not take")
			}
			c := start(t, test.options)
			ctx := t.Context()
			if test.timeout > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, test.timeout)
				defer cancel()
			}
			err := c.Do(ctx, test.job)
			var f *Failure
			if !errors.As(err, &f) || !f.Lost || f.Reason != test.reason || !strings.Contains(err.Error(), test.text) {
				t.Fatalf("got %v", err)
			}
			if len(f.Words) > maxTail {
				t.Errorf("%d bytes of last words", len(f.Words))
			}
			if (test.timeout > 0) != errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error of the context: %v", err)
			}
			// Later jobs are lost too, but not to the deadline or the budget of this one.
			if err := c.Do(t.Context(), Job{Method: "nothing"}); !errors.As(err, &f) || !f.Lost || f.Reason != ReasonCrashed || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("afterwards: got %v", err)
			}
		})
	}
}

func signalled(signal int) Job { return numbered("signal", signal) }

func numbered(method string, n int) Job {
	return Job{Method: method, Body: [][]byte{[]byte(strconv.Itoa(n))}}
}

// TestKillOfTheKernelIsOutOfMemory guards how a process that the kernel chose is told from
// one that somebody killed: by the kernel's counter, or by its size.
func TestKillOfTheKernelIsOutOfMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells")
	}
	for _, name := range []string{"counter", "size"} {
		t.Run(name, func(t *testing.T) {
			c := start(t, Options{Memory: 1 << 40})
			if name == "counter" {
				c.kills = -1
			} else {
				c.pulse.beat(beat{0, 1<<40 - 1})
			}
			var f *Failure
			if err := c.Do(t.Context(), signalled(9)); !errors.As(err, &f) || f.Reason != ReasonMemory {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestOutOfMemoryIsReadFromLastWords(t *testing.T) {
	for words, want := range map[string]bool{
		"fatal error: runtime: out of memory\n":                                     true,
		"x\nfatal error: runtime: cannot allocate memory\n\ngoroutine 1 [running]:": true,
		"fatal error: failed to reserve page summary memory":                        true,
		"fatal error: memory reservation exceeds address space limit":               true,
		"terminate called after throwing an instance of 'std::bad_alloc'":           true,
		"fatal error: all goroutines are asleep - deadlock!":                        false,
		"panic: runtime error: invalid memory address or nil pointer dereference":   false,
		"note: fatal error: out of memory is what others print":                     false,
		"": false,
	} {
		if outOfMemory(words) != want {
			t.Errorf("%q: want %v", words, want)
		}
	}
}

// TestImpostorsAreErrors guards that nothing a child does harms the parent.
func TestImpostorsAreErrors(t *testing.T) {
	absent, err := exec.LookPath("true")
	if err != nil {
		t.Fatal(err)
	}
	this := func(how string) []string { return []string{os.Args[0], "impostor", how} }
	for _, test := range []struct {
		name    string
		command []string
		reason  Reason
		text    string
	}{
		{"missing program", []string{"no-such-program"}, ReasonCrashed, "no-such-program"},
		{"another program", []string{absent}, ReasonCrashed, "exit status 0"},
		{"absent", this("absent"), ReasonHung, "not ready"},
		{"silent", this("silent"), ReasonHung, "not ready"},
		{"crashing", this("crashing"), ReasonCrashed, "exit status 134; last words: terminate called"},
		{"babbling", this("babbling"), ReasonProtocol, "frame 104"},
		{"long-winded", this("long-winded"), ReasonProtocol, "1099511627776 bytes"},
		{"leaving", this("leaving"), ReasonProtocol, "EOF"},
		{"boasting", this("boasting"), ReasonProtocol, "reply of 1099511627776 bytes"},
		{"generous", this("generous"), ReasonProtocol, "9 bytes behind the reply"},
		{"huge progress", this("huge progress"), ReasonProtocol, "1099511627776 bytes"},
		{"strange failure", this("strange failure"), ReasonProtocol, "failure without a reason"},
		{"cut", this("cut"), ReasonCrashed, "exit status 0"},
		{"asking", this("asking"), ReasonProtocol, "frame 2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			nothingLeft(t)
			o := Options{Command: test.command}
			if test.reason == ReasonHung {
				o.connect = 3 * fast
			}
			c, err := Start(t.Context(), o)
			if err == nil {
				defer c.Close()
				var reply []byte
				err = c.Do(t.Context(), Job{Method: "echo", Receive: into(&reply)})
			}
			var f *Failure
			if !errors.As(err, &f) || !f.Lost || f.Reason != test.reason || !strings.Contains(err.Error(), test.text) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	nothingLeft(t)
	for name, how := range map[string]string{"never connects": "absent", "never ready": "silent"} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*fast)
		_, err := Start(ctx, Options{Command: []string{os.Args[0], "impostor", how}})
		cancel()
		var f *Failure
		if !errors.As(err, &f) || f.Reason != ReasonDeadline || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var f *Failure
	if _, err := Start(ctx, Options{}); !errors.As(err, &f) || f.Reason != ReasonCanceled {
		t.Errorf("cancelled before: got %v", err)
	}
	if _, err := Start(t.Context(), Options{Memory: -1}); err == nil {
		t.Error("negative budget accepted")
	}
}

// TestLongTemporaryFolderIsNoObstacle guards the length of a socket's path.
func TestLongTemporaryFolderIsNoObstacle(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t)
	t.Setenv("TMPDIR", long)
	c, err := Start(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if info, err := os.Stat(c.dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := os.Stat(filepath.Join(c.dir, socketName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket can still be connected to: %v", err)
	}
}

// parent starts a child with a job, tells its process once the job runs, and waits to be
// killed.
func parent(method string) {
	c, err := Start(context.Background(), Options{Grace: fast, beat: fast})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	if method != "none" {
		go c.Do(context.Background(), Job{Method: method, Body: [][]byte{make([]byte, 1<<10)}})
		for c.pulse.resident() == 0 { // until the first beat
			time.Sleep(fast / 10)
		}
	}
	fmt.Println(c.cmd.Process.Pid, c.dir)
	io.Copy(io.Discard, os.Stdin)
}

// TestChildEndsWithItsParent guards that a parent that is killed leaves no process and no
// folder, whatever its child does.
func TestChildEndsWithItsParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	for _, method := range []string{"none", "wait", "heedless", "spin", "hang"} {
		t.Run(method, func(t *testing.T) {
			nothingLeft(t)
			cmd := exec.Command(os.Args[0], "parent", method)
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(out).ReadString('\n')
			process, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
			if _, numeric := strconv.Atoi(process); err != nil || numeric != nil {
				t.Fatalf("parent says %q, %v", line, err)
			}
			cmd.Process.Kill()
			cmd.Wait()
			for start := time.Now(); alive(process) || exists(dir); time.Sleep(fast) {
				if time.Since(start) > 20*time.Second {
					t.Fatalf("process %s or folder %s still there", process, dir)
				}
			}
		})
	}
}

// alive says whether a process runs; one that nobody has reaped yet does not.
func alive(pid string) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
