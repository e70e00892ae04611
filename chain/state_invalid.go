package chain

// InvalidClaim is a job of kind prove whose operator says that the witness does not satisfy
// the circuit. Any valid proof of the statement refutes it before Final. Its exits are those
// of an OptClaim; final pays the operator its bond and a share of the price.
type InvalidClaim struct {
	Escrow JobEscrow
	Final  uint64 // ms since 1970
}

var _ stateRules = (*InvalidClaim)(nil)

func (v *InvalidClaim) encode() []byte {
	return appendUint(appendBytes(appendStateFields(nil, 2), v.Escrow.encode()), v.Final)
}

func (d *decoder) invalidClaim() *InvalidClaim {
	d.stateFields(2)
	return &InvalidClaim{d.heldEscrow(), d.uint()}
}

// State returns the state to put in an output.
func (v *InvalidClaim) State() *State { return &State{StateInvalid, v.encode()} }

func (v *InvalidClaim) keys() []NamedKey { return v.Escrow.keys() }

func (v *InvalidClaim) check(p *Params) error { return v.Escrow.check(p) }

func (v *InvalidClaim) create(*creation) error { return errOnlyByExit }

func (v *InvalidClaim) spend(s *spending) *RuleError {
	switch s.exit() {
	case ClaimFinal:
		return v.final(s)
	case ClaimRefute:
		return v.refute(s)
	}
	return noExit(s.exit())
}

func (v *InvalidClaim) final(s *spending) *RuleError {
	e := &v.Escrow
	if err := s.open(v.Final, never); err != nil {
		return err
	}
	if err := s.unlockPlain(e.Operator); err != nil {
		return err
	}
	used, err := e.fee(s)
	pay := fraction(e.Price, s.v.Params.InvalidFee)
	var p payouts
	p.pay(e.Operator, e.Token, pay+e.Bond)
	p.pay(e.Client, e.Token, e.Price-pay+e.Royalty.Amount+e.FeeReserve-used)
	s.demand(p)
	return err
}

func (v *InvalidClaim) refute(s *spending) *RuleError {
	if s.env.Now >= v.Final {
		return broken(CodeExitTime, "final at %d, it is %d", v.Final, s.env.Now)
	}
	e := &v.Escrow
	challenger, err := s.challenger()
	if err != nil {
		return err
	}
	st := e.statement()
	st.payee = LockHash(challenger)
	if _, err := s.prove(e.Kind, e.Key, st); err != nil {
		return err
	}
	s.demand(e.slashed(challenger, &s.v.Params))
	return nil
}
