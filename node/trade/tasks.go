package trade

import (
	"context"
	"errors"
	"sync"

	"github.com/weisyn/wes/chain"
)

// kind tells tasks of one job apart.
type kind uint8

const (
	contractTask kind = iota + 1
	collectTask
	runTask
)

type taskName struct {
	kind kind
	job  chain.Hash
}

// tasks are goroutines that can be ended by name. One that takes the name of another ends it.
type tasks struct {
	mu    sync.Mutex
	all   map[taskName]*task
	fault chan error // has room for one
}

type task struct{ stop context.CancelCauseFunc }

// ErrHalted is the cause of the end of a task that nobody wants any more. One that ends for another
// reason is taken up again by the next process.
var ErrHalted = errors.New("halted")

func newTasks() *tasks { return &tasks{all: map[taskName]*task{}, fault: make(chan error, 1)} }

// begin returns the context of a new task, and what to call when it has ended.
func (t *tasks) begin(ctx context.Context, n taskName) (context.Context, func()) {
	ctx, stop := context.WithCancelCause(ctx)
	own := &task{stop}
	t.mu.Lock()
	defer t.mu.Unlock()
	if old := t.all[n]; old != nil {
		old.stop(ErrHalted)
	}
	t.all[n] = own
	return ctx, func() {
		stop(nil)
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.all[n] == own {
			delete(t.all, n)
		}
	}
}

// end ends a task, if it runs.
func (t *tasks) end(n taskName) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if old := t.all[n]; old != nil {
		old.stop(ErrHalted)
		delete(t.all, n)
	}
}

// fail ends the desk with a fault of this machine.
func (t *tasks) fail(err error) {
	select {
	case t.fault <- err:
	default: // another came first
	}
}

// changes wakes those who watch jobs.
type changes struct {
	mu      sync.Mutex
	waiting map[chain.Hash]chan struct{}
}

func newChanges() *changes { return &changes{waiting: map[chain.Hash]chan struct{}{}} }

// of returns a channel that is closed at the next change of a job.
func (c *changes) of(job chain.Hash) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.waiting[job]
	if w == nil {
		w = make(chan struct{})
		c.waiting[job] = w
	}
	return w
}

func (c *changes) tell(all []chain.Hash) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range all {
		if w := c.waiting[id]; w != nil {
			close(w)
			delete(c.waiting, id)
		}
	}
}
