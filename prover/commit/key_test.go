package commit

import (
	"encoding/hex"
	"errors"
	"math"
	"strconv"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
)

// The generators are part of the protocol: a change breaks every stored
// commitment. Vectors from a separate implementation of the doc comment of
// generator.
func TestGeneratorsAreFixed(t *testing.T) {
	k, err := NewKey(300)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range generatorVectors() {
		b := k.Generators()[i].Bytes()
		if got := hex.EncodeToString(b[:]); got != want {
			t.Errorf("generator %d is %s, want %s", i, got, want)
		}
	}
}

func TestGeneratorsAreDistinctFinitePointsOfTheCurve(t *testing.T) {
	k, err := NewKey(500)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[bn254.G1Affine]bool{}
	for i, g := range k.Generators() {
		var negative bn254.G1Affine
		negative.Neg(&g)
		if g.IsInfinity() || !g.IsInSubGroup() || seen[g] || seen[negative] {
			t.Errorf("generator %d: infinite, off the curve, or met before", i)
		}
		seen[g] = true
	}
}

func TestShortKeyIsPrefixOfLongKey(t *testing.T) {
	short, err := NewKey(3)
	if err != nil {
		t.Fatal(err)
	}
	long, err := NewKey(40)
	if err != nil {
		t.Fatal(err)
	}
	for i, g := range short.Generators() {
		if g != long.Generators()[i] {
			t.Errorf("generator %d depends on the length of the key", i)
		}
	}
}

func TestNewKeyRejectsBadLengths(t *testing.T) {
	for _, n := range []int{math.MinInt, -1, 0, MaxGenerators + 1, math.MaxInt} {
		var length *LengthError
		if _, err := NewKey(n); !errors.As(err, &length) || length.Got != n {
			t.Errorf("length %d: %v", n, err)
		}
	}
}

func BenchmarkNewKey(b *testing.B) {
	for _, n := range []int{64, 256, 2048} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			for b.Loop() {
				if _, err := NewKey(n); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func generatorVectors() map[int]string {
	return map[int]string{
		0:   "820f6a651a9aeba4cf26d002eb2f974479e2e18e1b276898a069f515e7db4175",
		1:   "c9d9e4f5b2afc9d24d7ffc86ed3f41e3b382065cb10440d8042dddd73296c510",
		2:   "e61a5619dd677c006707cf87807106db571405e8221d7b215f147f9d7cafd499",
		255: "afa4e3ee73914112cd0ad8ac7dee14dd3445ed48f287c74ee6423a2c29025f29",
		299: "8c73a0a266e632488a0f7d7a2fb922027c1c4cd5b8fcf63a8668b25ac308c750",
	}
}
