package dispatch

import (
	"context"
	"errors"
	"fmt"

	"github.com/weisyn/wes/gpu/worker"
)

// Runner runs one job; a worker.Child or Supervisor does.
type Runner interface {
	Do(ctx context.Context, j worker.Job) error
}

// Fixed runs each task once, by one worker at one place, where a Dispatcher would choose and
// try again: for measurements, which must not wander.
type Fixed struct {
	Worker Runner
	Place  string // where Worker is: CPU, or any other name for a device
}

// Do runs a task as Dispatcher.Do does. It leaves Task.CPUOnly to the caller.
func (f Fixed) Do(ctx context.Context, t Task) (Outcome, error) {
	err := f.Worker.Do(ctx, t.Job(f.Place))
	a := Attempt{Place: f.Place, Err: err}
	var failure *worker.Failure
	switch {
	case err == nil:
		return Outcome{Attempts: []Attempt{a}}, nil
	case errors.As(err, &failure):
		a.Reason = failure.Reason
		return Outcome{Attempts: []Attempt{a}}, fmt.Errorf("run %s: %w", t.Method, err)
	}
	return Outcome{}, fmt.Errorf("run %s: %w", t.Method, err) // it did not begin
}
