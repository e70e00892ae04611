package commit

import (
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// manyPoints repeats generators, some negated and some infinite, under scalars among which
// the extremes are frequent.
func manyPoints(t testing.TB, n int) ([]bn254.G1Affine, []fr.Element) {
	t.Helper()
	key, err := NewKey(256)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(11, 12))
	points, scalars := make([]bn254.G1Affine, n), make([]fr.Element, n)
	for i := range points {
		points[i] = key.gens[i%len(key.gens)]
		switch rng.IntN(16) {
		case 0:
			points[i] = bn254.G1Affine{}
		case 1:
			points[i].Neg(&points[i])
		}
		switch rng.IntN(8) {
		case 0:
			scalars[i].SetInt64(-rng.Int64N(3))
		case 1:
			scalars[i].SetUint64(1 << rng.IntN(63))
		default:
			scalars[i] = fr.Element{rng.Uint64(), rng.Uint64(), rng.Uint64(), rng.Uint64() >> 3}
		}
	}
	return points, scalars
}

func TestMultiExpEqualsTheLibrarys(t *testing.T) {
	for _, n := range []int{1, fewPoints - 1, fewPoints, fewPoints + 1, 5000} {
		points, scalars := manyPoints(t, n)
		got, err := multiExp(points, scalars)
		if err != nil {
			t.Fatal(err)
		}
		var want bn254.G1Jac
		if _, err := want.MultiExp(points, scalars, ecc.MultiExpConfig{}); err != nil {
			t.Fatal(err)
		}
		if !got.Equal(&want) {
			t.Errorf("%d points", n)
		}
	}
}

func BenchmarkMultiExp(b *testing.B) {
	for _, n := range []int{2048, 4096, 10000} {
		key, err := NewKey(n)
		if err != nil {
			b.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(13, 14))
		points, scalars := key.gens, make([]fr.Element, n)
		for i := range scalars {
			scalars[i] = fr.Element{rng.Uint64(), rng.Uint64(), rng.Uint64(), rng.Uint64() >> 3}
		}
		b.Run("windows", func(b *testing.B) {
			for b.Loop() {
				if _, err := multiExp(points, scalars); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("library", func(b *testing.B) {
			for b.Loop() {
				var sum bn254.G1Jac
				if _, err := sum.MultiExp(points, scalars, ecc.MultiExpConfig{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
