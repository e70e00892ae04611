package ures

import (
	"sync"

	"github.com/ipfs/boxo/bitswap/message"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"
)

// maxWants bounds the blocks remembered as asked for.
const maxWants = 1 << 16

// wants remembers which blocks were asked for lately, and reports peers that send others. Several
// peers may send the same block: it stays remembered for a while. It implements bitswap's tracer.
type wants struct {
	penalise func(peer, reason string)
	mu       struct {
		sync.Mutex
		known map[cid.Cid]bool
		ring  []cid.Cid
		next  int
	}
}

func newWants(penalise func(peer, reason string)) *wants {
	w := &wants{penalise: penalise}
	w.mu.known = map[cid.Cid]bool{}
	return w
}

func (w *wants) add(c cid.Cid) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.known[c] {
		return
	}
	if len(w.mu.ring) < maxWants {
		w.mu.ring = append(w.mu.ring, c)
	} else {
		delete(w.mu.known, w.mu.ring[w.mu.next])
		w.mu.ring[w.mu.next] = c
		w.mu.next = (w.mu.next + 1) % maxWants
	}
	w.mu.known[c] = true
}

// MessageReceived implements tracer.Tracer.
func (w *wants) MessageReceived(from peer.ID, m message.BitSwapMessage) {
	w.mu.Lock()
	unwanted := 0
	for _, b := range m.Blocks() {
		if !w.mu.known[b.Cid()] {
			unwanted++
		}
	}
	w.mu.Unlock()
	if unwanted > 0 {
		w.penalise(from.String(), "it sent a block that was not asked for")
	}
}

// MessageSent implements tracer.Tracer.
func (w *wants) MessageSent(peer.ID, message.BitSwapMessage) {}
