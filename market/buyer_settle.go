package market

import (
	"github.com/weisyn/wes/chain"
)

// viewed takes what the ledger shows, and does what follows.
func (b *Buyer) viewed(now uint64, p *Purchase, v View) {
	switch p.phase() {
	case asking, contracting:
		return
	}
	if p.inChannel() {
		p.View = View{Now: v.Now, Height: v.Height}
		b.pushChannel(now, p)
		return
	}
	before := p.Settlement
	claimed := v.claimOpen() && !p.View.claimOpen()
	p.View = v
	s, c := v.settled()
	p.Settlement = s
	if c != CodeOK && !p.accuses() && (s != Escrowed || p.Code == CodeOK) {
		p.Code = c
	}
	if s != before || claimed {
		b.out.save(p.ID)
	}
	if v.Escrow != Nowhere {
		p.Lapsed = 0
	}
	if claimed {
		b.audit(p)
	}
	b.push(now, p)
}

// audit looks into a claim, unless it is what the client would have paid for.
func (b *Buyer) audit(p *Purchase) {
	p.AuditAt = 0
	v := &p.View
	if !v.claimOpen() || p.phase() == accepting && b.payable(p) && v.Claim[0].Output == p.Output {
		return
	}
	b.out.emit(Audit{p.ID, v.Claim[0].Output})
}

// push submits what is due, and ends what is over.
func (b *Buyer) push(now uint64, p *Purchase) {
	v := &p.View
	switch {
	case p.inChannel():
		b.pushChannel(now, p)
	case v.over(b.cfg.Final):
		b.conclude(now, p)
	case p.AuditAt != 0 && now >= p.AuditAt:
		b.audit(p)
		b.out.save(p.ID)
	case v.Left != Nowhere: // it is on its way
	case v.Escrow == Nowhere && v.Now > p.Until:
		b.lapse(now, p)
	case v.Escrow == Nowhere:
		if now >= saturated(p.Funded, b.cfg.Retry) {
			b.fund(now, p)
		}
	case p.phase() == accepting && b.payable(p):
		b.exit(now, p, ExitAccept)
	case v.open() && v.Now > p.escrow().Late:
		b.exit(now, p, ExitMissed)
	}
}

// lapse ends a contract whose funding transaction cannot enter the ledger any more, also after a
// reorganisation. A job that has come to nothing by it is offered again while there is time.
func (b *Buyer) lapse(now uint64, p *Purchase) {
	if p.Lapsed == 0 {
		p.Lapsed = p.View.Height
		b.out.save(p.ID)
	}
	if p.View.Height >= saturated(p.Lapsed, b.cfg.Final) {
		b.out.emit(StopCollecting{p.ID})
		if p.Delivered > 0 || saturated(now, b.cfg.Window) >= p.Deadline {
			b.end(p, CodeNotFunded, p.Text)
			return
		}
		p.Operator, p.Agreed, p.Escrow, p.Bids = nil, nil, nil, nil
		p.At, p.Until, p.Funded, p.Started, p.Lapsed = Ref{}, 0, 0, 0, 0
		p.Assignment, p.Execution, p.Code, p.Text = Announced, Idle, CodeNotFunded, ""
		b.begin(now, p)
		b.out.save(p.ID)
	}
}

// exit submits a transaction, and again after a while as long as it is not to be seen.
func (b *Buyer) exit(now uint64, p *Purchase, x Exit) {
	if p.Exiting == x && p.ExitedAt != 0 && now < saturated(p.ExitedAt, b.cfg.Retry) {
		return
	}
	p.Exiting, p.ExitedAt = x, now
	b.out.emit(Settle{p.ID, x})
	b.out.save(p.ID)
}

// conclude closes a job whose money has left for good.
func (b *Buyer) conclude(now uint64, p *Purchase) {
	s, c := p.View.settled()
	p.Settlement = s
	if !p.Reliability {
		p.Reliability = true
		b.note(now, p, p.Operator[0].Operator, func(st *Standing) {
			if s == Paid && c != CodeLate {
				st.Done++
			} else if c != CodeWitness {
				st.Broken++
			}
		})
	}
	b.out.emit(StopCollecting{p.ID})
	text := p.Text
	if p.accuses() {
		c = p.Code
	}
	b.end(p, c, text)
}

// escrow returns the escrow of an assigned job.
func (p *Purchase) escrow() *chain.JobEscrow {
	s, err := chain.DecodeState(&chain.State{Type: chain.StateEscrow, Data: p.Escrow})
	if err != nil {
		panic("BUG: escrow of our own making does not decode: " + err.Error())
	}
	return s.(*chain.JobEscrow)
}

// AgreedEscrow returns the escrow of a job that was awarded; nil before.
func (p *Purchase) AgreedEscrow() *chain.JobEscrow {
	if len(p.Escrow) == 0 {
		return nil
	}
	return p.escrow()
}

func (b *Buyer) submitted(now uint64, p *Purchase, e Submitted) {
	b.refuting(now, p, e.Exit)
	if e.Exit == ExitRefute || e.Exit != ExitNone && e.Exit == p.Exiting {
		p.ExitTx = e.Tx
		b.out.save(p.ID)
	}
}

// refuting has a claim audited again if its refutation is not to be seen in a while.
func (b *Buyer) refuting(now uint64, p *Purchase, x Exit) {
	if x == ExitRefute && p.View.claimOpen() {
		p.AuditAt = saturated(now, b.cfg.Retry)
		b.out.save(p.ID)
	}
}

// submitFailed keeps the text; what still matters is tried again in a while.
func (b *Buyer) submitFailed(now uint64, p *Purchase, e SubmitFailed) {
	p.Text = clip(e.Text)
	b.refuting(now, p, e.Exit)
	b.out.save(p.ID)
}

// retryAt is when push may have to be called without news of the ledger; 0: never.
func (b *Buyer) retryAt(p *Purchase) uint64 {
	v := &p.View
	switch {
	case p.inChannel():
		return b.giveUpAt(p)
	case v.Left != Nowhere:
		return p.AuditAt
	case v.Escrow == Nowhere && v.Now > p.Until:
		return 0 // blocks count
	case v.Escrow == Nowhere:
		return saturated(p.Funded, b.cfg.Retry)
	case p.phase() == accepting && b.payable(p), v.open() && v.Now > p.escrow().Late:
		return saturated(p.ExitedAt, b.cfg.Retry)
	}
	return 0
}

func (b *Buyer) tick(now uint64, p *Purchase) {
	switch p.phase() {
	case asking:
		if now >= p.Closes {
			b.close(now, p)
		}
	case contracting:
		if now >= p.Within {
			b.unassign(p)
			b.jilted(now, p, Refusal{Code: CodeUnreachable, Text: "no countersignature in time"})
		}
	case working, accepting, disputing:
		b.push(now, p)
	}
}
