package node

import (
	"fmt"
	"maps"
	"slices"

	"github.com/weisyn/wes/chain"
)

// namedParam is a number of a network by the name that definitions use. Durations are in
// milliseconds, shares in basis points.
type namedParam struct {
	name  string
	value *uint64
}

func named(p *chain.Params) []namedParam {
	return []namedParam{
		{"maturity", &p.Maturity},
		{"min_promise", &p.MinPromise},
		{"min_late", &p.MinLate},
		{"claim_window", &p.ClaimWindow},
		{"invalid_window", &p.InvalidWindow},
		{"unbond_delay", &p.UnbondDelay},
		{"bond_zk", &p.BondZK},
		{"bond_optimistic", &p.BondOptimistic},
		{"release_early", &p.ReleaseEarly},
		{"release_late", &p.ReleaseLate},
		{"missed", &p.Missed},
		{"fraud_client", &p.FraudClient},
		{"fraud_prover", &p.FraudProver},
		{"invalid_fee", &p.InvalidFee},
	}
}

// params returns the numbers of the network.
func (n *Network) params() (chain.Params, error) {
	p := chain.DefaultParams()
	left := maps.Clone(n.Params)
	for _, f := range named(&p) {
		if v, ok := n.Params[f.name]; ok {
			*f.value = v
			delete(left, f.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		return p, fmt.Errorf("%w: there is no parameter %q", ErrNetwork, name)
	}
	return p, nil
}
