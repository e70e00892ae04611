package wallet

import (
	"math"
	"math/bits"

	"github.com/weisyn/wes/chain"
)

// feeOf rounds up what a rate asks for a weight, at least 1.
func feeOf(rate, weight uint64) uint64 { return max(proportion(rate, weight, 1000), 1) }

// proportion returns ⌈a·b/c⌉; saturated.
func proportion(a, b, c uint64) uint64 {
	high, low := bits.Mul64(a, b)
	low, carry := bits.Add64(low, c-1, 0)
	if high += carry; high >= c {
		return math.MaxUint64
	}
	q, _ := bits.Div64(high, low, c)
	return q
}

// fee returns what a transaction of a weight costs in a token; false without a price of it.
func (e *Env) fee(token chain.TokenID, weight uint64) (uint64, bool) {
	n := feeOf(e.FeeRate, weight)
	if token == (chain.TokenID{}) {
		return n, true
	}
	p := e.Prices[token]
	if p.Worth == 0 || p.Per == 0 {
		return 0, false
	}
	return proportion(n, p.Per, p.Worth), true
}

// inputWeight is what spending a coin of the wallet's own adds to a transaction, in units of
// weight: 39 bytes of outpoint, 110 of witness with a revealed lock, a signature.
const inputWeight = 149 * chain.MaxWeight / chain.MaxBlockBase

// dust returns the amount of WES up to which a coin costs more to spend than it holds.
func (e *Env) dust() uint64 { return proportion(e.FeeRate, inputWeight, 1000) }

// Costs that validation charges, in units; see package chain, cost.go.
const (
	costSignature = 40
	costNode      = 1
	costKiB       = 3 // of attachments, and of states that are read
)

// stateCost is what reading an output costs.
func stateCost(o *chain.Output) uint64 {
	s, ok := o.Body.(*chain.State)
	if !ok {
		return 0
	}
	return kibCost(uint64(len(s.Data)))
}

func kibCost(bytes uint64) uint64 { return costKiB * ((bytes + 1023) / 1024) }
