package chain

import "errors"

// TokenPolicy issues a token and threads how much of it exists. Its exits need its lock.
type TokenPolicy struct {
	ID     TokenID // NewTokenID of the output that issued it
	Lock   Lock
	Max    uint64 // base units, at least 1
	Minted uint64 // base units, at most Max; an issue mints this much
}

// Exits of a token policy.
const (
	// PolicyMint takes an amount from the witness and demands the policy with it added.
	PolicyMint uint32 = iota + 1
	// PolicyClose demands nothing: no more is minted.
	PolicyClose
)

var _ stateRules = (*TokenPolicy)(nil)

var errPolicy = errors.New("policy with a maximum of zero, more minted than that, or another identity")

func (t *TokenPolicy) encode() []byte {
	b := appendBytes(appendStateFields(nil, 4), t.ID[:])
	return appendUint(appendUint(t.Lock.append(b), t.Max), t.Minted)
}

func (d *decoder) policy() *TokenPolicy {
	d.stateFields(4)
	return &TokenPolicy{d.hash(), d.lock(), d.uint(), d.uint()}
}

// State returns the state to put in an output.
func (t *TokenPolicy) State() *State { return &State{StatePolicy, t.encode()} }

func (t *TokenPolicy) keys() []NamedKey { return nil }

func (t *TokenPolicy) check(*Params) error {
	if t.Max == 0 || t.Minted > t.Max {
		return errPolicy
	}
	return checkStateLock(t.Lock)
}

func (t *TokenPolicy) create(c *creation) error {
	if t.ID != NewTokenID(c.tx.Inputs[0], uint32(c.index)) {
		return errPolicy
	}
	c.mint = Coin{t.ID, t.Minted}
	return nil
}

func (t *TokenPolicy) spend(s *spending) *RuleError {
	if err := s.unlockPlain(t.Lock); err != nil {
		return err
	}
	switch s.exit() {
	case PolicyMint:
		return t.mint(s)
	case PolicyClose:
		return nil
	}
	return noExit(s.exit())
}

func (t *TokenPolicy) mint(s *spending) *RuleError {
	amount, err := s.choice()
	if err != nil {
		return err
	}
	if amount == 0 || amount > t.Max-t.Minted {
		return broken(CodeMint, "mints %d, %d of %d exist", amount, t.Minted, t.Max)
	}
	if !s.c.minted.add(Coin{t.ID, amount}) {
		return broken(CodeOverflow, "minted amounts")
	}
	next := *t
	next.Minted += amount
	s.demand(payouts{{Lock: Open(), Value: s.spent.Value, Body: next.State()}})
	return nil
}
