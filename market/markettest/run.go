package markettest

import (
	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
)

// run executes a job on a slot: half of the time it executes, then it proves.
func (o *Operator) run(e market.Run) {
	o.ticket++
	turn := int(o.ticket)
	o.runs[e.Job] = turn
	still := func(do func()) func() {
		return func() {
			if o.runs[e.Job] == turn {
				do()
			}
		}
	}
	took := o.Cost
	if s, _ := o.seller.Sale(e.Job); o.cheats[Slow] {
		took = s.AgreedEscrow().Due + 30_000 - o.clock()
	}
	if o.cheats[Silent] {
		return
	}
	o.later(took/2, still(func() { o.step(market.RunProgressed{Job: e.Job, Stage: "execute", Done: 1, Total: 1}) }))
	if e.Prove {
		o.later(took/2+1, still(func() { o.step(market.RunProgressed{Job: e.Job, Stage: "commit", Done: 1, Total: 2}) }))
	}
	o.later(took, still(func() {
		delete(o.runs, e.Job)
		o.step(o.result(e, took))
	}))
}

// result is what comes of a run.
func (o *Operator) result(e market.Run, took uint64) market.RunEnded {
	if o.Fails != market.CodeOK {
		return market.RunEnded{Job: e.Job, Code: o.Fails}
	}
	if o.cheats[LosesItsDevice] {
		return market.RunEnded{Job: e.Job, Code: market.CodeDevice, Text: "the device is gone"}
	}
	s, _ := o.seller.Sale(e.Job)
	output, satisfied := o.w.programAt(s.Terms.Program).run(o.blobs[s.Terms.Payload])
	if !satisfied || o.cheats[FalseWitness] {
		return market.RunEnded{Job: e.Job, Code: market.CodeWitness, Text: "constraint 0 does not hold"}
	}
	if o.cheats[WrongOutput] {
		output = []byte("wrong output of " + o.name)
	}
	r := market.RunEnded{Job: e.Job, Output: o.put(output), Took: took, Memory: 1}
	if e.Prove {
		r.Proof = o.put(o.prove(&s, output))
	}
	return r
}

func (o *Operator) prove(s *market.Sale, output []byte) []byte {
	escrow := s.AgreedEscrow()
	claim := claimOf(o.w.ledger.net.Ledger.Chain, escrow, escrow.Operator, o.blobs[s.Terms.Input], output)
	switch {
	case o.cheats[WrongOutput]:
		return []byte("no proof")
	case o.cheats[StolenProof]:
		claim.Payee = chain.LockHash(chain.Key{})
	case o.cheats[ReplayedProof]:
		claim.Job = chain.Hash{}
	}
	return proofOf(&claim)
}

// deliver signs and sends what a client has waited for.
func (o *Operator) deliver(e market.Deliver) {
	d := e.Delivery
	if e.Signed && d.Revealed && !o.noteDelivery(e) {
		return
	}
	if e.Signed {
		h := e.Result.Digest(o.w.ledger.net.Ledger.Chain)
		d.Result, d.Signature = e.Result.Encode(), o.wallet.Sign(h)
		if o.cheats[Unsigned] {
			d.Signature[0]++
		}
	}
	if e.Signed && d.Revealed {
		d.Output = o.blobs[e.Output]
		if e.Proof != (chain.Hash{}) {
			d.Proof = o.blobs[e.Proof]
		}
		if o.cheats[CopiesOutput] {
			d.Output = append([]byte("copy of "), d.Output...)
		}
	}
	o.answer(e.Ticket, d.Encode())
}
