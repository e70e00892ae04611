package mempool

import (
	"cmp"
	"math"
	"math/bits"

	"github.com/weisyn/wes/chain"
)

// Rate is a fee rate, in base units of WES per 1,000 units of weight. A full block weighs
// chain.MaxWeight.
type Rate uint64

const rateUnit = 1_000

// fee returns the least fee that has the rate at that weight; saturated.
func (r Rate) fee(weight uint64) uint64 {
	hi, lo := bits.Mul64(uint64(r), weight)
	if hi >= rateUnit {
		return math.MaxUint64
	}
	q, rest := bits.Div64(hi, lo, rateUnit)
	if rest > 0 && q < math.MaxUint64 {
		q++
	}
	return q
}

// Price is what units of a token are worth: Worth base units of WES for Per base units of it.
type Price struct{ Worth, Per uint64 }

// worth returns the worth of n units in base units of WES, rounded down; saturated.
func (p Price) worth(n uint64) uint64 {
	hi, lo := bits.Mul64(n, p.Worth)
	if hi >= p.Per {
		return math.MaxUint64
	}
	q, _ := bits.Div64(hi, lo, p.Per)
	return q
}

// worth returns what a fee counts for, in base units of WES; saturated.
func (c *Config) worth(fee chain.Value) uint64 {
	var sum uint64
	for _, coin := range fee {
		if p, ok := c.Accept[coin.Token]; ok {
			sum = add(sum, p.worth(coin.Amount))
		}
	}
	return sum
}

// add returns a + b, or the largest integer.
func add(a, b uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	if carry != 0 {
		return math.MaxUint64
	}
	return sum
}

// share is a fee over a weight: of one transaction, or of several.
type share struct{ fee, weight uint64 }

func (s share) plus(t share) share { return share{add(s.fee, t.fee), add(s.weight, t.weight)} }

// minus undoes plus, of a part.
func (s share) minus(t share) share {
	return share{s.fee - min(s.fee, t.fee), s.weight - min(s.weight, t.weight)}
}

// compare compares fee rates exactly.
func (s share) compare(t share) int {
	ahi, alo := bits.Mul64(s.fee, t.weight)
	bhi, blo := bits.Mul64(t.fee, s.weight)
	return cmp.Or(cmp.Compare(ahi, bhi), cmp.Compare(alo, blo))
}

// rate returns the fee rate, rounded down; saturated.
func (s share) rate() Rate {
	hi, lo := bits.Mul64(s.fee, rateUnit)
	if s.weight == 0 || hi >= s.weight {
		return math.MaxUint64
	}
	q, _ := bits.Div64(hi, lo, s.weight)
	return Rate(q)
}
