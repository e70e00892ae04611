package commit

import (
	"math/big"
	"math/rand"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

func TestRootExponentIsAQuarterOfPPlusOne(t *testing.T) {
	got := new(big.Int)
	words := rootExponent()
	for i := len(words) - 1; i >= 0; i-- {
		got.Lsh(got, 64).Or(got, new(big.Int).SetUint64(words[i]))
	}
	if got.Lsh(got, 2).Sub(got, big.NewInt(1)).Cmp(fp.Modulus()) != 0 {
		t.Errorf("4·exponent - 1 is %d, not p", got)
	}
}

func TestRootsEqualTheScalarOnes(t *testing.T) {
	rng := rand.New(rand.NewSource(seed))
	var c curveRoots
	three := fp.NewElement(3)
	for n := range rootBlock + 1 {
		for i := range n {
			c.x[i] = fp.Element{rng.Uint64(), rng.Uint64(), rng.Uint64(), rng.Uint64() >> 3}
			if rng.Intn(8) == 0 {
				c.x[i].SetInt64(int64(rng.Intn(9)) - 4)
			}
		}
		c.solve(n)
		for i := range n {
			var rhs, root fp.Element
			rhs.Square(&c.x[i]).Mul(&rhs, &c.x[i]).Add(&rhs, &three)
			if onCurve := root.Sqrt(&rhs) != nil; onCurve != c.onCurve[i] {
				t.Fatalf("x %s of %d: on the curve: %t, want %t", &c.x[i], n, c.onCurve[i], onCurve)
			}
			if !c.onCurve[i] {
				continue
			}
			small, large := c.choose(i, false), c.choose(i, true)
			if small.LexicographicallyLargest() || !large.LexicographicallyLargest() || root != small && root != large {
				t.Errorf("x %s of %d: roots %s and %s, want ±%s", &c.x[i], n, &small, &large, &root)
			}
		}
	}
}
