package chain

import (
	"errors"
	"fmt"
)

// MaxPoolUsers bounds the users of a sponsor pool.
const MaxPoolUsers = 16

// SponsorPool pays the fees of its users' transactions, in the native token. Its owner may
// spend it freely, and makes several against contention. Without users it is open to
// everybody and loses at most PeriodCap a period, to miners at worst.
type SponsorPool struct {
	Owner       Lock
	Users       []Lock     // none: everybody
	Operations  Operations // of the transactions it pays for
	Rate        uint64     // base units per unit of weight
	MaxPerTx    uint64     // base units
	PeriodLen   uint64     // ms, at least 1 with a cap
	PeriodStart uint64     // ms since 1970
	PeriodLeft  uint64     // base units left in this period
	PeriodCap   uint64     // base units a period; 0 is without cap
	Expiry      uint64     // ms since 1970, inclusive
}

// Exits of a sponsor pool.
const (
	// SponsorPay takes the index of a user, if there are any, and the amount paid, and demands
	// the pool without it. The amount is min(Rate · weight, MaxPerTx).
	SponsorPay uint32 = iota + 1
	// SponsorOwner demands nothing; it needs the owner's lock.
	SponsorOwner
)

var _ stateRules = (*SponsorPool)(nil)

var (
	errPool     = errors.New("pool that pays nothing, or whose period has no length or more left than its cap")
	errPoolOpen = errors.New("pool for everybody without a cap")
)

func (p *SponsorPool) encode() []byte {
	b := p.Owner.append(appendStateFields(nil, 10))
	b = appendArray(b, len(p.Users))
	for _, u := range p.Users {
		b = u.append(b)
	}
	for _, n := range []uint64{
		uint64(p.Operations), p.Rate, p.MaxPerTx, p.PeriodLen, p.PeriodStart, p.PeriodLeft, p.PeriodCap, p.Expiry,
	} {
		b = appendUint(b, n)
	}
	return b
}

func (d *decoder) sponsor() *SponsorPool {
	d.stateFields(10)
	p := &SponsorPool{Owner: d.lock()}
	for range d.list(0, MaxPoolUsers) {
		p.Users = append(p.Users, d.lock())
	}
	p.Operations = Operations(d.uintMax(uint64(AllOperations)))
	for _, n := range []*uint64{
		&p.Rate, &p.MaxPerTx, &p.PeriodLen, &p.PeriodStart, &p.PeriodLeft, &p.PeriodCap, &p.Expiry,
	} {
		*n = d.uint()
	}
	return p
}

// State returns the state to put in an output.
func (p *SponsorPool) State() *State { return &State{StateSponsor, p.encode()} }

func (p *SponsorPool) keys() []NamedKey { return nil }

func (p *SponsorPool) check(*Params) error {
	if p.Rate == 0 || p.MaxPerTx == 0 || p.PeriodLeft > p.PeriodCap || p.PeriodCap > 0 && p.PeriodLen == 0 {
		return errPool
	}
	if len(p.Users) == 0 && p.PeriodCap == 0 {
		return errPoolOpen
	}
	for i, l := range append([]Lock{p.Owner}, p.Users...) {
		if err := checkStateLock(l); err != nil {
			return fmt.Errorf("lock %d: %w", i, err)
		}
	}
	return nil
}

func (p *SponsorPool) create(*creation) error { return nil }

func (p *SponsorPool) spend(s *spending) *RuleError {
	switch s.exit() {
	case SponsorPay:
		return p.pay(s)
	case SponsorOwner:
		return s.unlockPlain(p.Owner)
	}
	return noExit(s.exit())
}

func (p *SponsorPool) pay(s *spending) *RuleError {
	if err := p.user(s); err != nil {
		return err
	}
	paid, err := s.choice()
	switch {
	case err != nil:
		return err
	case s.env.Now > p.Expiry:
		return broken(CodeSponsor, "expired at %d, it is %d", p.Expiry, s.env.Now)
	}
	next, ok := p.after(paid, s.env.Now)
	rest, enough := s.spent.Value.Less(TokenID{}, paid)
	if !ok || !enough {
		return broken(CodeSponsor, "pays %d of %d, %d of which are left", paid, s.spent.Value.Of(TokenID{}), next.PeriodLeft)
	}
	if err := s.draw(TokenID{}, paid); err != nil {
		return err
	}
	s.limit(p.Operations, CodeSponsor)
	s.c.sponsored = append(s.c.sponsored, sponsored{s.input, p.Rate, p.MaxPerTx, paid})
	s.demand(payouts{{Lock: Open(), Value: rest, Body: next.State()}})
	return nil
}

func (p *SponsorPool) user(s *spending) *RuleError {
	if len(p.Users) == 0 {
		return nil
	}
	i, err := s.choice()
	if err != nil {
		return err
	}
	if i >= uint64(len(p.Users)) {
		return broken(CodeSponsor, "user %d of %d", i, len(p.Users))
	}
	return s.unlockPlain(p.Users[i])
}

// after returns the pool after a payment; false if the period's cap forbids it. Periods follow
// one another without gaps from the first start on.
func (p *SponsorPool) after(paid, now uint64) (SponsorPool, bool) {
	next := *p
	if p.PeriodCap == 0 {
		return next, true
	}
	if now >= p.PeriodStart && now-p.PeriodStart >= p.PeriodLen {
		next.PeriodStart = now - (now-p.PeriodStart)%p.PeriodLen
		next.PeriodLeft = p.PeriodCap
	}
	if paid > next.PeriodLeft {
		return next, false
	}
	next.PeriodLeft -= paid
	return next, true
}

// sponsored is a payment that must match the weight, which is known when all inputs are
// evaluated.
type sponsored struct {
	input          int
	rate, max, pay uint64
}

func (p *sponsored) check(weight uint64) *RuleError {
	if want := min(saturatingMul(p.rate, weight), p.max); p.pay != want {
		return broken(CodeSponsor, "pays %d, want %d for a weight of %d", p.pay, want, weight)
	}
	return nil
}
