package consensus

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/weisyn/wes/chain"
)

func drawWork(t *rapid.T, name string) Work {
	return Work(rapid.SliceOfN(rapid.Uint64(), 4, 4).Draw(t, name))
}

func power(n uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), n) }

func TestWorkAddsAndSubtractsLikeIntegersWithinBounds(t *testing.T) {
	largest := new(big.Int).Sub(power(256), big.NewInt(1))
	rapid.Check(t, func(t *rapid.T) {
		a, b, n := drawWork(t, "a"), drawWork(t, "b"), rapid.Uint64Max(1<<20).Draw(t, "n")
		sum := new(big.Int).Add(a.Big(), b.Big())
		if sum.Cmp(largest) > 0 {
			sum = largest
		}
		diff := new(big.Int).Sub(a.Big(), b.Big())
		if diff.Sign() < 0 {
			diff.SetInt64(0)
		}
		product := new(big.Int).Mul(a.Big(), new(big.Int).SetUint64(n))
		if product.Cmp(largest) > 0 {
			product = largest
		}
		switch {
		case a.add(b).Big().Cmp(sum) != 0:
			t.Fatal("sum")
		case a.sub(b).Big().Cmp(diff) != 0:
			t.Fatal("difference")
		case a.times(n).Big().Cmp(product) != 0:
			t.Fatal("product")
		case a.Cmp(b) != a.Big().Cmp(b.Big()):
			t.Fatal("order")
		case toWork(a.Big()) != a:
			t.Fatal("conversion")
		}
	})
}

func TestCompactTargets(t *testing.T) {
	for _, c := range []struct {
		bits uint32
		want *big.Int
	}{
		{0x1d00ffff, new(big.Int).Mul(big.NewInt(0xffff), power(208))},
		{0x207fffff, new(big.Int).Mul(big.NewInt(0x7fffff), power(232))},
		{0x2100ffff, new(big.Int).Mul(big.NewInt(0xffff), power(240))},
		{0x03123456, big.NewInt(0x123456)},
		{0x02123400, big.NewInt(0x1234)},
		{0x01010000, big.NewInt(1)},
	} {
		got, ok := Target(c.bits)
		if !ok || got.Cmp(c.want) != 0 || Compact(got) != c.bits {
			t.Errorf("%08x: %v, %v", c.bits, got, ok)
		}
	}
	for name, bits := range map[string]uint32{
		"zero": 0, "zero mantissa": 0x04000000, "negative": 0x04923456, "257 bits": 0x21010000, "size 255": 0xff7fffff,
		"rounded to zero": 0x00123456, "digits lost": 0x01123456, "longer than needed": 0x04001234,
	} {
		if got, ok := Target(bits); ok {
			t.Errorf("%s, %08x: accepted as %v", name, bits, got)
		}
	}
}

func TestCompactRoundsDownByLessThanOneIn2To15(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := drawWork(t, "n").Big()
		n.Rsh(n, uint(rapid.IntRange(0, 255).Draw(t, "shift")))
		if n.Sign() == 0 {
			n.SetInt64(1)
		}
		got, ok := Target(Compact(n))
		lost := new(big.Int).Sub(n, got)
		if !ok || lost.Sign() < 0 || lost.Lsh(lost, 15).Cmp(n) > 0 {
			t.Fatalf("%x becomes %x, %v", n, got, ok)
		}
	})
}

func TestWorkOfATargetIsTheExpectedNumberOfHashes(t *testing.T) {
	for _, bits := range []uint32{0x1d00ffff, easy, 0x2100ffff, 0x01010000} {
		target, _ := Target(bits)
		want := new(big.Int).Div(power(256), new(big.Int).Add(target, big.NewInt(1)))
		if got := workOf(target).Big(); got.Cmp(want) != 0 {
			t.Errorf("%08x: %v, want %v", bits, got, want)
		}
	}
}

func TestHashMeetsItsOwnValueAndNothingBelow(t *testing.T) {
	var h chain.Hash
	h[0], h[31] = 0x12, 0x34
	n := new(big.Int).SetBytes(h[:])
	if !meets(h, n) || meets(h, new(big.Int).Sub(n, big.NewInt(1))) {
		t.Error("the first byte is not the most significant, or the bound is not inclusive")
	}
}
