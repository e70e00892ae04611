package p2p

import (
	"context"
	"sync"
)

// life hands out the contexts of tasks, and ends them all.
type life struct {
	tasks sync.WaitGroup
	mu    struct {
		sync.Mutex
		closed bool
		last   uint64
		stops  map[uint64]context.CancelFunc
	}
}

func newLife() *life {
	l := &life{}
	l.mu.stops = map[uint64]context.CancelFunc{}
	return l
}

// begin starts a task on the caller's goroutine, which calls end once when it is over. It
// returns false after close.
func (l *life) begin() (ctx context.Context, end func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.closed {
		return nil, nil, false
	}
	ctx, stop := context.WithCancel(context.Background())
	l.mu.last++
	id := l.mu.last
	l.mu.stops[id] = stop
	l.tasks.Add(1)
	return ctx, func() {
		stop()
		l.mu.Lock()
		delete(l.mu.stops, id)
		l.mu.Unlock()
		l.tasks.Done()
	}, true
}

// spawn runs a task on a goroutine of its own, if the life has not ended.
func (l *life) spawn(task func(ctx context.Context)) {
	ctx, end, ok := l.begin()
	if !ok {
		return
	}
	go func() {
		defer end()
		task(ctx)
	}()
}

// close cancels all tasks and refuses new ones. It reports whether it was the first to do so.
func (l *life) close() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.closed {
		return false
	}
	l.mu.closed = true
	for _, stop := range l.mu.stops {
		stop()
	}
	return true
}

// wait returns when all tasks have ended. It is called after close.
func (l *life) wait() { l.tasks.Wait() }
