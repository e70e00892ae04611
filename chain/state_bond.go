package chain

// OperatorBond stands for an operator: the price of its identity, and what it loses if it
// signs a [Result] that a proof contradicts.
type OperatorBond struct {
	Operator Lock
	Key      PublicKey // signs results
	Release  uint64    // ms since 1970 when it can be withdrawn; 0 while it stands
}

// Exits of a bond.
const (
	// BondUnbond needs the operator; it takes the instant of release, and demands the bond with
	// it.
	BondUnbond uint32 = iota + 1
	// BondWithdraw needs the operator, from the release on; it demands nothing.
	BondWithdraw
	// BondSlash needs, in this order, a result, its signature, the challenger's lock and a proof
	// of another output made for it. An input or reference names the verifying key. It demands a
	// share for the challenger; the rest burns.
	BondSlash
)

var _ stateRules = (*OperatorBond)(nil)

func (o *OperatorBond) encode() []byte {
	b := o.Operator.append(appendStateFields(nil, 3))
	return appendUint(appendBytes(b, o.Key[:]), o.Release)
}

func (d *decoder) bond() *OperatorBond {
	d.stateFields(3)
	return &OperatorBond{d.lock(), d.publicKey(), d.uint()}
}

// State returns the state to put in an output.
func (o *OperatorBond) State() *State { return &State{StateBond, o.encode()} }

func (o *OperatorBond) keys() []NamedKey { return nil }

func (o *OperatorBond) check(*Params) error { return checkStateLock(o.Operator) }

// create lets nobody start a bond with its release already set.
func (o *OperatorBond) create(*creation) error {
	if o.Release != 0 {
		return errOnlyByExit
	}
	return nil
}

func (o *OperatorBond) spend(s *spending) *RuleError {
	switch s.exit() {
	case BondUnbond:
		return o.unbond(s)
	case BondWithdraw:
		return o.withdraw(s)
	case BondSlash:
		return o.slash(s)
	}
	return noExit(s.exit())
}

func (o *OperatorBond) unbond(s *spending) *RuleError {
	if o.Release != 0 {
		return broken(CodeExit, "released already")
	}
	if err := s.unlockPlain(o.Operator); err != nil {
		return err
	}
	release, err := s.instant(s.v.Params.UnbondDelay)
	if err != nil {
		return err
	}
	next := *o
	next.Release = release
	s.demand(payouts{{Lock: Open(), Value: s.spent.Value, Body: next.State()}})
	return nil
}

func (o *OperatorBond) withdraw(s *spending) *RuleError {
	if o.Release == 0 {
		return broken(CodeExit, "not released")
	}
	if err := s.open(o.Release, never); err != nil {
		return err
	}
	return s.unlockPlain(o.Operator)
}

func (o *OperatorBond) slash(s *spending) *RuleError {
	r, err := o.result(s)
	if err != nil {
		return err
	}
	key, ok := s.c.known(r.Kind, r.Key)
	if !ok {
		return broken(CodeStatement, "no input or reference names the verifying key of the result")
	}
	challenger, err := s.contradict(r.Kind, key, statement{job: r.Job, model: r.Model, input: r.Input}, r.Output)
	if err != nil {
		return err
	}
	s.demand(o.slashed(s, challenger))
	return nil
}

// result takes a result and its signature.
func (o *OperatorBond) result(s *spending) (Result, *RuleError) {
	raw, err := s.item()
	if err != nil {
		return Result{}, err
	}
	r, fault := DecodeResult(raw)
	if fault != nil {
		return Result{}, broken(CodeWitness, "result: %v", fault)
	}
	return r, s.signed(o.Key, r.Digest(s.env.Chain))
}

// slashed demands all shares of the challenger in one output, and all that burns in another.
func (o *OperatorBond) slashed(s *spending, challenger Lock) payouts {
	var prover, rest Value
	for _, c := range s.spent.Value {
		share := fraction(c.Amount, s.v.Params.FraudProver)
		prover = append(prover, Tokens(c.Token, share)...)
		rest = append(rest, Tokens(c.Token, c.Amount-share)...)
	}
	var p payouts
	for _, o := range []Output{{Lock: challenger, Value: prover}, {Lock: Burn(), Value: rest}} {
		if len(o.Value) > 0 {
			p = append(p, o)
		}
	}
	return p
}
