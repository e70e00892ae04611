package consensus

import (
	"errors"
	"fmt"
	"iter"

	"github.com/weisyn/wes/chain"
)

// Record is a header that an earlier run has written.
type Record struct {
	Header SealedHeader
	Stored bool // the body and all attachments are at hand
	Bad    bool // it breaks a rule
}

// Core decides which blocks a node fetches, applies, undoes and builds on. It is not safe for
// concurrent use.
type Core struct {
	rules   *rules
	index   *index
	now     uint64 // local clock, ms since 1970
	ticks   uint64
	initial bool // in the initial sync

	applied *block // where the ledger stands
	moving  *Switch
	told    *block // the last tip announced

	peers  []*peer // by id
	items  map[*block]*item
	asker  PeerID // the peer whose headers are followed in the initial sync
	polled uint64 // tick of the last new header or poll
	out    Ready
}

// Errors of the caller.
var (
	// ErrRecord is returned by New for records that are out of order or break a rule.
	ErrRecord = errors.New("unusable record of a header")
	// ErrSwitch is returned by Step for a report that no switch asked for.
	ErrSwitch = errors.New("report of a switch that was not asked for")
	// ErrBusy is returned by Template while the ledger does not stand on the best block.
	ErrBusy = errors.New("the ledger is on its way to another block")
	// ErrUnknownParent is returned by Step for a mined block without a known parent.
	ErrUnknownParent = errors.New("the parent of a mined block is not known")
)

// New returns a core that stands on tip, as left by an earlier run, and knows the records it
// wrote, parents before children; the genesis block is not among them. Without records, tip is
// the genesis block. It fails with ErrConfig or ErrRecord.
func New(cfg Config, records iter.Seq[Record], tip chain.Hash) (*Core, error) {
	r, err := cfg.validate()
	if err != nil {
		return nil, err
	}
	c := &Core{rules: r, index: newIndex(r.genesis()), initial: true, items: map[*block]*item{}}
	for rec := range records {
		if err := c.restore(&rec); err != nil {
			return nil, err
		}
	}
	b := c.index.blocks[tip]
	if b == nil || b.invalid {
		return nil, fmt.Errorf("%w: tip %v is not among them, or invalid", ErrRecord, tip)
	}
	c.stand(b)
	return c, nil
}

func (c *Core) restore(rec *Record) error {
	parent := c.index.blocks[rec.Header.Parent]
	if parent == nil {
		return fmt.Errorf("%w: no parent at height %d", ErrRecord, rec.Header.Height)
	}
	l, err := c.rules.extendBare(&parent.link, &rec.Header.Header) // the seal was checked before it was written
	if err != nil {
		return fmt.Errorf("%w: %v", ErrRecord, err)
	}
	b := c.index.add(parent, l)
	b.received = rec.Stored
	if rec.Bad {
		c.index.condemn(b)
	}
	return nil
}

// stand makes tip the block that the ledger stands on after a start. Siblings that were stored
// with it do not contend; the fork choice had them before.
func (c *Core) stand(tip *block) {
	x := c.index
	for b := tip; b.parent != nil; b = b.parent {
		b.received, b.contends = true, true
		x.order++
		b.order = x.order
	}
	todo := []*block{x.blocks[c.rules.chain]}
	for len(todo) > 0 {
		b := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, s := range b.children {
			if s.received && !s.invalid {
				if s.order == 0 {
					x.order++
					s.order = x.order
				}
				todo = append(todo, s)
			}
		}
		b.ready = true
	}
	x.choose()
	c.applied, c.told = tip, tip
}

// Step reports an event at the local time now, in ms since 1970. What a peer does wrong is no
// error: Ready drops the peer. Errors are the caller's: ErrSwitch, or a mined block whose
// header breaks a rule or whose parent is unknown.
func (c *Core) Step(now uint64, m Message) error {
	c.now = now
	var err error
	switch m := m.(type) {
	case Joined:
		c.join(m.Peer)
	case Left:
		c.leave(m.Peer)
	case Headers:
		if p := c.peer(m.Peer); p != nil {
			c.headers(p, m.Headers)
		}
	case Body:
		c.body(m)
	case NotFound:
		c.notFound(m)
	case Garbage:
		if p := c.peer(m.Peer); p != nil {
			c.drop(p, m.What, true)
		}
	case Mined:
		err = c.mined(&m.Header)
	case Switched:
		err = c.switched(&m)
	}
	c.schedule()
	return err
}

// Tick reports that about a second has passed, and the local time.
func (c *Core) Tick(now uint64) {
	c.now = now
	c.ticks++
	c.releaseHeld()
	c.expire()
	c.poll()
	c.schedule()
}

// Ready returns what there is to do, and forgets it.
func (c *Core) Ready() Ready {
	c.nextSwitch()
	out := c.out
	c.out = Ready{}
	return out
}

// mined enters a block of our own.
func (c *Core) mined(h *SealedHeader) error {
	parent := c.index.blocks[h.Parent]
	if parent == nil {
		return ErrUnknownParent
	}
	b := c.index.blocks[h.Hash()]
	if b == nil {
		l, err := c.rules.extend(&parent.link, h)
		if err != nil {
			return err
		}
		b = c.store(parent, l, h)
	}
	c.received(b)
	return nil
}

// store enters a header that keeps the rules.
func (c *Core) store(parent *block, l link, h *SealedHeader) *block {
	before := c.index.header
	b := c.index.add(parent, l)
	c.out.Headers = append(c.out.Headers, *h)
	if c.index.header != before {
		c.polled = c.ticks
	}
	return b
}

// received records that nothing of b is missing.
func (c *Core) received(b *block) {
	c.forget(b)
	c.index.complete(b, c.now, c.initial, &c.rules.cfg)
}

// condemn marks a block invalid.
func (c *Core) condemn(b *block) {
	if c.index.condemn(b) {
		c.out.Invalid = append(c.out.Invalid, b.hash)
	}
	for b := range c.items {
		if b.invalid {
			c.forget(b)
		}
	}
}

// settle ends the initial sync once a peer has no more headers and the ledger stands on the
// best block, with all the work that the network is known to have.
func (c *Core) settle() {
	done := c.applied.work.Cmp(c.index.header.work) >= 0 && c.applied.work.Cmp(c.rules.cfg.MinWork) >= 0
	if c.initial && done && c.anyAnswered() {
		c.initial = false
	}
}
