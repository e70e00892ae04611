package dispatch

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/weisyn/wes/gpu"
	"github.com/weisyn/wes/gpu/worker"
)

// Slots hand out devices; see gpu.Slots.
type Slots interface {
	Acquire(ctx context.Context, bytes uint64) (*gpu.Lease, error)
}

// Reports takes what jobs find out about their devices; see gpu.Monitor.
type Reports interface {
	Done(uuid string) // a job ended as it should
	Hung(uuid string) // a job was killed because it hung
	Gone(uuid string) // a job found its device lost
}

var (
	_ Slots   = (*gpu.Slots)(nil)
	_ Reports = (*gpu.Monitor)(nil)
)

// Options are what a Dispatcher works with. All but CPUs are needed.
type Options struct {
	Slots   Slots
	Reports Reports
	Start   func(place string) Worker // makes a worker for a device's UUID, or for CPU; it starts nothing yet
	CPUs    int                       // jobs on the CPU at a time; default 1
}

// Dispatcher runs tasks. It is safe for concurrent use.
type Dispatcher struct {
	options Options
	fleet   *fleet
	cpus    chan struct{} // holds a token for each job on the CPU
	closing chan struct{} // closed by Close
	close   sync.Once
}

// New starts nothing yet.
func New(o Options) *Dispatcher {
	return &Dispatcher{options: o, fleet: newFleet(o.Start), cpus: make(chan struct{}, max(o.CPUs, 1)), closing: make(chan struct{})}
}

// Close ends the tasks that run or wait and all workers, and waits for the workers.
func (d *Dispatcher) Close() error {
	d.close.Do(func() { close(d.closing) })
	return d.fleet.close()
}

// Do runs a task until it has a result, or no attempt is left. The error wraps that of the
// last attempt, a *worker.Failure whose Reason is stable, or it is ctx's when the task never
// began. The Outcome holds with an error, too.
func (d *Dispatcher) Do(ctx context.Context, t Task) (Outcome, error) {
	ctx, leave := endingWith(ctx, d.closing, func() error { return ErrClosed })
	defer leave()
	o, err := d.run(ctx, &t)
	if err != nil && errors.Is(context.Cause(ctx), ErrClosed) {
		err = ErrClosed
	}
	if err != nil {
		return o, fmt.Errorf("run %s: %w", t.Method, err)
	}
	return o, nil
}

func (d *Dispatcher) run(ctx context.Context, t *Task) (o Outcome, err error) {
	for next := first(t); next != stop; {
		var a Attempt
		if next == onDevice {
			a, err = d.onDevice(ctx, t, o.Attempts)
		} else {
			a, err = d.onCPU(ctx, t)
		}
		switch {
		case a.Place != "":
			o.Attempts = append(o.Attempts, a)
			next = o.after(ctx.Err() != nil)
		case next == onDevice && (errors.Is(err, gpu.ErrNoDevice) || errors.Is(err, gpu.ErrTooLarge)):
			if len(o.Attempts) == 0 {
				o.NoDevice = err
			}
			next = onCPU
		default:
			next = stop // it did not begin
		}
	}
	return o, err
}

// step is what comes next for a task.
type step int

const (
	stop step = iota
	onDevice
	onCPU
)

func first(t *Task) step {
	if t.CPUOnly {
		return onCPU
	}
	return onDevice
}

// after decides on the last attempt; see the package comment.
func (o *Outcome) after(ended bool) step {
	last := o.Attempts[len(o.Attempts)-1]
	switch {
	case ended || !again(last):
		return stop
	case last.Reason == worker.ReasonMemory && last.Place == CPU:
		return stop
	case last.Reason == worker.ReasonMemory:
		return onCPU
	case o.lost() == 1 && last.Place != CPU:
		return onDevice
	case o.lost() == 1 || last.Place != CPU:
		return onCPU
	}
	return stop
}

// lost counts the attempts that were lost for another reason than memory.
func (o *Outcome) lost() (n int) {
	for _, a := range o.Attempts {
		if again(a) && a.Reason != worker.ReasonMemory {
			n++
		}
	}
	return n
}

// again says whether another attempt can end otherwise.
func again(a Attempt) bool {
	switch a.Reason {
	case worker.ReasonDevice, worker.ReasonMemory, worker.ReasonHung, worker.ReasonCrashed:
		return true
	case worker.ReasonProtocol:
		var f *worker.Failure
		return errors.As(a.Err, &f) && f.Lost
	}
	return false
}
