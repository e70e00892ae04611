package worker

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// Backoff says how long a Supervisor waits before it starts a child after others were lost.
type Backoff struct {
	First time.Duration // after one loss; default 200 ms
	Max   time.Duration // it doubles with every further loss up to this; default 1 min
}

func (b Backoff) withDefaults() Backoff {
	if b.First <= 0 {
		b.First = 200 * time.Millisecond
	}
	if b.Max <= 0 {
		b.Max = time.Minute
	}
	return b
}

// delay after some losses in a row, of which the upper half is up to chance: children that
// were lost together do not start together. chance is in [0, 1).
func (b Backoff) delay(losses int, chance float64) time.Duration {
	d := b.First
	for range losses - 1 {
		if d *= 2; d >= b.Max {
			break
		}
	}
	d = min(d, b.Max)
	return d/2 + time.Duration(chance*float64(d/2))
}

// process is a Child.
type process interface {
	Do(context.Context, Job) error
	Close() error
	gone() bool
}

var _ process = (*Child)(nil)

// Supervisor keeps one child: it starts it when first needed, and again after it was lost.
// It repeats no job: only the caller knows whether that is right. It is safe for concurrent
// use; jobs wait for each other.
type Supervisor struct {
	backoff Backoff
	start   func(context.Context) (process, error)
	chance  func() float64
	closed  chan struct{}
	close   sync.Once
	turn    chan struct{} // holds one token: the right to use what follows
	child   process       // nil: none
	losses  int           // since a job was last answered
	ready   time.Time     // before this no child is started
}

// NewSupervisor starts nothing yet.
func NewSupervisor(o Options, b Backoff) *Supervisor {
	start := func(ctx context.Context) (process, error) {
		c, err := Start(ctx, o)
		if err != nil {
			return nil, err
		}
		return c, nil
	}
	return newSupervisor(start, b, rand.Float64)
}

func newSupervisor(start func(context.Context) (process, error), b Backoff, chance func() float64) *Supervisor {
	s := &Supervisor{backoff: b.withDefaults(), start: start, chance: chance, closed: make(chan struct{}), turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	return s
}

// Do runs a job on the child, waiting for one as long as ctx lets it. The error is a
// *Failure, or that of ctx when the job never began.
func (s *Supervisor) Do(ctx context.Context, j Job) error {
	ctx, done := s.until(ctx)
	defer done()
	select {
	case <-s.turn:
		defer func() { s.turn <- struct{}{} }()
	case <-ctx.Done():
		return s.named(ctx.Err())
	}
	if s.isClosed() {
		return &Failure{Reason: ReasonCanceled, Lost: true, Err: ErrClosed}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := s.ensure(ctx); err != nil {
		return s.named(err)
	}
	err := s.child.Do(ctx, j)
	f, failed := err.(*Failure)
	if failed && f.Lost {
		s.drop(f)
	} else if err == nil || failed {
		s.losses = 0
	}
	return s.named(err)
}

// until is a context that ends with Close too. The function it returns must be called.
func (s *Supervisor) until(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-s.closed:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(); <-ended }
}

// named tells the end of a context that Close ended from others.
func (s *Supervisor) named(err error) error {
	if !s.isClosed() || !errors.Is(err, context.Canceled) {
		return err
	}
	named := &Failure{Reason: ReasonCanceled, Lost: true, Err: ErrClosed}
	if f, failed := err.(*Failure); failed {
		named.Words = f.Words
	}
	return named
}

func (s *Supervisor) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// ensure makes sure that there is a child. It waits where one was lost a short time ago.
func (s *Supervisor) ensure(ctx context.Context) error {
	if s.child != nil && s.child.gone() {
		s.drop(&Failure{Reason: ReasonCrashed})
	}
	if s.child != nil {
		return nil
	}
	timer := time.NewTimer(time.Until(s.ready))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	child, err := s.start(ctx)
	if err != nil {
		s.drop(err)
		return err
	}
	s.child = child
	return nil
}

// drop forgets a child that is gone. One that a caller's context killed is not to blame.
func (s *Supervisor) drop(why error) {
	if s.child != nil {
		// What a lost child leaves it has reported with the job.
		_ = s.child.Close()
		s.child = nil
	}
	var f *Failure
	if errors.As(why, &f) && (f.Reason == ReasonCanceled || f.Reason == ReasonDeadline) {
		return
	}
	s.losses++
	s.ready = time.Now().Add(s.backoff.delay(s.losses, s.chance()))
}

// Close ends the job that runs and the child, and waits for both. Later jobs fail with
// ErrClosed.
func (s *Supervisor) Close() error {
	s.close.Do(func() { close(s.closed) })
	<-s.turn
	defer func() { s.turn <- struct{}{} }()
	if s.child == nil {
		return nil
	}
	child := s.child
	s.child = nil
	return child.Close()
}
