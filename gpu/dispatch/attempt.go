package dispatch

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/weisyn/wes/gpu/worker"
)

// errOutOfService is the cause of a context whose device went out of service.
var errOutOfService = errors.New("device went out of service")

// onDevice makes one attempt after others. An Attempt without a place did not begin.
func (d *Dispatcher) onDevice(ctx context.Context, t *Task, before []Attempt) (Attempt, error) {
	lease, err := d.options.Slots.Acquire(ctx, t.Memory)
	if err != nil {
		return Attempt{}, err
	}
	defer lease.Release()
	ctx, leave := endingWith(ctx, lease.Lost(), func() error { return fmt.Errorf("%w: %s", errOutOfService, lease.Reason()) })
	defer leave()
	a, err := d.attempt(ctx, lease.Device().UUID, t)
	d.report(a, before)
	return a, err
}

// endingWith is a context that also ends when done is closed, with a cause of its own. The
// function it returns must be called, and waits for what was started.
func endingWith(parent context.Context, done <-chan struct{}, cause func() error) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-done:
			cancel(cause())
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil); <-ended }
}

// onCPU makes one attempt without a device.
func (d *Dispatcher) onCPU(ctx context.Context, t *Task) (Attempt, error) {
	select {
	case d.cpus <- struct{}{}:
		defer func() { <-d.cpus }()
	case <-ctx.Done():
		return Attempt{}, ctx.Err()
	}
	return d.attempt(ctx, CPU, t)
}

func (d *Dispatcher) attempt(ctx context.Context, place string, t *Task) (Attempt, error) {
	w, err := d.fleet.take(place)
	if err != nil {
		return Attempt{}, err
	}
	err = w.Do(ctx, t.Job(place))
	var f *worker.Failure
	failed := errors.As(err, &f)
	lost := failed && f.Lost
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, errOutOfService) {
		f, failed = &worker.Failure{Reason: worker.ReasonDevice, Lost: lost, Err: fmt.Errorf("%w: %v", cause, err)}, true
		err = f
	}
	a := Attempt{Place: place, Err: err}
	switch {
	case failed:
		a.Reason = f.Reason
	case err != nil:
		a = Attempt{} // the context ended before the job began
	}
	d.fleet.give(place, w, spoilt(a.Reason) && !lost)
	return a, err
}

// spoilt says whether a process that lives must not be used again: its device's state or
// memory is not what a new process would have.
func spoilt(r worker.Reason) bool { return r == worker.ReasonDevice || r == worker.ReasonMemory }

// report tells what an attempt says of its device. A task that hangs there again says
// nothing new: it may be the task.
func (d *Dispatcher) report(a Attempt, before []Attempt) {
	hung := func(b Attempt) bool { return b.Place == a.Place && b.Reason == worker.ReasonHung }
	switch {
	case a.Place == "" || errors.Is(a.Err, errOutOfService):
	case a.Reason == "":
		d.options.Reports.Done(a.Place)
	case a.Reason == worker.ReasonHung && !slices.ContainsFunc(before, hung):
		d.options.Reports.Hung(a.Place)
	case a.Reason == worker.ReasonDevice:
		d.options.Reports.Gone(a.Place)
	}
}
