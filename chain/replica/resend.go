package replica

import (
	"bytes"

	"github.com/weisyn/wes/chain"
)

// Ticks from a submission to its next copy: each wait is twice the one before. A new peer is told
// soon: whoever was alone, or cut off from the miners, reaches them when it is back. Each copy has
// another edition, since gossip drops what it has seen.
const (
	firstResend = 8
	lastResend  = 512
	joinResend  = 2
	maxResends  = 64 // in one tick
)

// submitted is a transaction of this node's user that waits for its block.
type submitted struct {
	id      chain.Hash
	due     uint64 // tick of its next copy
	wait    uint64 // ticks from that one to the one after it
	edition uint8
}

// remember has the transactions of a user sent again until a block has them.
func (r *Replica) remember(id chain.Hash) {
	r.submitted = append(r.submitted, submitted{id: id, due: r.ticks + firstResend, wait: 2 * firstResend, edition: again + 1})
}

// resend sends what is due, oldest first, and forgets what has left the mempool.
func (r *Replica) resend() {
	sent := 0
	waiting := r.submitted[:0]
	for _, s := range r.submitted {
		e := r.pool.Get(s.id)
		if e == nil {
			continue
		}
		if s.due <= r.ticks && sent < maxResends {
			sent++
			r.emit(Gossip{s.edition, Relayed{e.Tx, e.Witness}})
			s.due, s.wait, s.edition = r.ticks+s.wait, min(2*s.wait, lastResend), max(s.edition+1, again+1)
		}
		waiting = append(waiting, s)
	}
	r.submitted = waiting
}

// hasten has the next copies sent soon, since there is a new peer.
func (r *Replica) hasten() {
	for i := range r.submitted {
		s := &r.submitted[i]
		s.due = min(s.due, r.ticks+joinResend)
	}
}

// passTime is the least time between two copies of one transaction that are passed on, in ms: whoever
// sends many makes them travel no further.
const passTime = 4000

// passes reports whether a copy of a transaction that waits here is passed on. Its submitter sends it
// again since no block has it: it may not have come further than here. Who gets it checks it, so it has
// to be what was checked here, with that witness.
func (r *Replica) passes(now uint64, x *Relayed) bool {
	id := x.Tx.ID()
	e := r.pool.Get(id)
	if e == nil || now < max(e.Added, r.passed[id])+passTime || !bytes.Equal(e.Witness.Encode(), x.Witness.Encode()) {
		return false
	}
	r.passed[id] = now
	return true
}
