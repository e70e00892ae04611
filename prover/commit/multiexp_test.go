package commit

import (
	"errors"
	"fmt"
	"math/big"
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
	for _, n := range []int{1, fewPoints - 1, fewPoints, fewPoints + 1, 1000, 5000} {
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

func TestWindowsOfEveryWidthEqualTheLibrary(t *testing.T) {
	points, scalars := manyPoints(t, 300)
	scalars[0].SetInt64(-1)
	var want bn254.G1Jac
	if _, err := want.MultiExp(points, scalars, ecc.MultiExpConfig{}); err != nil {
		t.Fatal(err)
	}
	for bits := 2; bits <= maxWindow; bits++ {
		got, err := sumWindows(t.Context(), points, scalars, bits, fr.Bits)
		if err != nil {
			t.Fatal(err)
		}
		if !got[0].Equal(&want) {
			t.Errorf("digits of %d bits", bits)
		}
	}
}

func TestWindowsWriteTheLargestScalarOfEveryWidth(t *testing.T) {
	for width := 1; width <= fr.Bits; width++ {
		top := new(big.Int).Lsh(big.NewInt(1), uint(width))
		if top.Cmp(fr.Modulus()) > 0 {
			top = fr.Modulus()
		}
		var largest fr.Element
		largest.SetBigInt(top.Sub(top, big.NewInt(1)))
		for bits := 2; bits <= maxWindow; bits++ {
			sum, weight := new(big.Int), big.NewInt(1)
			for _, digit := range digitRows([]fr.Element{largest}, 1, bits, windows(bits, width)) {
				if digit < -1<<(bits-1) || digit > 1<<(bits-1) {
					t.Fatalf("digit %d of %d bits", digit, bits)
				}
				sum.Add(sum, new(big.Int).Mul(big.NewInt(int64(digit)), weight))
				weight.Lsh(weight, uint(bits))
			}
			if sum.Cmp(top) != 0 {
				t.Fatalf("2^%d − 1 in digits of %d bits is %v", width, bits, sum)
			}
		}
	}
}

func TestSumWindowsRejectsBadLengths(t *testing.T) {
	points, scalars := manyPoints(t, 10)
	var wrong *LengthError
	if _, err := SumWindows(t.Context(), points, scalars[:9], fr.Bits); !errors.As(err, &wrong) {
		t.Error(err)
	}
	if _, err := SumWindows(t.Context(), nil, nil, fr.Bits); !errors.As(err, &wrong) {
		t.Error(err)
	}
}

func BenchmarkMultiExp(b *testing.B) {
	for _, n := range []int{32, 64, 128, 256, 512, 1024, 2048, 4096, 10000, 13000} {
		key, err := NewKey(n)
		if err != nil {
			b.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(13, 14))
		points, scalars := key.gens, make([]fr.Element, n)
		for i := range scalars {
			scalars[i] = fr.Element{rng.Uint64(), rng.Uint64(), rng.Uint64(), rng.Uint64() >> 3}
		}
		run := func(name string, f func() error) {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				for b.Loop() {
					if err := f(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/point")
			})
		}
		run("windows", func() error {
			_, err := SumWindows(b.Context(), points, scalars, fr.Bits)
			return err
		})
		run("library", func() error {
			_, err := new(bn254.G1Jac).MultiExp(points, scalars, ecc.MultiExpConfig{})
			return err
		})
	}
}
