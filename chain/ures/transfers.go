package ures

import (
	"context"
	"sync"

	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"
)

// transfers remembers the blocks of resources that are on their way and that no pin covers yet.
// Collections leave them, and so wait for no transfer and hold none up.
type transfers struct {
	gc sync.Mutex // held by the one collection
	mu struct {
		sync.Mutex
		held       map[string]int // transfers with a block, by its hash
		collecting bool
		ended      []*transfer // since the collection began: it may not know their pins
	}
}

// transfer is one resource that is added or fetched. Its fields are guarded by transfers.mu.
type transfer struct {
	of     *transfers
	blocks map[string]bool
}

func newTransfers() *transfers {
	t := &transfers{}
	t.mu.held = map[string]int{}
	return t
}

func (t *transfers) begin() *transfer { return &transfer{of: t, blocks: map[string]bool{}} }

// hold keeps a block from collections. It is called before the block is looked for or written.
func (x *transfer) hold(c cid.Cid) {
	x.of.mu.Lock()
	defer x.of.mu.Unlock()
	if h := string(c.Hash()); !x.blocks[h] {
		x.blocks[h] = true
		x.of.mu.held[h]++
	}
}

// end leaves the blocks to the pins.
func (x *transfer) end() {
	x.of.mu.Lock()
	defer x.of.mu.Unlock()
	if x.of.mu.collecting {
		x.of.mu.ended = append(x.of.mu.ended, x)
		return
	}
	x.of.release(x)
}

// release forgets the blocks of a transfer; t.mu is held.
func (t *transfers) release(x *transfer) {
	for h := range x.blocks {
		if t.mu.held[h]--; t.mu.held[h] == 0 {
			delete(t.mu.held, h)
		}
	}
}

// collect runs a collection, which reads the pins after it has begun.
func (t *transfers) collect(run func() error) error {
	t.gc.Lock()
	defer t.gc.Unlock()
	t.mu.Lock()
	t.mu.collecting = true
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		for _, x := range t.mu.ended {
			t.release(x)
		}
		t.mu.collecting, t.mu.ended = false, nil
	}()
	return run()
}

// unless runs a deletion of a block if no transfer has it.
func (t *transfers) unless(hash string, remove func() error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mu.held[hash] > 0 {
		return nil
	}
	return remove()
}

// holding adds blocks for a transfer.
type holding struct {
	format.DAGService
	by *transfer
}

// Add implements format.NodeAdder.
func (h *holding) Add(ctx context.Context, n format.Node) error {
	h.by.hold(n.Cid())
	return h.DAGService.Add(ctx, n)
}

// AddMany implements format.NodeAdder.
func (h *holding) AddMany(ctx context.Context, all []format.Node) error {
	for _, n := range all {
		h.by.hold(n.Cid())
	}
	return h.DAGService.AddMany(ctx, all)
}
