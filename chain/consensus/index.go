package consensus

import (
	"slices"

	"github.com/weisyn/wes/chain"
)

// block is a header that keeps the rules, and what is known of its body.
//
// Invariant: ready ⇒ received, not invalid, and the parent is ready. Invalid ⇒ all
// descendants are invalid.
type block struct {
	link
	parent   *block // nil of the genesis block only
	skip     *block // an ancestor further up, for ancestor
	children []*block

	received bool   // body and attachments have come, complete
	ready    bool   // so have those of all ancestors
	invalid  bool   // it or an ancestor breaks a rule
	arrival  uint64 // local time at which it was first complete, ms since 1970
	order    uint64 // number of that event; 0 before it
	contends bool   // may win against its siblings by its distance
}

// index is the tree of headers, and the two blocks that decide what a node does: the header
// to follow and the block to stand on.
type index struct {
	blocks map[chain.Hash]*block
	heads  map[*block]bool // blocks without children
	order  uint64          // bodies completed so far

	header *block // of the most work, not invalid; the first seen of several
	best   *block // the winner of the fork choice among blocks that are ready
}

func newIndex(genesis link) *index {
	g := &block{link: genesis, received: true, ready: true, contends: true, order: 1}
	return &index{
		blocks: map[chain.Hash]*block{g.hash: g},
		heads:  map[*block]bool{g: true},
		order:  1,
		header: g,
		best:   g,
	}
}

// add enters a header that keeps the rules.
func (x *index) add(parent *block, l link) *block {
	b := &block{link: l, parent: parent, invalid: parent.invalid}
	b.skip = parent.ancestor(skipHeight(l.height))
	parent.children = append(parent.children, b)
	x.blocks[b.hash] = b
	delete(x.heads, parent)
	x.heads[b] = true
	if !b.invalid && b.work.Cmp(x.header.work) > 0 {
		x.header = b
	}
	return b
}

// skipHeight returns the height that a block's skip pointer leads to: a pattern of cleared low
// bits in which every ancestor is reached in O(log height) steps.
func skipHeight(height uint64) uint64 {
	clear := func(n uint64) uint64 { return n & (n - 1) }
	switch {
	case height < 2:
		return 0
	case height&1 == 1:
		return clear(clear(height-1)) + 1
	}
	return clear(height)
}

// ancestor returns the block of that height, at most b's own, on b's branch.
func (b *block) ancestor(height uint64) *block {
	for b.height > height {
		s, before := skipHeight(b.height), skipHeight(b.height-1)
		// Going by the parent's pointer is better if b's leads too far up, unless it leads
		// just there.
		if b.skip != nil && (s == height || s > height && (before+2 >= s || before < height)) {
			b = b.skip
		} else {
			b = b.parent
		}
	}
	return b
}

// on reports whether b is d or an ancestor of it.
func (b *block) on(d *block) bool { return b.height <= d.height && d.ancestor(b.height) == b }

// fork returns the last common ancestor.
func fork(a, b *block) *block {
	h := min(a.height, b.height)
	a, b = a.ancestor(h), b.ancestor(h)
	for a != b {
		if a.skip != b.skip && a.skip.height == b.skip.height {
			a, b = a.skip, b.skip
		} else {
			a, b = a.parent, b.parent
		}
	}
	return a
}

// complete records that the body and all attachments of b have come. While the node is in its
// initial sync the order of arrivals means nothing, and every sibling contends.
func (x *index) complete(b *block, now uint64, initial bool, cfg *Config) {
	if b.received || b.invalid {
		return
	}
	b.received = true
	if b.order == 0 { // else it was complete before, and something of it was lost
		x.order++
		b.order, b.arrival = x.order, now
		b.contends = initial || contends(b, cfg)
	}
	if b.parent.ready {
		x.markReady(b)
	}
}

// markReady propagates readiness from b down.
func (x *index) markReady(b *block) {
	for todo := []*block{b}; len(todo) > 0; {
		b := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		b.ready = true
		if better(b, x.best) {
			x.best = b
		}
		for _, c := range b.children {
			if c.received && !c.invalid {
				todo = append(todo, c)
			}
		}
	}
}

// lose records that something of b is not at hand after all.
func (x *index) lose(b *block) {
	b.received = false
	x.descend(b, func(d *block) { d.ready = false })
	x.choose()
}

// condemn marks b and its descendants invalid and returns whether that was news.
func (x *index) condemn(b *block) bool {
	if b.invalid || b.parent == nil {
		return false
	}
	x.descend(b, func(d *block) { d.invalid, d.ready = true, false })
	x.choose()
	return true
}

func (x *index) descend(b *block, visit func(*block)) {
	for todo := []*block{b}; len(todo) > 0; {
		b := todo[len(todo)-1]
		todo = append(todo[:len(todo)-1], b.children...)
		visit(b)
	}
}

// choose finds header and best anew. Both orders are total, but for equal work among headers,
// where the smaller hash serves.
func (x *index) choose() {
	x.header, x.best = nil, nil
	for head := range x.heads {
		valid := head
		for valid.invalid {
			valid = valid.parent
		}
		if x.header == nil || aboveHeader(valid, x.header) {
			x.header = valid
		}
		if r := valid.lastReady(); x.best == nil || better(r, x.best) {
			x.best = r
		}
	}
}

func aboveHeader(a, b *block) bool {
	if c := a.work.Cmp(b.work); c != 0 {
		return c > 0
	}
	return lessHash(a.hash, b.hash)
}

// lastReady returns the highest ancestor of b, or b, that is ready. All above it are.
func (b *block) lastReady() *block {
	low, high := uint64(0), b.height
	for low < high {
		mid := high - (high-low)/2
		if b.ancestor(mid).ready {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return b.ancestor(low)
}

// path returns the blocks above ancestor up to b, lowest first.
func path(ancestor, b *block) []*block {
	var up []*block
	for ; b != ancestor; b = b.parent {
		up = append(up, b)
	}
	slices.Reverse(up)
	return up
}
