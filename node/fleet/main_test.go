package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain lets this test program be a worker, and a node that is killed.
func TestMain(m *testing.M) {
	var err error
	switch {
	case len(os.Args) == 6 && os.Args[1] == "worker":
		err = child(os.Args[2:])
	case len(os.Args) == 3 && os.Args[1] == "node":
		err = doomed(os.Args[2])
	default:
		// A connection that was lost leaves this goroutine of the library behind.
		goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/nats-io/nats.go/jetstream.(*jetStream).resetPendingAcksOnReconnect"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// child works until it is interrupted: URL, token, name, folder.
func child(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := Work(ctx, WorkerConfig{
		URL: args[0], Token: args[1], Name: args[2], Dir: args[3],
		AckWait: quick.AckWait, Beat: quick.Beat, Poll: quickPoll,
	}, &trial{slots: cpu(1)})
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// doomed submits tasks, waits for the outcome of one and is killed.
func doomed(dir string) error {
	ctx := context.Background()
	config := quick
	config.Dir = dir
	q, err := Open(ctx, config)
	if err != nil {
		return err
	}
	go q.Run(ctx)
	go Work(ctx, WorkerConfig{Queue: q, Name: "a", Dir: dir + "/programs"}, &trial{slots: cpu(1)})
	for _, id := range []string{"first", "second"} {
		if err := q.Submit(ctx, job(id, "echo")); err != nil {
			return err
		}
		if id == "first" {
			<-q.Outcomes()
		} else if err := q.Submit(ctx, Task{ID: "third", Kind: KindProve, Body: []byte("echo"), Due: later(), Device: "nowhere"}); err != nil {
			return err
		} else {
			<-q.Outcomes()
		}
	}
	fmt.Println("ready")
	select {}
}

// quick makes a queue that gives up fast.
var quick = Config{AckWait: 600 * time.Millisecond, Stall: time.Minute, Beat: 100 * time.Millisecond}

const quickPoll = 50 * time.Millisecond

func later() uint64 { return uint64(time.Now().Add(time.Hour).UnixMilli()) }

func job(id, what string) Task {
	return Task{ID: id, Kind: KindProve, Body: []byte(what), Due: later()}
}

func cpu(n int) []Slot {
	return repeat(n, Slot{Device: "cpu", Class: "test", Memory: 1 << 30, CPU: true})
}

func repeat(n int, s Slot) []Slot {
	all := make([]Slot, n)
	for i := range all {
		all[i] = s
	}
	return all
}

// trial is an executor that does what bodies say.
type trial struct {
	slots []Slot
	begun func(t Task) // may be nil
}

func (e *trial) Slots() []Slot { return e.slots }

func (e *trial) Execute(ctx context.Context, slot Slot, t Task, program string, progress func(string, int, int)) ([]byte, error) {
	if e.begun != nil {
		e.begun(t)
	}
	what, argument, _ := strings.Cut(string(t.Body), " ")
	switch what {
	case "echo":
		return []byte(slot.Worker + " " + slot.Device), nil
	case "who":
		// Ends only when it is not the first attempt, and then says who did it.
		progress("waiting", t.Attempt, 10)
		if t.Attempt > 1 {
			return []byte(slot.Worker), nil
		}
		<-ctx.Done()
		return nil, ctx.Err()
	case "hang":
		<-ctx.Done()
		return nil, ctx.Err()
	case "fail":
		return nil, errors.New("no luck")
	case "refuse":
		return nil, &Failure{Reason: "bad_input", Detail: strings.Repeat("ä", MaxDetail)}
	case "again":
		if fmt.Sprint(t.Attempt) == argument {
			return []byte(argument), nil
		}
		return nil, &Failure{Reason: "worker_crashed", Retry: true}
	case "huge":
		return make([]byte, MaxBody+1), nil
	case "large":
		return bytes.Repeat([]byte{7}, MaxBody), nil
	case "program":
		return os.ReadFile(program)
	case "steps":
		for i := range 5 {
			progress("step", i+1, 5)
		}
		select {
		case <-time.After(2 * eventEvery):
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nil, &Failure{Reason: "unknown"}
}

// node is a queue that runs.
type node struct {
	*Queue
	t    *testing.T
	stop func()
}

func run(t *testing.T, config Config) *node {
	t.Helper()
	for _, d := range []struct{ to, from *time.Duration }{
		{&config.AckWait, &quick.AckWait}, {&config.Stall, &quick.Stall}, {&config.Beat, &quick.Beat},
	} {
		orDefault(d.to, *d.from)
	}
	if config.Dir == "" && config.URL == "" {
		config.Dir = t.TempDir()
	}
	config.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
	q, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	ended := background(t, q.Run)
	n := &node{Queue: q, t: t}
	n.stop = func() {
		ended()
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(func() { n.stop() })
	return n
}

// background runs f until the returned function is called; its end for another reason is an
// error.
func background(t *testing.T, f func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- f(ctx) }()
	done := false
	return func() {
		if done {
			return
		}
		done = true
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
	}
}

// worker runs one in this process.
func (n *node) worker(name string, e Executor) (stop func()) {
	n.t.Helper()
	config := WorkerConfig{Queue: n.Queue, Name: name, Dir: n.t.TempDir(), Poll: quickPoll, Log: n.config.Log}
	stop = background(n.t, func(ctx context.Context) error { return Work(ctx, config, e) })
	n.t.Cleanup(stop)
	return stop
}

func (n *node) submit(tasks ...Task) {
	n.t.Helper()
	for _, task := range tasks {
		if err := n.Submit(n.t.Context(), task); err != nil {
			n.t.Fatalf("submit %s: %v", task.ID, err)
		}
	}
}

// outcome waits for one and is done with it.
func (n *node) outcome() Outcome {
	n.t.Helper()
	o := <-n.Outcomes()
	if err := n.Done(n.t.Context(), o.ID); err != nil {
		n.t.Fatalf("done with %s: %v", o.ID, err)
	}
	return o
}

// want waits for the outcome of a task, the only one.
func (n *node) want(id, reason string) Outcome {
	n.t.Helper()
	o := n.outcome()
	if o.ID != id || o.Reason != reason {
		n.t.Fatalf("outcome of %s: %q %s, want %s: %q", o.ID, o.Reason, o.Detail, id, reason)
	}
	return o
}

// counted counts the executions at a time.
type counted struct {
	trial
	running, most *atomic.Int32
}

func (c *counted) Execute(ctx context.Context, slot Slot, t Task, program string, progress func(string, int, int)) ([]byte, error) {
	n := c.running.Add(1)
	defer c.running.Add(-1)
	for old := c.most.Load(); n > old && !c.most.CompareAndSwap(old, n); old = c.most.Load() {
	}
	return c.trial.Execute(ctx, slot, t, program, progress)
}
