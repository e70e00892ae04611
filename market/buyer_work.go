package market

import (
	"cmp"
	"crypto/ed25519"
	"slices"

	"github.com/weisyn/wes/chain"
)

// contracted releases the funding transaction: from here on the ledger decides what becomes of the
// money.
func (b *Buyer) contracted(now uint64, p *Purchase, e Contracted) {
	if p.phase() != contracting || e.Attempt != p.Attempt {
		b.out.emit(Abandon{Job: e.Job, Attempt: e.Attempt})
		return
	}
	p.enter(working)
	p.At, p.Until, p.Started = e.At, e.Until, now
	p.Assignment, p.Execution, p.Settlement = Assigned, Queued, Unfunded
	p.Code, p.Text = CodeOK, ""
	if p.inChannel() {
		p.Settlement = InChannel
	} else {
		b.fund(now, p)
	}
	b.collect(p)
	b.out.save(p.ID)
}

// contractFailed tries the next best bid.
func (b *Buyer) contractFailed(now uint64, p *Purchase, e ContractFailed) {
	if p.phase() != contracting || e.Attempt != p.Attempt {
		return
	}
	b.unassign(p)
	switch {
	case e.Own:
		p.Operator, p.Agreed = nil, nil
		b.end(p, e.Refusal.Code, e.Refusal.Text)
		return
	case p.inChannel() && e.Refusal.Code == CodePayment:
		b.byEscrow(now, p)
		return
	}
	b.jilted(now, p, e.Refusal)
}

// jilted notes that an operator did not stand by its bid, and goes on without it.
func (b *Buyer) jilted(now uint64, p *Purchase, r Refusal) {
	from := p.Operator[0]
	p.decline(from, r)
	if p.blames(from, r.Code) {
		b.note(now, p, from.Operator, func(s *Standing) { s.Broken++ })
	}
	p.Operator, p.Agreed, p.Escrow, p.Channel = nil, nil, nil, chain.Hash{}
	b.award(now, p)
}

// blames reports whether a refusal of the award breaks a promise. A posted price is none: other jobs may
// have come since the advert.
func (p *Purchase) blames(from Contact, c Code) bool {
	switch c {
	case CodeBadInput, CodePayment: // the client's own fault
		return false
	case CodePrice, CodeBusy, CodeCapped, CodeInfeasible, CodeDraining, CodeUnknownProgram:
		return !slices.ContainsFunc(p.Bids, func(r Received) bool { return r.Posted && r.From.Operator == from.Operator })
	}
	return true
}

// unassign gives back what a contract has reserved.
func (b *Buyer) unassign(p *Purchase) { b.out.emit(Abandon{p.ID, p.Attempt, p.Channel}) }

func (b *Buyer) note(now uint64, _ *Purchase, k chain.PublicKey, change func(*Standing)) {
	b.history.note(now, k, change)
	b.out.save(historyID())
}

// collect asks for the result. Of replicas only the hash is asked for, until all have given one.
func (b *Buyer) collect(p *Purchase) {
	reveal := !b.replicated(p) || b.sealed(p)
	b.revealed[p.ID] = reveal
	b.out.emit(CollectFrom{Job: p.ID, To: p.Operator[0], Reveal: reveal})
}

func (b *Buyer) progressed(now uint64, p *Purchase, e Progressed) {
	if p.phase() != working {
		return
	}
	b.live[p.ID] = &e
	if e.Execution == p.Execution && e.Code == p.Code {
		b.out.touch(p.ID)
		return
	}
	if e.Execution == Done { // is said by a result only
		return
	}
	p.Execution = e.Execution
	if e.Execution == Failed {
		p.Code = e.Code
	}
	b.out.save(p.ID)
	if e.Execution == Failed && p.inChannel() {
		b.lost(now, p, cmp.Or(e.Code, CodeExecution))
	}
}

