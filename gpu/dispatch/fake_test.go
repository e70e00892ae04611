package dispatch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/weisyn/wes/gpu"
	"github.com/weisyn/wes/gpu/worker"
)

// workers makes workers whose jobs end as a function says, and counts them.
type workers struct {
	do func(ctx context.Context, place string, j worker.Job) error
	mu struct {
		sync.Mutex
		open    map[*fake]bool
		started []string // places, in order
	}
}

type fake struct {
	of    *workers
	place string
}

var _ Worker = (*fake)(nil)

func (w *workers) start(place string) Worker {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := &fake{w, place}
	if w.mu.open == nil {
		w.mu.open = map[*fake]bool{}
	}
	w.mu.open[f] = true
	w.mu.started = append(w.mu.started, place)
	return f
}

func (w *workers) count() (open, started int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.mu.open), len(w.mu.started)
}

func (f *fake) Do(ctx context.Context, j worker.Job) error { return f.of.do(ctx, f.place, j) }

func (f *fake) Close() error {
	f.of.mu.Lock()
	defer f.of.mu.Unlock()
	if !f.of.mu.open[f] {
		return fmt.Errorf("worker of %s closed twice", f.place)
	}
	delete(f.of.mu.open, f)
	return nil
}

// reports keeps what it is told, "done GPU-0" and the like.
type reports struct {
	mu struct {
		sync.Mutex
		all []string
	}
}

var _ Reports = (*reports)(nil)

func (r *reports) add(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.all = append(r.mu.all, what)
}

func (r *reports) Done(uuid string) { r.add("done " + uuid) }
func (r *reports) Hung(uuid string) { r.add("hung " + uuid) }
func (r *reports) Gone(uuid string) { r.add("gone " + uuid) }

func (r *reports) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.all
}

func failure(r worker.Reason, lost bool) error {
	return &worker.Failure{Reason: r, Lost: lost, Err: errors.New("test")}
}

func slots(n int) *gpu.Slots {
	var all []gpu.Device
	for i := range n {
		all = append(all, gpu.Device{UUID: fmt.Sprintf("GPU-%d", i), Memory: 100, Index: i})
	}
	return gpu.NewSlots(all, gpu.SlotOptions{})
}

// idle demands that no memory is reserved and nobody waits.
func idle(t *testing.T, s *gpu.Slots) {
	t.Helper()
	snap := s.Snapshot()
	for _, d := range snap.Devices {
		if d.Reserved != 0 || d.Leases != 0 {
			t.Errorf("%s: %d bytes in %d leases are still reserved", d.Device.UUID, d.Reserved, d.Leases)
		}
	}
	if snap.Waiting != 0 {
		t.Errorf("%d requests wait", snap.Waiting)
	}
}
