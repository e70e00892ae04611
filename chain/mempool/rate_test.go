package mempool

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestRatesComputeLikeIntegersWithinBounds(t *testing.T) {
	capped := func(n *big.Int) uint64 {
		if !n.IsUint64() {
			return math.MaxUint64
		}
		return n.Uint64()
	}
	rapid.Check(t, func(t *rapid.T) {
		u := func(name string) uint64 {
			return rapid.Uint64().Draw(t, name) >> rapid.IntRange(0, 63).Draw(t, name+" shift")
		}
		a, b := share{u("fee a"), u("weight a")}, share{u("fee b"), u("weight b")}
		n := func(x uint64) *big.Int { return new(big.Int).SetUint64(x) }
		left, right := new(big.Int).Mul(n(a.fee), n(b.weight)), new(big.Int).Mul(n(b.fee), n(a.weight))
		if a.compare(b) != left.Cmp(right) {
			t.Fatal("order of shares")
		}
		up := new(big.Int).Mul(n(a.fee), n(a.weight))
		up.Add(up, n(rateUnit-1)).Div(up, n(rateUnit))
		if got := Rate(a.fee).fee(a.weight); got != capped(up) {
			t.Fatalf("fee %d, want %v", got, up)
		}
		if a.weight > 0 {
			rate := new(big.Int).Mul(n(a.fee), n(rateUnit))
			if got := a.rate(); uint64(got) != capped(rate.Div(rate, n(a.weight))) {
				t.Fatalf("rate %d, want %v", got, rate)
			}
		}
		p := Price{u("worth"), max(1, u("per"))}
		worth := new(big.Int).Mul(n(a.fee), n(p.Worth))
		if got := p.worth(a.fee); got != capped(worth.Div(worth, n(p.Per))) {
			t.Fatalf("worth %d, want %v", got, worth)
		}
		if a.plus(b).minus(b) != a && a.plus(b).fee < math.MaxUint64 && a.plus(b).weight < math.MaxUint64 {
			t.Fatal("minus does not undo plus")
		}
	})
}
