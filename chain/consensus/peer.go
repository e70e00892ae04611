package consensus

import (
	"cmp"
	"slices"

	"github.com/weisyn/wes/chain"
)

// peer is what this node knows of a peer. What a peer says about its height counts for
// nothing; only headers do.
type peer struct {
	id       PeerID
	head     *block     // the header of most work that it has shown; the last of several
	items    int        // requests for bodies and attachments under way
	strikes  int        // requests that it let time out, since it last delivered
	asked    bool       // for headers, since the last poll
	waiting  bool       // for headers
	deadline uint64     // tick at which the wait for headers ends
	answered bool       // it once had no more headers than were known
	loose    int        // announcements in a row that did not connect
	ahead    chain.Hash // announced while it was asked, and did not connect; zero if none
	shown    Work       // where its last full message ended
	pass     *pass      // work shown before anything is stored; nil if there is none under way
	held     []SealedHeader
	lost     bool // headers after held were dropped
}

func (c *Core) join(id PeerID) {
	if id == 0 || c.peer(id) != nil {
		return
	}
	at, _ := c.find(id)
	c.peers = slices.Insert(c.peers, at, &peer{id: id})
}

func (c *Core) find(id PeerID) (int, bool) {
	return slices.BinarySearchFunc(c.peers, id, func(p *peer, id PeerID) int { return cmp.Compare(p.id, id) })
}

// peer returns a peer that is connected, or nil.
func (c *Core) peer(id PeerID) *peer {
	if at, ok := c.find(id); ok {
		return c.peers[at]
	}
	return nil
}

// leave forgets a peer and what was asked of it.
func (c *Core) leave(id PeerID) {
	at, ok := c.find(id)
	if !ok {
		return
	}
	c.peers = slices.Delete(c.peers, at, at+1)
	for _, i := range c.items {
		if i.peer == id {
			i.peer = 0
		}
		delete(i.tried, id)
	}
	if c.asker == id {
		c.asker = 0
	}
}

// drop disconnects a peer.
func (c *Core) drop(p *peer, reason string, ban bool) {
	c.leave(p.id)
	c.out.Drops = append(c.out.Drops, Drop{p.id, reason, ban})
}

// strike counts a request that timed out.
func (c *Core) strike(p *peer) {
	if p.strikes++; p.strikes >= c.rules.cfg.Strikes {
		c.drop(p, "stalled", false)
	}
}

// shows records that a peer has the block, as far as its headers say.
func (p *peer) shows(b *block) {
	if p.head == nil || p.head.invalid || b.work.Cmp(p.head.work) >= 0 {
		p.head = b
	}
}

// anyAnswered reports whether a peer has shown all its headers.
func (c *Core) anyAnswered() bool {
	return slices.ContainsFunc(c.peers, func(p *peer) bool { return p.answered })
}

// askHeaders asks a peer for what comes after a locator.
func (c *Core) askHeaders(p *peer, locator []chain.Hash) {
	p.asked, p.waiting, p.deadline = true, true, c.ticks+c.rules.cfg.Timeout
	c.out.Requests = append(c.out.Requests, Request{Peer: p.id, Locator: locator})
}

// locator lists ancestors of b at growing distances, from b to the genesis block.
func locator(b *block) []chain.Hash {
	var all []chain.Hash
	for step := uint64(1); b.height > 0; {
		all = append(all, b.hash)
		if len(all) > 10 {
			step *= 2
		}
		b = b.ancestor(b.height - min(b.height, step))
	}
	return append(all, b.hash)
}

// askPeers asks for headers whoever was not asked since the last poll. In the initial sync
// that is one peer at a time.
func (c *Core) askPeers() {
	for _, p := range c.peers {
		if c.initial && c.asker != 0 {
			return
		}
		if p.asked || p.waiting {
			continue
		}
		if c.initial {
			c.asker = p.id
		}
		from := c.index.header
		if from.parent != nil { // so that a peer shows at least that it has the header
			from = from.parent
		}
		c.askHeaders(p, locator(from))
	}
}

// doneAsking records that a peer has no more headers to show.
func (c *Core) doneAsking(p *peer) {
	p.waiting, p.answered = false, true
	if p.ahead != (chain.Hash{}) && c.index.blocks[p.ahead] == nil {
		// The answer is older than the announcement.
		p.asked, p.answered = false, false
		c.loosen(p)
	}
	p.ahead = chain.Hash{}
	if c.asker == p.id {
		c.asker = 0
	}
	c.settle()
}

// poll asks every peer again when nothing new was heard for long, one that shows its work
// slowly or one that hides its headers notwithstanding.
func (c *Core) poll() {
	if c.ticks-c.polled < c.rules.cfg.Poll {
		return
	}
	c.polled, c.asker = c.ticks, 0
	for _, p := range c.peers {
		p.asked = false
	}
}

// expire ends waits for headers, and for blocks.
func (c *Core) expire() {
	for _, p := range slices.Clone(c.peers) {
		if !p.waiting || c.ticks < p.deadline {
			continue
		}
		p.waiting, p.pass = false, nil
		if c.asker == p.id {
			c.asker = 0
		}
		c.strike(p)
	}
	c.expireItems()
}
