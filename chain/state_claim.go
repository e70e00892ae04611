package chain

// OptClaim is an optimistic job whose operator has said its output. It pays unless a valid
// proof of another output is shown before Final.
type OptClaim struct {
	Escrow JobEscrow
	Output Hash   // SHA-256 of the claimed output
	Final  uint64 // ms since 1970
}

// Exits of a claim, optimistic or of an invalid witness.
const (
	// ClaimFinal needs the operator, from Final on. It takes a fee. An optimistic claim demands
	// what EscrowProve does.
	ClaimFinal uint32 = iota + 1
	// ClaimRefute needs the challenger's lock in the witness and a proof made for it, before
	// Final. It demands client: refund and a share of the bond; challenger: a share; rest burned.
	ClaimRefute
)

var _ stateRules = (*OptClaim)(nil)

func (o *OptClaim) encode() []byte {
	b := appendBytes(appendStateFields(nil, 3), o.Escrow.encode())
	return appendUint(appendBytes(b, o.Output[:]), o.Final)
}

func (d *decoder) optClaim() *OptClaim {
	d.stateFields(3)
	return &OptClaim{d.heldEscrow(), d.hash(), d.uint()}
}

// heldEscrow reads an escrow inside a claim.
func (d *decoder) heldEscrow() JobEscrow {
	inner := newDecoder(d.view(majorBytes, MaxStateData))
	e := inner.escrow()
	if err := inner.end(); err != nil {
		d.fail("escrow: %v", err)
	}
	return *e
}

// State returns the state to put in an output.
func (o *OptClaim) State() *State { return &State{StateClaim, o.encode()} }

func (o *OptClaim) keys() []NamedKey { return o.Escrow.keys() }

func (o *OptClaim) check(p *Params) error { return o.Escrow.check(p) }

func (o *OptClaim) create(*creation) error { return errOnlyByExit }

func (o *OptClaim) spend(s *spending) *RuleError {
	switch s.exit() {
	case ClaimFinal:
		return o.final(s)
	case ClaimRefute:
		return o.refute(s)
	}
	return noExit(s.exit())
}

func (o *OptClaim) final(s *spending) *RuleError {
	e := &o.Escrow
	if err := s.open(o.Final, never); err != nil {
		return err
	}
	if err := s.unlockPlain(e.Operator); err != nil {
		return err
	}
	used, err := e.fee(s)
	s.demand(append(e.paid(e.Price, used), e.receipt(o.Output, e.Price)))
	return err
}

func (o *OptClaim) refute(s *spending) *RuleError {
	if s.env.Now >= o.Final {
		return broken(CodeExitTime, "final at %d, it is %d", o.Final, s.env.Now)
	}
	e := &o.Escrow
	challenger, err := s.contradict(e.Kind, e.Key, e.statement(), o.Output)
	if err != nil {
		return err
	}
	s.demand(e.slashed(challenger, &s.v.Params))
	return nil
}