// delivered takes a result that its operator has signed for this job.
func (b *Buyer) delivered(now uint64, p *Purchase, e Delivered) {
	if p.phase() != working || e.Revealed == p.Revealed && len(p.Result) > 0 {
		return
	}
	r, ok := p.signed(e, b.cfg.Chain)
	if !ok || len(p.Result) > 0 && string(p.Result) != string(e.Result) || e.Revealed && r.Output != e.Output {
		b.dispute(now, p, CodeBadResult, "the result is not signed, or is of another job or output")
		return
	}
	p.Result, p.Signature, p.Revealed, p.Delivered = e.Result, e.Signature, e.Revealed, now
	b.out.save(p.ID)
	if !e.Revealed {
		return
	}
	p.Output, p.Proof, p.Execution = e.Output, e.Proof, Done
	b.out.emit(StopCollecting{p.ID})
	p.enter(verifying)
	b.out.emit(Verify{p.ID})
}

// signed decodes the result of this job and checks its signature.
func (p *Purchase) signed(e Delivered, id chain.Hash) (chain.Result, bool) {
	r, err := chain.DecodeResult(e.Result)
	if err != nil || len(p.Agreed) == 0 {
		return r, false
	}
	t := &p.Terms
	d := r.Digest(id)
	key := p.Agreed[0].Operator
	return r, r.Kind == t.Kind && r.Key == t.Key && r.Job == p.ID && r.Model == t.Model && r.Input == t.Input &&
		ed25519.Verify(key[:], d[:], e.Signature)
}

// verified pays for a good result; a bad one is nobody's money but the ledger's.
func (b *Buyer) verified(now uint64, p *Purchase, e Verified) {
	if p.phase() != verifying {
		return
	}
	if !e.OK {
		b.dispute(now, p, CodeBadProof, e.Text)
		return
	}
	p.Checked = true
	p.enter(accepting)
	b.out.save(p.ID)
	if !b.replicated(p) {
		b.reward(now, p)
	}
}

// reward has the operator paid.
func (b *Buyer) reward(now uint64, p *Purchase) {
	if !p.Reliability {
		p.Reliability = true
		b.note(now, p, p.Operator[0].Operator, func(s *Standing) { s.Done++ })
	}
	if p.inChannel() {
		b.pay(p)
		return
	}
	b.push(now, p)
}

// dispute waits for what the ledger makes of a job whose operator lied. A channel does not pay for it.
func (b *Buyer) dispute(now uint64, p *Purchase, c Code, text string) {
	p.enter(disputing)
	p.Code, p.Text, p.Execution = c, clip(text), Failed
	b.note(now, p, p.Operator[0].Operator, func(s *Standing) { s.Broken, s.Lied = s.Broken+1, now })
	p.Reliability = true
	b.out.emit(StopCollecting{p.ID})
	b.out.save(p.ID)
	if p.inChannel() {
		b.unpaid(p, c, text)
		return
	}
	b.push(now, p)
}

// cancel ends a job that nobody has yet.
func (b *Buyer) cancel(p *Purchase) {
	switch p.phase() {
	case contracting:
		b.unassign(p)
		p.Operator, p.Agreed = nil, nil
		b.end(p, CodeCanceled, "")
	case asking:
		b.end(p, CodeCanceled, "")
	}
}

// resume asks again for what a stopped process was doing.
func (b *Buyer) resume(now uint64, p *Purchase) {
	b.audit(p) // it has no answer
	switch p.phase() {
	case asking:
		p.Sought = saturated(now, b.cfg.Search) // this process knows nobody yet
		b.open(now, p, p.Round)
	case contracting: // whether the operator had signed is not known, but nobody has the transaction
		p.Sought = saturated(now, b.cfg.Search)
		b.unassign(p)
		p.Operator, p.Agreed = nil, nil
		b.award(now, p)
	case working:
		if p.View.Escrow == Nowhere && !p.inChannel() {
			b.fund(now, p)
		}
		b.collect(p)
	case verifying:
		b.out.emit(Verify{p.ID})
	case accepting, disputing:
		p.ExitedAt = 0
		if p.inChannel() {
			b.pay(p)
		}
		b.push(now, p)
	}
}

func (b *Buyer) fund(now uint64, p *Purchase) {
	p.Funded = now
	b.out.emit(Fund{p.ID, p.Operator[0]})
	b.out.save(p.ID)
}
