package consensus

import "github.com/weisyn/wes/chain"

// Status is a summary for operators.
type Status struct {
	Tip     chain.Hash // on which the ledger stands
	Height  uint64
	Time    uint64 // of the tip, ms since 1970
	Work    Work   // of the branch of the tip
	Headers uint64 // height of the header of most work
	Initial bool   // in the initial sync
	Wanted  int    // blocks of which something is wanted
	Held    int    // peers whose headers have times that have not come: if many, our clock is slow
}

// Status returns the summary.
func (c *Core) Status() Status {
	return Status{
		Tip:     c.applied.hash,
		Height:  c.applied.height,
		Time:    c.applied.time,
		Work:    c.applied.work,
		Headers: c.index.header.height,
		Initial: c.initial,
		Wanted:  len(c.items),
		Held:    c.heldPeers(),
	}
}

// Above returns the work of the blocks that follow h on the branch of the tip: what undoing
// them costs an attacker. It returns false if h is not on that branch.
func (c *Core) Above(h chain.Hash) (Work, bool) {
	b := c.index.blocks[h]
	if b == nil || !b.on(c.applied) {
		return Work{}, false
	}
	return c.applied.work.sub(b.work), true
}
