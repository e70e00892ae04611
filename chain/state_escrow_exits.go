package chain

func (e *JobEscrow) spend(s *spending) *RuleError {
	switch s.exit() {
	case EscrowAccept:
		return e.accept(s)
	case EscrowProve:
		return e.prove(s, 0, e.Due, e.Price)
	case EscrowLate:
		return e.prove(s, e.Due+1, e.Late, e.Price/2)
	case EscrowRelease:
		return e.release(s)
	case EscrowMissed:
		return e.missed(s)
	case EscrowClaim:
		return e.claim(s)
	case EscrowInvalid:
		return e.invalid(s)
	}
	return noExit(s.exit())
}

func (e *JobEscrow) accept(s *spending) *RuleError {
	if err := s.unlockPlain(e.Client); err != nil {
		return err
	}
	used, err := e.fee(s)
	s.demand(e.paid(e.Price, used))
	return err
}

// prove pays the operator, from first to last, on a proof.
func (e *JobEscrow) prove(s *spending, first, last, price uint64) *RuleError {
	if err := s.open(first, last); err != nil {
		return err
	}
	if err := s.unlockPlain(e.Operator); err != nil {
		return err
	}
	output, err := s.prove(e.Kind, e.Key, e.statement())
	if err != nil {
		return err
	}
	used, err := e.fee(s)
	s.demand(append(e.paid(price, used), e.receipt(output, price)))
	return err
}

func (e *JobEscrow) release(s *spending) *RuleError {
	if err := s.open(0, e.Late); err != nil {
		return err
	}
	points := s.v.Params.ReleaseLate
	if s.env.Now < e.Start+(e.Due-e.Start)/2 {
		points = s.v.Params.ReleaseEarly
	}
	share := fraction(e.Bond, points)
	p := e.refund(share)
	p.pay(e.Operator, e.Token, e.Bond-share)
	s.demand(p)
	return s.unlockPlain(e.Operator)
}

func (e *JobEscrow) missed(s *spending) *RuleError {
	if s.env.Now <= e.Late {
		return broken(CodeExitTime, "opens after %d, it is %d", e.Late, s.env.Now)
	}
	share := fraction(e.Bond, s.v.Params.Missed)
	p := e.refund(share)
	p.pay(Burn(), e.Token, e.Bond-share)
	s.demand(p)
	return s.unlockPlain(e.Client)
}

func (e *JobEscrow) claim(s *spending) *RuleError {
	if e.Level != LevelOptimistic {
		return broken(CodeExit, "the job is not optimistic")
	}
	if err := s.open(0, e.Due); err != nil {
		return err
	}
	if err := s.unlockPlain(e.Operator); err != nil {
		return err
	}
	_, output, err := s.inputAndOutput(e.Input)
	if err != nil {
		return err
	}
	held, final, err := e.hold(s, s.v.Params.ClaimWindow)
	if err != nil {
		return err
	}
	next := OptClaim{Escrow: held, Output: output.SHA256, Final: final}
	s.demand(held.under(StateClaim, next.encode()))
	return nil
}

func (e *JobEscrow) invalid(s *spending) *RuleError {
	if e.Kind != JobProve {
		return broken(CodeExit, "the job is not of kind prove")
	}
	if err := s.open(0, e.Due); err != nil {
		return err
	}
	if err := s.unlockPlain(e.Operator); err != nil {
		return err
	}
	held, final, err := e.hold(s, s.v.Params.InvalidWindow)
	if err != nil {
		return err
	}
	next := InvalidClaim{Escrow: held, Final: final}
	s.demand(held.under(StateInvalid, next.encode()))
	return nil
}

// hold takes the instant of finality and a fee, and returns the escrow without that fee.
func (e *JobEscrow) hold(s *spending, window uint64) (JobEscrow, uint64, *RuleError) {
	final, err := s.instant(window)
	if err != nil {
		return JobEscrow{}, 0, err
	}
	used, err := e.fee(s)
	held := *e
	held.FeeReserve -= used
	return held, final, err
}

// under demands the whole escrow as the value of another state.
func (e *JobEscrow) under(t StateType, data []byte) payouts {
	var p payouts
	total, _ := e.Total()
	p.state(t, Tokens(e.Token, total), data)
	return p
}

// fee takes how much of the reserve the transaction spends.
func (e *JobEscrow) fee(s *spending) (uint64, *RuleError) {
	used, err := s.choice()
	if err != nil {
		return 0, err
	}
	if used > e.FeeReserve {
		return 0, broken(CodeExit, "%d of a fee reserve of %d", used, e.FeeReserve)
	}
	return used, s.draw(e.Token, used)
}

// statement is what a proof of the job shows when it pays the operator.
func (e *JobEscrow) statement() statement {
	return statement{e.Job, e.Model, e.Input, LockHash(e.Operator)}
}

// paid demands what a done job pays: price is at most the escrow's, the rest goes back.
func (e *JobEscrow) paid(price, used uint64) payouts {
	var p payouts
	p.pay(e.Operator, e.Token, price+e.Bond)
	p.pay(e.Royalty.Lock, e.Token, e.Royalty.Amount)
	p.pay(e.Client, e.Token, e.Price-price+e.FeeReserve-used)
	return p
}

// refund demands all of the client's money back, and a share of the bond.
func (e *JobEscrow) refund(share uint64) payouts {
	var p payouts
	p.pay(e.Client, e.Token, e.Price+e.Royalty.Amount+e.FeeReserve+share)
	return p
}

// slashed demands the refund, the challenger's share, and the rest burned.
func (e *JobEscrow) slashed(challenger Lock, params *Params) payouts {
	client, prover := fraction(e.Bond, params.FraudClient), fraction(e.Bond, params.FraudProver)
	p := e.refund(client)
	p.pay(challenger, e.Token, prover)
	p.pay(Burn(), e.Token, e.Bond-client-prover)
	return p
}

// receipt is the client's, without value.
func (e *JobEscrow) receipt(output Hash, price uint64) Output {
	r := Receipt{
		Job: e.Job, Kind: e.Kind, Level: e.Level, Model: e.Model, Input: e.Input, Output: output,
		Operator: LockHash(e.Operator), Paid: Coin{e.Token, price},
	}
	return Output{Lock: e.Client, Body: r.State()}
}
