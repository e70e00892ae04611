package market

import "github.com/weisyn/wes/chain"

// Replicas are optimistic jobs with one client and input and distinct operators. Each operator signs
// the hash of its output before any output is asked for, so none can copy another's.

// replicas are the jobs of a group.
func (b *Buyer) replicas(p *Purchase) []*Purchase {
	var all []*Purchase
	for _, q := range b.jobs {
		if q.Group == p.Group {
			all = append(all, q)
		}
	}
	return all
}

func (b *Buyer) replicated(p *Purchase) bool {
	for _, q := range b.jobs {
		if q.Group == p.Group && q.ID != p.ID {
			return true
		}
	}
	return false
}

// waits reports whether a replica may still give a signed hash.
func (p *Purchase) waits() bool {
	switch p.phase() {
	case asking, contracting:
		return true
	case working:
		return len(p.Result) == 0 && p.Execution != Failed && p.View.Left != InBlock
	}
	return false
}

// sealed reports whether all replicas have given a signed hash, or never will.
func (b *Buyer) sealed(p *Purchase) bool {
	for _, q := range b.replicas(p) {
		if q.waits() {
			return false
		}
	}
	return true
}

// revealAll asks for the outputs once all hashes are signed.
func (b *Buyer) revealAll(p *Purchase) {
	if !b.sealed(p) {
		return
	}
	b.each(func(q *Purchase) {
		if q.Group == p.Group && q.phase() == working && len(q.Result) > 0 && !q.Revealed && !b.revealed[q.ID] {
			b.collect(q)
		}
	})
}

// signedOutput is the output that a replica's operator has signed.
func (p *Purchase) signedOutput() (chain.Hash, bool) {
	r, err := chain.DecodeResult(p.Result)
	return r.Output, err == nil
}

// majority returns the output that more than half of all replicas have signed.
func (b *Buyer) majority(p *Purchase) (chain.Hash, bool) {
	votes, n := map[chain.Hash]int{}, 0
	for _, q := range b.replicas(p) {
		n++
		if h, ok := q.signedOutput(); ok {
			votes[h]++
		}
	}
	for h, v := range votes {
		if 2*v > n {
			return h, true
		}
	}
	return chain.Hash{}, false
}

// payable reports whether the client accepts the job as it is.
func (b *Buyer) payable(p *Purchase) bool {
	if !b.replicated(p) {
		return true
	}
	h, ok := b.majority(p)
	return ok && p.Output == h
}

// compare rewards the replicas of the majority, once all that will come are here.
func (b *Buyer) compare(now uint64, p *Purchase) {
	b.each(func(q *Purchase) {
		if q.Group != p.Group || q.phase() != accepting {
			return
		}
		if b.payable(q) {
			b.reward(now, q)
			return
		}
		if !q.accuses() {
			q.Code = CodeDisagree
			b.out.save(q.ID)
		}
	})
}
