package node

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxQueued bounds the events that wait for the ledger's goroutine.
	maxQueued = 1024
	// maxPeerQueued bounds those of one peer: who sends more waits.
	maxPeerQueued = 16
)

// errStopped is returned to who waits for a ledger that has ended.
var errStopped = errors.New("the node is stopping")

// event is work for the goroutine that owns the ledger.
type event struct {
	arrived uint64 // ms since 1970
	step    func(now uint64) error
	taken   *atomic.Bool  // by the owner, or given up
	done    chan struct{} // closed when step has returned
}

// queue hands events to one goroutine. Who sends waits until its event has begun as long as its
// context lasts, and then until it is over.
type queue struct {
	events chan event
	ended  chan struct{} // closed when the goroutine has ended
	now    func() uint64 // ms since 1970
	mu     struct {
		sync.Mutex
		peers map[string]chan struct{} // room for events of a peer
	}
}

func newQueue() *queue {
	q := &queue{
		events: make(chan event, maxQueued), ended: make(chan struct{}),
		now: func() uint64 { return uint64(time.Now().UnixMilli()) },
	}
	q.mu.peers = map[string]chan struct{}{}
	return q
}

// do runs step on the owner's goroutine and waits until it has returned. The step has the time
// at which do was called. The error is that of ctx, or errStopped.
func (q *queue) do(ctx context.Context, step func(now uint64) error) error {
	e := event{q.now(), step, new(atomic.Bool), make(chan struct{})}
	select {
	case q.events <- e:
	case <-q.ended:
		return errStopped
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-e.done:
		return nil
	case <-q.ended:
		return errStopped
	case <-ctx.Done():
		if e.taken.CompareAndSwap(false, true) {
			return ctx.Err()
		}
	}
	select {
	case <-e.done:
		return nil
	case <-q.ended:
		return errStopped
	}
}

// of is do for an event of a peer, which waits while too many of the same peer do.
func (q *queue) of(ctx context.Context, peer string, step func(now uint64) error) error {
	room := q.room(peer)
	select {
	case room <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-room }()
	return q.do(ctx, step)
}

func (q *queue) room(peer string) chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	room, ok := q.mu.peers[peer]
	if !ok {
		room = make(chan struct{}, maxPeerQueued)
		q.mu.peers[peer] = room
	}
	return room
}

// forget drops the room of a peer that has left.
func (q *queue) forget(peer string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.mu.peers, peer)
}

// run takes events, and calls tick every second, until ctx ends or an event fails. It calls
// around with true before each, and with false after it.
func (q *queue) run(ctx context.Context, tick func(now uint64) error, around func(before bool)) error {
	defer close(q.ended)
	ticks := time.NewTicker(time.Second)
	defer ticks.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case e := <-q.events:
			if !e.taken.CompareAndSwap(false, true) {
				continue
			}
			around(true)
			err = e.step(e.arrived)
			around(false)
			close(e.done)
		case <-ticks.C:
			around(true)
			err = tick(q.now())
			around(false)
		}
		if err != nil {
			return err
		}
	}
}
