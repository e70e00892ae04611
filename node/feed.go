package node

import (
	"sync"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/mempool"
	"github.com/weisyn/wes/chain/replica"
)

// Notice is a change of the ledger or of the mempool.
type Notice struct {
	// Undone and Applied are the blocks left and entered, each lowest first.
	Undone, Applied []*chain.Block
	// Entered is a transaction that is in the mempool now, or nil.
	Entered *mempool.Entry
}

// noticeRoom is how many notices wait for a subscriber before it is cut off.
const noticeRoom = 256

// feed tells subscribers what has changed. It never waits for one.
type feed struct {
	mu struct {
		sync.Mutex
		change      chan struct{} // closed at the next change
		tip         chan struct{} // closed at the next move of the ledger
		subscribers map[chan Notice]bool
	}
}

func newFeed() *feed {
	f := &feed{}
	f.mu.change, f.mu.tip, f.mu.subscribers = make(chan struct{}), make(chan struct{}), map[chan Notice]bool{}
	return f
}

// changed is closed at the next change.
func (f *feed) changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mu.change
}

// moves is closed at the next move of the ledger.
func (f *feed) moves() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mu.tip
}

// subscribe returns notices from now on. The channel is closed when the subscriber is too slow,
// or calls the function returned.
func (f *feed) subscribe() (<-chan Notice, func()) {
	c := make(chan Notice, noticeRoom)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.subscribers[c] = true
	return c, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.end(c)
	}
}

func (f *feed) end(c chan Notice) {
	if f.mu.subscribers[c] {
		delete(f.mu.subscribers, c)
		close(c)
	}
}

func (f *feed) tell(n Notice) {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.mu.change)
	f.mu.change = make(chan struct{})
	if n.Entered == nil {
		close(f.mu.tip)
		f.mu.tip = make(chan struct{})
	}
	for c := range f.mu.subscribers {
		select {
		case c <- n:
		default:
			f.end(c)
		}
	}
}

func (f *feed) moved(e *replica.Moved) { f.tell(Notice{Undone: e.Undone, Applied: e.Applied}) }

func (f *feed) entered(e *mempool.Entry) { f.tell(Notice{Entered: e}) }
