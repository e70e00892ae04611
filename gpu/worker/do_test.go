package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestBodiesAndRepliesArriveWhole(t *testing.T) {
	c := start(t, Options{})
	for _, size := range []int{0, 1, smallBody - 1, smallBody, smallBody + 1, 1 << 17, 24 << 20} {
		want := bytes.Repeat([]byte("0123456789abcdefg"), size/17+1)[:size]
		var got []byte
		err := c.Do(t.Context(), Job{Method: "echo", Body: [][]byte{want[:size/3], {}, want[size/3:]}, Receive: into(&got)})
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: got %d, %v", size, len(got), err)
		}
	}
}

func TestManyJobsLeaveNothing(t *testing.T) {
	c := start(t, Options{})
	first := ask(t, c, "pid", "")
	before := len(openFiles(t))
	for i := range 2000 {
		if got := ask(t, c, "echo", fmt.Sprint(i)); got != fmt.Sprint(i) {
			t.Fatalf("job %d: got %q", i, got)
		}
	}
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			var got []byte
			err := c.Do(t.Context(), Job{Method: "echo", Body: [][]byte{{byte(i)}}, Receive: into(&got)})
			if err != nil || !slices.Equal(got, []byte{byte(i)}) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	all.Wait()
	if after := len(openFiles(t)); after != before {
		t.Errorf("%d files open, %d before", after, before)
	}
	if got := ask(t, c, "pid", ""); got != first {
		t.Errorf("process %s, was %s", got, first)
	}
}

// TestRefusalsLeaveTheChildAsItWas guards that a method's errors are those of the job alone.
func TestRefusalsLeaveTheChildAsItWas(t *testing.T) {
	c := start(t, Options{})
	first := ask(t, c, "pid", "")
	large := [][]byte{make([]byte, 8<<20)}
	for _, test := range []struct {
		method string
		body   [][]byte
		reason Reason
		text   string
	}{
		{"refuse", nil, "unsatisfied_witness", "row 7"},
		{"refuse", large, "unsatisfied_witness", "row 7"},
		{"wrapped", nil, ReasonDevice, "prove: device_lost: gone"},
		{"fail", nil, ReasonFailed, "no luck"},
		{"no such method", large, ReasonInput, `this worker has no method "no such method"`},
		{"", nil, ReasonInput, `method "": want a name of 1 to 255 bytes`},
		{strings.Repeat("a", 256), nil, ReasonInput, "255 bytes"},
	} {
		var f *Failure
		err := c.Do(t.Context(), Job{Method: test.method, Body: test.body})
		if !errors.As(err, &f) || f.Lost || f.Reason != test.reason || !strings.Contains(f.Err.Error(), test.text) {
			t.Errorf("%s: got %v", test.method, err)
		}
	}
	if err := c.Do(t.Context(), Job{Method: "nothing", Body: large}); err != nil {
		t.Errorf("body that was not read: %v", err)
	}
	if got := ask(t, c, "pid", ""); got != first {
		t.Errorf("process %s, was %s", got, first)
	}
}

func TestReplyThatIsNotTakenWholeLosesTheChild(t *testing.T) {
	unfit := errors.New("unfit")
	for name, receive := range map[string]func(io.Reader, uint64) error{
		"none expected": nil,
		"refused":       func(io.Reader, uint64) error { return unfit },
		"left":          func(r io.Reader, _ uint64) error { _, err := r.Read(make([]byte, 1)); return err },
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t, Options{})
			err := c.Do(t.Context(), Job{Method: "surplus", Receive: receive})
			var f *Failure
			if !errors.As(err, &f) || !f.Lost || f.Reason != ReasonProtocol || errors.Is(err, unfit) != (name == "refused") {
				t.Errorf("got %v", err)
			}
			if err := c.Do(t.Context(), Job{Method: "nothing"}); !errors.As(err, &f) || !f.Lost || f.Reason != ReasonCrashed {
				t.Errorf("afterwards: got %v", err)
			}
		})
	}
}

