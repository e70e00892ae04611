package consensus

import (
	"cmp"
	"slices"

	"github.com/weisyn/wes/chain"
)

// item is a block of which something is wanted.
type item struct {
	block    *block
	body     bool         // the body is at hand
	missing  []chain.Hash // attachments that are not, if the body is
	peer     PeerID       // who was asked; 0 if nobody is
	deadline uint64       // tick at which the peer is too late
	tried    map[PeerID]bool
	again    uint64 // tick from which those that were tried are asked again
}

// Wants reports whether the body of a block or its attachments are of use now. What is not
// wanted need not be staged.
func (c *Core) Wants(h chain.Hash) bool { return c.items[c.index.blocks[h]] != nil }

// body takes what has come of a block, if it is wanted.
func (c *Core) body(m Body) {
	b := c.index.blocks[m.Block]
	i := c.items[b]
	if i == nil {
		return
	}
	if p := c.peer(m.Peer); p != nil {
		p.strikes = 0
	}
	if len(m.Missing) == 0 || c.buried(b) {
		c.received(b)
		return
	}
	progress := !i.body || len(m.Missing) < len(i.missing)
	c.want(b, m.Missing)
	if progress || i.peer == m.Peer {
		c.release(i, progress)
	}
}

// want enters a block of whose attachments some are missing, or, if none are listed, the body.
func (c *Core) want(b *block, missing []chain.Hash) {
	i := c.items[b]
	if i == nil {
		i = &item{block: b, tried: map[PeerID]bool{}}
		c.items[b] = i
	}
	if i.body != (len(missing) > 0) { // something else is asked for
		clear(i.tried)
	}
	i.body, i.missing = len(missing) > 0, missing
}

// notFound takes a refusal. It says nothing about the block.
func (c *Core) notFound(m NotFound) {
	if i := c.items[c.index.blocks[m.Block]]; i != nil && i.peer == m.Peer {
		c.release(i, false)
	}
}

// release ends a request. If it brought nothing, the same peer is not asked for the block
// again for a while.
func (c *Core) release(i *item, progress bool) {
	if p := c.peer(i.peer); p != nil {
		p.items--
		i.tried[p.id] = !progress
	}
	i.peer = 0
	if !progress {
		i.again = c.ticks + c.rules.cfg.Retry
	}
}

// forget ends the wish for a block.
func (c *Core) forget(b *block) {
	if i := c.items[b]; i != nil {
		c.release(i, true)
		delete(c.items, b)
	}
}

// expireItems ends requests that a peer was too slow to answer; several at once are one strike.
func (c *Core) expireItems() {
	slow := map[PeerID]bool{}
	for _, i := range c.items {
		if i.peer != 0 && c.ticks >= i.deadline {
			slow[i.peer] = true
			c.release(i, false)
		}
	}
	for _, p := range slices.Clone(c.peers) {
		if slow[p.id] {
			c.strike(p)
		}
	}
}

// sorted returns the items, lowest blocks first.
func (c *Core) sorted() []*item {
	all := make([]*item, 0, len(c.items))
	for _, i := range c.items {
		all = append(all, i)
	}
	slices.SortFunc(all, func(a, b *item) int {
		if d := cmp.Compare(a.block.height, b.block.height); d != 0 {
			return d
		}
		return slices.Compare(a.block.hash[:], b.block.hash[:])
	})
	return all
}

// schedule sends what requests there is reason and room for.
func (c *Core) schedule() {
	c.askPeers()
	c.wantBodies()
	if len(c.peers) == 0 {
		return
	}
	for _, i := range c.sorted() {
		if i.peer == 0 {
			c.ask(i)
		}
	}
}

// wantBodies enters the next blocks of every branch that may win.
func (c *Core) wantBodies() {
	for head := range c.index.heads {
		for head.invalid {
			head = head.parent
		}
		if head.ready || head.work.Cmp(c.index.best.work) < 0 {
			continue
		}
		c.wantBranch(head)
	}
}

// wantBranch enters the next blocks of a branch: at most Window of them, counted from its
// last block that is ready, or from the tip while the ledger has yet to move along the branch.
func (c *Core) wantBranch(head *block) {
	from := head.lastReady()
	top := from.height + c.rules.cfg.Window
	if c.applied.on(from) {
		top = c.applied.height + c.rules.cfg.Window
	}
	if top <= from.height {
		return
	}
	for b := head.ancestor(min(head.height, top)); b != from; b = b.parent {
		if !b.received && c.items[b] == nil {
			c.want(b, nil)
		}
	}
}

// ask sends the request of an item to the peer with the fewest requests of those that have
// shown its header and were not tried.
func (c *Core) ask(i *item) {
	if c.ticks >= i.again {
		clear(i.tried)
	}
	var least *peer
	for _, p := range c.peers {
		free := p.items < c.rules.cfg.PeerBlocks && !i.tried[p.id] && (least == nil || p.items < least.items)
		if free && p.head != nil && i.block.on(p.head) {
			least = p
		}
	}
	if least == nil {
		return
	}
	least.items++
	i.peer, i.deadline = least.id, c.ticks+c.rules.cfg.Timeout
	c.out.Requests = append(c.out.Requests, Request{Peer: least.id, Block: i.block.hash, Attachments: i.missing})
}
