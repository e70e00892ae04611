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

// How often the node is told of progress at most, of another stage and of the same one. The shortest runs
// tell no more than that they have begun: whoever follows them would take their processors.
const (
	stageEvery = 25 * time.Millisecond
	eventEvery = 200 * time.Millisecond
)

// progress feeds the watch and the node's events.
type progress struct {
	*attempt
	mu struct {
		sync.Mutex
		last, sent eventMessage
		at         time.Time   // of what was sent
		later      *time.Timer // sends what was last, when it is time; nil: nothing waits
		over       bool
	}
}

func (p *progress) report(stage string, done, total int) {
	m := eventMessage{Version: version, Stage: cut(stage, maxStage), Done: count(done), Total: count(total)}
	p.mu.Lock()
	defer p.mu.Unlock()
	if m == p.mu.last || p.mu.over {
		return
	}
	p.watch.touch()
	p.mu.last = m
	every := eventEvery
	if m.Stage != p.mu.sent.Stage {
		every = stageEvery
	}
	switch wait := every - time.Since(p.mu.at); {
	case wait <= 0:
		p.send()
	case p.mu.later == nil:
		p.mu.later = time.AfterFunc(wait, p.catchUp)
	default:
		p.mu.later.Reset(wait)
	}
}

// catchUp sends what was reported too soon after what was sent before.
func (p *progress) catchUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.mu.over && p.mu.last != p.mu.sent {
		p.send()
	}
}

// send publishes the last event; p.mu is held. What does not reach the node is lost, and that is all.
func (p *progress) send() {
	if p.mu.later != nil {
		p.mu.later.Stop()
		p.mu.later = nil
	}
	p.mu.at, p.mu.sent = time.Now(), p.mu.last
	_ = p.nc.Publish(p.layout.event(p.task.ID), encode(&p.mu.last))
}

// stop ends the events.
func (p *progress) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.over = true
	if p.mu.later != nil {
		p.mu.later.Stop()
	}
}

func count(n int) uint32 { return uint32(max(0, min(n, math.MaxInt32))) }
