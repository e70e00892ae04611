package worker

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// fake is a process whose jobs end as their method says.
type fake struct {
	alive *atomic.Int32
	over  sync.Once
	dead  atomic.Bool
}

var _ process = (*fake)(nil)

func (f *fake) Do(ctx context.Context, j Job) error {
	lost := func(r Reason, err error) error {
		f.dead.Store(true)
		return &Failure{Reason: r, Lost: true, Err: err}
	}
	switch j.Method {
	case "crash":
		return lost(ReasonCrashed, errors.New("exit status 3"))
	case "refuse":
		return &Failure{Reason: ReasonInput, Err: errors.New("no")}
	case "idle death":
		f.dead.Store(true)
	case "work":
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return lost(reasonOf(ctx.Err()), ctx.Err())
		}
	}
	return nil
}

func (f *fake) Close() error { f.over.Do(func() { f.alive.Add(-1) }); return nil }
func (f *fake) gone() bool   { return f.dead.Load() }

// stage is a supervisor of fakes that notes when they are started.
type stage struct {
	*Supervisor
	starts []time.Duration // since the stage began
	alive  atomic.Int32
	refuse bool
}

func newStage(t *testing.T, b Backoff, chance float64) *stage {
	s, begin := &stage{}, time.Now()
	s.Supervisor = newSupervisor(func(ctx context.Context) (process, error) {
		s.starts = append(s.starts, time.Since(begin))
		if err := ctx.Err(); err != nil {
			return nil, &Failure{Reason: reasonOf(err), Lost: true, Err: err}
		}
		if s.refuse {
			return nil, &Failure{Reason: ReasonCrashed, Lost: true, Err: errors.New("no program")}
		}
		if s.alive.Add(1) > 1 {
			t.Error("two children at a time")
		}
		return &fake{alive: &s.alive}, nil
	}, b, func() float64 { return chance })
	return s
}

func (s *stage) do(t *testing.T, method string) Reason {
	t.Helper()
	var f *Failure
	if err := s.Do(t.Context(), Job{Method: method}); errors.As(err, &f) {
		return f.Reason
	} else if err != nil {
		t.Fatal(err)
	}
	return ""
}

// TestSupervisorBacksOff guards that losses in a row start no storm: the clock is synctest's.
func TestSupervisorBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Backoff{First: time.Second, Max: 4 * time.Second}, 0.5)
		defer s.Close()
		for range 5 {
			if r := s.do(t, "crash"); r != ReasonCrashed {
				t.Errorf("got %q", r)
			}
		}
		// Waits of 3/4 of 1, 2, 4 and 4 seconds.
		want := []time.Duration{0, 750, 2250, 5250, 8250}
		for i := range want {
			if len(s.starts) != len(want) || s.starts[i] != want[i]*time.Millisecond {
				t.Fatalf("started at %v, want %v ms", s.starts, want)
			}
		}
		// An answer, be it a refusal, ends the series.
		if r := s.do(t, "refuse"); r != ReasonInput {
			t.Errorf("got %q", r)
		}
		s.do(t, "crash")
		last := s.starts[len(s.starts)-1]
		s.do(t, "nothing")
		if d := s.starts[len(s.starts)-1] - last; d != 750*time.Millisecond {
			t.Errorf("waited %v after the first loss of a new series", d)
		}
	})
}

func TestSupervisorBacksOffFromProgramsThatDoNotStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Backoff{First: time.Second}, 0)
		defer s.Close()
		s.refuse = true
		for range 3 {
			if r := s.do(t, "nothing"); r != ReasonCrashed {
				t.Errorf("got %q", r)
			}
		}
		s.refuse = false
		if r := s.do(t, "nothing"); r != "" {
			t.Errorf("got %q", r)
		}
		if last := s.starts[3]; last != 3500*time.Millisecond {
			t.Errorf("started at %v", s.starts)
		}
	})
}

func TestBackoffStaysWithinItsBounds(t *testing.T) {
	b := Backoff{}.withDefaults()
	for losses := 1; losses < 200; losses++ {
		low, high := b.delay(losses, 0), b.delay(losses, 0.999)
		if low < b.First/2 || high > b.Max || low >= high {
			t.Errorf("%d losses: %v to %v", losses, low, high)
		}
	}
}

// TestSupervisorStartsLateAndKeepsItsChild guards that nothing runs before the first job, and
// that one child does all of them.
func TestSupervisorStartsLateAndKeepsItsChild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Backoff{}, 0)
		if len(s.starts) > 0 {
			t.Error("started before it was needed")
		}
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() { s.do(t, "work") })
		}
		all.Wait()
		if len(s.starts) != 1 {
			t.Errorf("%d children", len(s.starts))
		}
		// A child that died while idle costs no job.
		s.do(t, "idle death")
		if r := s.do(t, "nothing"); r != "" || len(s.starts) != 2 {
			t.Errorf("got %q, %d children", r, len(s.starts))
		}
		if err := s.Close(); err != nil || s.alive.Load() != 0 {
			t.Errorf("%v, %d alive", err, s.alive.Load())
		}
	})
}

// TestSupervisorDoesNotBlameItsChildForCancelledJobs guards that who gives up early does not
// make others wait.
func TestSupervisorDoesNotBlameItsChildForCancelledJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Backoff{First: time.Hour}, 0)
		defer s.Close()
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			if err := s.Do(ctx, Job{Method: "work"}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			cancel()
		}
		if r := s.do(t, "nothing"); r != "" || s.starts[3] != 3*time.Millisecond {
			t.Errorf("got %q, started at %v", r, s.starts)
		}
	})
}

func TestSupervisorWaitsNoLongerThanItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Backoff{First: time.Hour}, 0)
		s.do(t, "crash")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Do(ctx, Job{Method: "nothing"}); err != context.DeadlineExceeded {
			t.Errorf("got %v", err)
		}
		ended := make(chan error)
		for range 2 { // one waits for a child, one for its turn
			go func() { ended <- s.Do(t.Context(), Job{Method: "nothing"}) }()
		}
		synctest.Wait()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		for range 2 {
			if err := <-ended; !errors.Is(err, ErrClosed) {
				t.Errorf("got %v", err)
			}
		}
		if err := s.Do(t.Context(), Job{Method: "nothing"}); !errors.Is(err, ErrClosed) {
			t.Errorf("afterwards: got %v", err)
		}
	})
}

// TestSupervisorRestartsProcesses is the supervisor with real children.
func TestSupervisorRestartsProcesses(t *testing.T) {
	nothingLeft(t)
	s := NewSupervisor(Options{}, Backoff{First: time.Millisecond})
	seen := map[string]bool{}
	for range 3 {
		seen[ask(t, s, "pid", "")] = true
		var f *Failure
		if err := s.Do(t.Context(), signalled(9)); !errors.As(err, &f) || !f.Lost || f.Reason != ReasonCrashed {
			t.Errorf("got %v", err)
		}
	}
	if len(seen) != 3 {
		t.Errorf("processes %v", seen)
	}
	begun, ended := make(chan struct{}), make(chan error)
	go func() {
		ended <- s.Do(t.Context(), Job{Method: "wait", Progress: func(string, int, int) { close(begun) }})
	}()
	<-begun
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
}
