package fleet

import (
	"math"
	"sync"
	"time"
)

// watch calls alive every so often while there is progress, and stalled once when there was none
// for too long.
type watch struct {
	ended   chan struct{}
	stopped sync.WaitGroup
	mu      struct {
		sync.Mutex
		last time.Time // progress
	}
}

func newWatch(stall, every time.Duration, alive, stalled func()) *watch {
	w := &watch{ended: make(chan struct{})}
	w.touch()
	w.stopped.Go(func() { w.run(stall, every, alive, stalled) })
	return w
}

func (w *watch) run(stall, every time.Duration, alive, stalled func()) {
	tick := time.NewTicker(max(time.Millisecond, min(every, stall/4)))
	defer tick.Stop()
	said := time.Now()
	for {
		select {
		case <-w.ended:
			return
		case now := <-tick.C:
			if now.Sub(w.touched()) > stall {
				stalled()
				return
			}
			if now.Sub(said) >= every {
				alive()
				said = now
			}
		}
	}
}

func (w *watch) touch() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.last = time.Now()
}

func (w *watch) touched() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.last
}

// stop waits until neither function is called any more.
func (w *watch) stop() {
	close(w.ended)
	w.stopped.Wait()
}

// eventEvery is how often progress of a stage is sent at most.
const eventEvery = 200 * time.Millisecond

// progress feeds the watch and the node's events.
type progress struct {
	*attempt
	mu struct {
		sync.Mutex
		last eventMessage
		sent time.Time
	}
}

func (p *progress) report(stage string, done, total int) {
	m := eventMessage{Version: version, Stage: cut(stage, maxStage), Done: count(done), Total: count(total)}
	p.mu.Lock()
	defer p.mu.Unlock()
	if m == p.mu.last {
		return
	}
	p.watch.touch()
	due := m.Stage != p.mu.last.Stage || time.Since(p.mu.sent) >= eventEvery || m.Done == m.Total
	p.mu.last = m
	if !due {
		return
	}
	p.mu.sent = time.Now()
	// Progress that does not reach the node is lost, and that is all.
	_ = p.nc.Publish(p.layout.event(p.task.ID), encode(&m))
}

func count(n int) uint32 { return uint32(max(0, min(n, math.MaxInt32))) }
