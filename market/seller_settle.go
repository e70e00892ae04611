package market

import "github.com/weisyn/wes/chain"

// viewed takes what the ledger shows of a job.
func (s *Seller) viewed(now uint64, x *Sale, v View) {
	if x.inChannel() {
		x.View = View{Now: v.Now, Height: v.Height}
		return
	}
	deliverable := s.deliverable(x)
	settled := x.Settlement
	x.View = v
	x.Settlement, _ = v.settled()
	if x.Settlement != settled {
		s.out.save(x.ID)
	}
	if s.deliverable(x) != deliverable {
		x.Version++
		s.out.touch(x.ID)
	}
	if v.Escrow != Nowhere {
		x.Lapsed = 0
		s.begin(now, x)
	}
}

// begin queues a job whose escrow is to be seen.
func (s *Seller) begin(now uint64, x *Sale) {
	if x.phase() != awaiting {
		return
	}
	if x.Idle {
		x.Idle = false
		s.capacity.Restore(now, x.ID, &x.Terms, x.escrow().Due)
	}
	if x.phase() == awaiting {
		x.enter(queued, Queued)
		s.capacity.Ready(now, x.ID)
	}
	s.out.save(x.ID)
}

// push submits what is due, and ends what is over.
func (s *Seller) push(now uint64, x *Sale) {
	v := &x.View
	switch {
	case x.phase() == signing:
	case x.inChannel():
		s.pushChannel(now, x)
	case v.over(s.cfg.Final):
		_, c := v.settled()
		if x.phase() == running {
			s.out.emit(Halt{x.ID})
		}
		s.end(now, x, c)
	case v.Left == InBlock && v.claimOpen():
		if v.Now >= v.Claim[0].Final {
			s.exit(now, x, ExitFinal)
		}
	case v.Left != Nowhere:
	case v.Escrow == Nowhere:
		s.pushFunding(now, x)
	case x.phase() == failing && v.Now <= x.escrow().Late:
		s.exit(now, x, s.surrender(x))
	case x.phase() == ready && v.Escrow == InBlock:
		s.pushResult(now, x)
	}
}

// pushFunding submits the funding transaction again, as long as its window is open. By the local
// clock no more than capacity is given back: a ledger that stands still may have the escrow.
func (s *Seller) pushFunding(now uint64, x *Sale) {
	if x.phase() == awaiting && !x.Idle && max(x.View.Now, now-min(now, clockSkew)) > x.Until {
		x.Idle = true
		s.capacity.Release(now, x.ID)
		s.out.save(x.ID)
	}
	if x.View.Now > x.Until {
		s.lapse(now, x)
		return
	}
	if !x.At.IsZero() && now >= saturated(x.Funding, s.cfg.Retry) {
		x.Funding = now
		s.out.save(x.ID)
		s.out.emit(Propagate{x.ID})
	}
}

// lapse ends a job whose funding transaction cannot enter the ledger any more, also after a
// reorganisation.
func (s *Seller) lapse(now uint64, x *Sale) {
	if x.Lapsed == 0 {
		x.Lapsed = x.View.Height
		s.out.save(x.ID)
	}
	if x.View.Height < saturated(x.Lapsed, s.cfg.Final) {
		return
	}
	if x.phase() == running {
		s.out.emit(Halt{x.ID})
	}
	s.out.emit(Disengage{Job: x.ID})
	s.drop(now, x, CodeNotFunded, "")
}

// surrender is how a job without a result ends.
func (s *Seller) surrender(x *Sale) Exit {
	if x.Code == CodeWitness && x.Terms.Kind == chain.JobProve && x.View.Now <= x.escrow().Due {
		return ExitInvalid
	}
	return ExitRelease
}

// pushResult settles on the ledger what the client does not accept in time.
func (s *Seller) pushResult(now uint64, x *Sale) {
	e := x.escrow()
	if x.Offered == 0 && s.deliverable(x) {
		x.Offered = now
		s.out.save(x.ID)
	}
	waited := x.Offered != 0 && !x.Sealed && now >= saturated(max(x.Delivered, x.Offered), s.cfg.AcceptWait)
	urgent := saturated(max(x.View.Now, now), s.cfg.Margin) >= e.Due
	switch {
	case !waited && !urgent:
	case x.Terms.Level == chain.LevelOptimistic:
		if x.View.Now <= e.Due {
			s.exit(now, x, ExitClaim)
		} else if x.View.Now <= e.Late {
			s.exit(now, x, ExitRelease) // too late to claim
		}
	case x.View.Now <= e.Due:
		s.exit(now, x, ExitProve)
	case x.View.Now <= e.Late:
		s.exit(now, x, ExitLate)
	}
}

// exit submits a transaction, and again after a while as long as it is not to be seen.
func (s *Seller) exit(now uint64, x *Sale, exit Exit) {
	if x.Exiting == exit && x.ExitedAt != 0 && now < saturated(x.ExitedAt, s.cfg.Retry) {
		return
	}
	x.Exiting, x.ExitedAt = exit, now
	s.out.save(x.ID)
	s.out.emit(Settle{x.ID, exit})
}

func (s *Seller) submitted(x *Sale, e Submitted) {
	if e.Exit != ExitNone && e.Exit == x.Exiting {
		x.ExitTx = e.Tx
		s.out.save(x.ID)
	}
}

// resume goes on with a job after a restart.
func (s *Seller) resume(now uint64, x *Sale) {
	x.ExitedAt = 0
	switch x.phase() {
	case signing: // the client has got no signature
		s.out.emit(Disengage{x.ID, x.Channel})
		s.drop(now, x, CodeNotFunded, "the process ended while the escrow was made")
	case awaiting:
		if !x.Idle {
			s.capacity.Restore(now, x.ID, &x.Terms, x.escrow().Due)
		}
		x.Funding = 0
	case queued, running:
		if x.phase() == running {
			x.Attempts-- // the same one goes on
		}
		s.capacity.Restore(now, x.ID, &x.Terms, x.escrow().Due)
		x.enter(queued, Queued)
		s.capacity.Ready(now, x.ID)
		s.out.save(x.ID)
	}
}

// retryAt is when push may have to be called without news of the ledger; 0: never.
func (s *Seller) retryAt(x *Sale) uint64 {
	v := &x.View
	switch {
	case x.Ended(), x.phase() == signing:
		return 0
	case x.inChannel():
		return s.forgoAt(x)
	case v.claimOpen():
		if v.Now < v.Claim[0].Final {
			return 0
		}
		return saturated(x.ExitedAt, s.cfg.Retry)
	case v.Left != Nowhere:
		return 0
	case v.Escrow == Nowhere:
		return s.fundingAt(x)
	case x.phase() == failing && v.Now <= x.escrow().Late:
		return saturated(x.ExitedAt, s.cfg.Retry)
	case x.phase() == ready && v.Escrow == InBlock && v.Now <= x.escrow().Late:
		e := x.escrow()
		wait := e.Due - min(e.Due, s.cfg.Margin)
		if x.Offered != 0 && !x.Sealed {
			wait = min(wait, saturated(max(x.Delivered, x.Offered), s.cfg.AcceptWait))
		}
		return max(wait, saturated(x.ExitedAt, s.cfg.Retry))
	}
	return 0
}

// fundingAt is when pushFunding may have to be called.
func (s *Seller) fundingAt(x *Sale) uint64 {
	var next uint64
	if x.phase() == awaiting && !x.Idle {
		next = saturated(x.Until, clockSkew+1)
	}
	if !x.At.IsZero() && x.View.Now <= x.Until {
		next = earliest(next, saturated(x.Funding, s.cfg.Retry))
	}
	return next
}
