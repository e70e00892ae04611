package consensus

import "github.com/weisyn/wes/chain"

// Template is what a miner builds on: the tip that the fork choice has chosen. The caller fills
// in the roots, the hash of the unspent outputs and its key. It takes a new one at least once a
// second while it tries nonces: a sibling whose time is not fresh does not win.
type Template struct {
	Chain  chain.Hash
	Parent chain.Hash
	Height uint64
	Time   uint64 // of the block: now, or the earliest time that its parent allows
	Bits   uint32
	Now    uint64 // timestamp of the parent: what rules of time compare with
}

// Template returns the template at the local time now. It fails with ErrBusy.
func (c *Core) Template(now uint64) (Template, error) {
	if c.applied != c.index.best {
		return Template{}, ErrBusy
	}
	l := &c.applied.link
	return Template{
		Chain:  c.rules.chain,
		Parent: l.hash,
		Height: l.height + 1,
		Time:   max(now, c.rules.earliest(l)),
		Bits:   c.rules.nextBits(l),
		Now:    l.time,
	}, nil
}

// Header returns the header of the template without roots, nonce and miner.
func (t *Template) Header() chain.Header {
	return chain.Header{Chain: t.Chain, Parent: t.Parent, Height: t.Height, Time: t.Time, Bits: t.Bits}
}

// Due reports whether a miner of this profile makes a block at the local time now; pending
// says whether there are transactions for it. A public network always mines. A consortium
// mines transactions at its spacing, and an empty block as a heartbeat. A dev network mines on
// demand.
func (c *Core) Due(now uint64, pending bool) bool {
	tip := &c.applied.link
	switch c.rules.cfg.Profile {
	case Consortium:
		return now >= tip.time+c.rules.cfg.Heartbeat || pending && now >= tip.time+c.rules.cfg.Spacing
	case Dev:
		return pending && now >= c.rules.earliest(tip)
	}
	return now >= c.rules.earliest(tip)
}
