package consensus

import (
	"fmt"

	"github.com/weisyn/wes/chain"
)

// maxBatch bounds the blocks of a switch that undoes none.
const maxBatch = 32

// nextSwitch asks the caller to move the ledger towards the best block, if it is elsewhere.
func (c *Core) nextSwitch() {
	if c.moving != nil || c.applied == c.index.best {
		return
	}
	from := fork(c.applied, c.index.best)
	s := &Switch{}
	for _, b := range path(from, c.applied) {
		s.Undo = append([]chain.Hash{b.hash}, s.Undo...)
	}
	to := c.index.best
	if len(s.Undo) == 0 {
		to = to.ancestor(min(to.height, from.height+maxBatch))
	}
	for _, b := range path(from, to) {
		s.Apply = append(s.Apply, Application{b.hash, c.buried(b)})
	}
	c.moving, c.out.Switch = s, s
}

// buried reports whether b connects without its attachments.
func (c *Core) buried(b *block) bool {
	cfg, top := &c.rules.cfg, c.index.header
	return !cfg.Archive && top.height >= b.height && top.height-b.height >= cfg.AttachmentDepth &&
		top.work.Cmp(cfg.MinWork) >= 0 && b.on(top)
}

// switched takes the report of the caller on the switch under way.
func (c *Core) switched(m *Switched) error {
	tip, why, err := c.outcome(m)
	if err != nil {
		return err
	}
	c.moving = nil
	c.applied = tip
	switch {
	case m.Invalid != chain.Hash{}:
		c.condemn(why)
	case m.Unavailable != chain.Hash{}:
		c.index.lose(why)
		c.want(why, m.Missing)
	}
	c.settle()
	c.announce()
	return nil
}

// announce tells peers about a new tip, but not about every step of the initial sync.
func (c *Core) announce() {
	caughtUp := !c.initial || c.applied.work.Cmp(c.index.header.work) >= 0
	if caughtUp && c.applied == c.index.best && c.told != c.applied {
		c.told = c.applied
		tip := c.applied.hash
		c.out.Announce = &tip
	}
}

// outcome checks a report against the switch: the tip is an end of it, or between if nothing
// was undone, and a tip short of the goal has one block as its reason.
func (c *Core) outcome(m *Switched) (tip, why *block, err error) {
	if c.moving == nil {
		return nil, nil, ErrSwitch
	}
	s := c.moving
	tip = c.index.blocks[m.Tip]
	goal := s.goal()
	onWay := tip != nil && (tip == c.applied || m.Tip == goal || len(s.Undo) == 0 && s.applies(m.Tip))
	if !onWay || (m.Invalid != chain.Hash{}) && (m.Unavailable != chain.Hash{}) {
		return nil, nil, fmt.Errorf("%w: tip %v", ErrSwitch, m.Tip)
	}
	reason := m.Invalid
	if reason == (chain.Hash{}) {
		reason = m.Unavailable
	}
	if (m.Tip == goal) != (reason == chain.Hash{}) || m.Tip != goal && !s.applies(reason) {
		return nil, nil, fmt.Errorf("%w: tip %v for reason %v", ErrSwitch, m.Tip, reason)
	}
	why = c.index.blocks[reason]
	if why != nil && why.on(tip) {
		return nil, nil, fmt.Errorf("%w: stands on %v, which it could not apply", ErrSwitch, reason)
	}
	return tip, why, nil
}

// goal returns the block at the end of the switch.
func (s *Switch) goal() chain.Hash { return s.Apply[len(s.Apply)-1].Block }

func (s *Switch) applies(h chain.Hash) bool {
	for _, a := range s.Apply {
		if a.Block == h {
			return true
		}
	}
	return false
}
