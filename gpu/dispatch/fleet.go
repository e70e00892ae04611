package dispatch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/weisyn/wes/gpu/worker"
)

// Worker runs jobs in one process at a time; see worker.Supervisor.
type Worker interface {
	Do(ctx context.Context, j worker.Job) error
	Close() error
}

var _ Worker = (*worker.Supervisor)(nil)

// Supervise makes workers as Options.Start needs them. A worker sees no device but its own.
func Supervise(o worker.Options, b worker.Backoff) func(place string) Worker {
	return func(place string) Worker {
		own := o
		own.Env = append(slices.Clone(o.Env), Visible(place)...)
		return worker.NewSupervisor(own, b)
	}
}

// Visible are the environment variables by which CUDA finds one device, or none.
func Visible(place string) []string {
	if place == CPU {
		place = ""
	}
	return []string{"CUDA_DEVICE_ORDER=PCI_BUS_ID", "CUDA_VISIBLE_DEVICES=" + place}
}

// fleet keeps the workers of all places. A worker that is idle may hold memory that nobody
// accounts for, so a place keeps one, and that only while nobody else works there.
type fleet struct {
	start func(place string) Worker
	mu    struct {
		sync.Mutex
		idle   map[string]Worker
		busy   map[Worker]string // the place that a worker works at
		closed bool
		err    error         // of closing workers
		empty  chan struct{} // closed when the fleet is, and nobody is busy
	}
}

func newFleet(start func(place string) Worker) *fleet {
	f := &fleet{start: start}
	f.mu.idle, f.mu.busy, f.mu.empty = map[string]Worker{}, map[Worker]string{}, make(chan struct{})
	return f
}

// take gives a worker to one job.
func (f *fleet) take(place string) (Worker, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mu.closed {
		return nil, ErrClosed
	}
	w, ok := f.mu.idle[place]
	if ok {
		delete(f.mu.idle, place)
	} else {
		w = f.start(place)
	}
	f.mu.busy[w] = place
	return w, nil
}

// give takes a worker back after its job.
func (f *fleet) give(place string, w Worker, spoilt bool) {
	if !f.keep(place, w, spoilt) {
		f.leave(w, w.Close())
	}
}

func (f *fleet) keep(place string, w Worker, spoilt bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if spoilt || f.mu.closed || f.mu.idle[place] != nil || f.others(place, w) {
		return false
	}
	delete(f.mu.busy, w)
	f.mu.idle[place] = w
	return true
}

func (f *fleet) others(place string, w Worker) bool {
	for other, p := range f.mu.busy {
		if p == place && other != w {
			return true
		}
	}
	return false
}

func (f *fleet) leave(w Worker, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.err = errors.Join(f.mu.err, err)
	delete(f.mu.busy, w)
	if f.mu.closed && len(f.mu.busy) == 0 {
		close(f.mu.empty)
	}
}

// close ends all workers and waits until those that were busy are given back. The error has
// those of workers that were closed before, too.
func (f *fleet) close() error {
	for _, w := range f.retire() {
		f.leave(w, w.Close())
	}
	<-f.mu.empty
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mu.err != nil {
		return fmt.Errorf("close workers: %w", f.mu.err)
	}
	return nil
}

// retire lets nobody take a worker any more, and hands out those that are idle.
func (f *fleet) retire() []Worker {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mu.closed {
		return nil
	}
	f.mu.closed = true
	for place, w := range f.mu.idle {
		f.mu.busy[w] = place
	}
	idle := slices.Collect(maps.Values(f.mu.idle))
	clear(f.mu.idle)
	if len(f.mu.busy) == 0 {
		close(f.mu.empty)
	}
	return idle
}
