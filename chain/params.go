package chain

import "fmt"

// basisPoints is the number of basis points in a whole.
const basisPoints = 10_000

// Params are the numbers of a network profile. Durations are in milliseconds, shares in basis
// points. Nodes of one network must agree on all of them.
type Params struct {
	Maturity       uint64 // blocks before a coinbase can be spent
	MinPromise     uint64 // least time from an escrow's start to its due time
	MinLate        uint64 // least time from due to late
	ClaimWindow    uint64 // a claimed output may be shown wrong
	InvalidWindow  uint64 // a claimed invalid witness may be refuted
	UnbondDelay    uint64 // a standing bond stays slashable
	BondZK         uint64 // share of the price: least bond of a proved job
	BondOptimistic uint64 // share of the price: least bond of an optimistic job
	ReleaseEarly   uint64 // share of the bond: release in the first half of the time
	ReleaseLate    uint64 // share of the bond: release after it
	Missed         uint64 // share of the bond to the client of a missed job; the rest burns
	FraudClient    uint64 // share of the bond to the client of a false claim
	FraudProver    uint64 // share of the bond to who shows a claim false; the rest burns
	InvalidFee     uint64 // share of the price for finding a witness invalid
}

// DefaultParams returns the numbers of the public network.
func DefaultParams() Params {
	const second, hour = 1000, 3_600_000
	return Params{
		Maturity:       100,
		MinPromise:     120 * second,
		MinLate:        600 * second,
		ClaimWindow:    hour,
		InvalidWindow:  600 * second,
		UnbondDelay:    24 * hour,
		BondZK:         5_000,
		BondOptimistic: 100_000,
		ReleaseEarly:   500,
		ReleaseLate:    2_000,
		Missed:         5_000,
		FraudClient:    2_500,
		FraudProver:    2_500,
		InvalidFee:     1_000,
	}
}

// validate refuses shares above the whole that they are taken from, and bonds or durations
// that could overflow.
func (p *Params) validate() error {
	for name, share := range map[string]uint64{
		"release early": p.ReleaseEarly, "release late": p.ReleaseLate, "missed": p.Missed,
		"fraud": saturatingAdd(p.FraudClient, p.FraudProver), "invalid fee": p.InvalidFee,
	} {
		if share > basisPoints {
			return fmt.Errorf("parameters: share %q of %d basis points exceeds the whole", name, share)
		}
	}
	if p.MinLate == 0 {
		return fmt.Errorf("parameters: timely and late proofs are open together")
	}
	if p.BondZK > 1<<32 || p.BondOptimistic > 1<<32 {
		return fmt.Errorf("parameters: bonds of %d and %d basis points are out of range", p.BondZK, p.BondOptimistic)
	}
	for name, d := range map[string]uint64{
		"promise": p.MinPromise, "late": p.MinLate, "claim window": p.ClaimWindow,
		"invalid window": p.InvalidWindow, "unbond delay": p.UnbondDelay,
	} {
		if d > 1<<48 {
			return fmt.Errorf("parameters: duration %q of %d ms is out of range", name, d)
		}
	}
	return nil
}