// TestProgressComesInOrder guards that every stage is seen from its first call to its last,
// and that callers need not ration their calls.
func TestProgressComesInOrder(t *testing.T) {
	c := start(t, Options{})
	var stages []string
	calls, last := 0, 0
	err := c.Do(t.Context(), Job{Method: "count", Progress: func(stage string, done, total int) {
		if len(stages) == 0 || stages[len(stages)-1] != stage {
			stages = append(stages, stage)
			if done != 1 {
				t.Errorf("%s begins with %d", stage, done)
			}
			last = 0
		}
		if done <= last || total != 1000 {
			t.Errorf("%s: %d of %d after %d", stage, done, total, last)
		}
		calls++
		last = done
	}})
	if want := []string{"first", "second", strings.Repeat("long", maxStage/4)}; err != nil || !slices.Equal(stages, want) || last != 1000 {
		t.Errorf("stages %q, last %d, %v", stages, last, err)
	}
	if calls > 1000 {
		t.Errorf("%d calls came through", calls)
	}
}

func TestCancelledJobs(t *testing.T) {
	c := start(t, Options{Grace: time.Minute})
	first := ask(t, c, "pid", "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Do(ctx, Job{Method: "hang"}); err != context.Canceled {
		t.Errorf("before it began: got %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	err := c.Do(ctx, Job{Method: "wait", Progress: func(string, int, int) { cancel() }})
	var f *Failure
	if !errors.As(err, &f) || f.Lost || f.Reason != ReasonCanceled || !errors.Is(err, context.Canceled) {
		t.Errorf("while it ran: got %v", err)
	}
	if got := ask(t, c, "pid", ""); got != first {
		t.Errorf("process %s, was %s", got, first)
	}
}

// TestJobsThatWaitForTheirTurnCanGiveUp guards that a long job holds nobody.
func TestJobsThatWaitForTheirTurnCanGiveUp(t *testing.T) {
	c := start(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	begun, ended := make(chan struct{}), make(chan error)
	go func() {
		ended <- c.Do(ctx, Job{Method: "wait", Progress: func(string, int, int) { close(begun) }})
	}()
	<-begun
	impatient, give := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer give()
	if err := c.Do(impatient, Job{Method: "nothing"}); err != context.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestCloseEndsTheJobThatRuns(t *testing.T) {
	c := start(t, Options{})
	begun, ended := make(chan struct{}), make(chan error)
	go func() {
		ended <- c.Do(t.Context(), Job{Method: "wait", Progress: func(string, int, int) { close(begun) }})
	}()
	<-begun
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	var f *Failure
	if err := <-ended; !errors.As(err, &f) || !f.Lost || f.Reason != ReasonCanceled || !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
	if err := c.Do(t.Context(), Job{Method: "nothing"}); !errors.Is(err, ErrClosed) {
		t.Errorf("afterwards: got %v", err)
	}
}

// TestChildSeesNothingOfItsParent guards the empty folder and the short environment.
func TestChildSeesNothingOfItsParent(t *testing.T) {
	t.Setenv("SECRET", "of the parent")
	t.Setenv("CUDA_VISIBLE_DEVICES", "0,1")
	c := start(t, Options{Env: []string{"CUDA_VISIBLE_DEVICES=GPU-7", "EXTRA=1"}})
	lines := strings.Split(ask(t, c, "where", ""), "\n")
	if filepath.Base(lines[0]) != homeName || lines[1] != "0" {
		t.Errorf("in folder %s with %s files", lines[0], lines[1])
	}
	env := lines[2:]
	for _, want := range []string{"HOME=" + lines[0], "TMPDIR=" + lines[0], "CUDA_VISIBLE_DEVICES=GPU-7", "EXTRA=1"} {
		if !slices.Contains(env, want) {
			t.Errorf("environment %q lacks %s", env, want)
		}
	}
	for _, v := range env {
		if strings.HasPrefix(v, "SECRET") || v == "CUDA_VISIBLE_DEVICES=0,1" || strings.HasPrefix(v, "PATH=") {
			t.Errorf("environment has %s", v)
		}
	}
	ask(t, c, "litter", "") // is removed with the folder
}

// BenchmarkDo measures what a job costs beside its work: nothing, and 24 MB each way.
func BenchmarkDo(b *testing.B) {
	for _, size := range []int{0, 1 << 10, 24 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			c := start(b, Options{})
			x, y := make([]byte, size), make([]byte, size)
			receive := func(r io.Reader, _ uint64) error { _, err := io.ReadFull(r, y); return err }
			b.SetBytes(2 * int64(size))
			for b.Loop() {
				if err := c.Do(b.Context(), Job{Method: "echo", Body: [][]byte{x}, Receive: receive}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
