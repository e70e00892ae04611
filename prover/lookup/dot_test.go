package lookup

import (
	"math/rand"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

func TestDotIsTheInnerProduct(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	var minusOne fr.Element
	minusOne.SetInt64(-1)
	for _, n := range []int{0, 1, 2, 7, block, 3 * block} {
		a, b := make(fr.Vector, n), make(fr.Vector, n)
		var want fr.Element
		for i := range a {
			a[i], b[i] = randomElement(rng), randomElement(rng)
			if i%3 == 0 {
				a[i], b[i] = minusOne, minusOne
			}
			want.Add(&want, mul(&a[i], &b[i]))
		}
		if got := dot(a, b); got != want {
			t.Errorf("dot of %d elements is wrong", n)
		}
		var sum wide
		sum.addProducts(a, b)
		if got := sum.reduce(); got != want {
			t.Errorf("lazy sum of %d products is wrong", n)
		}
	}
}

// TestLazySumHoldsTheLargestLimbs uses the largest Montgomery form in every
// place, where a lost carry would show.
func TestLazySumHoldsTheLargestLimbs(t *testing.T) {
	top := fr.Element{}
	one := fr.Element{1}
	top.Sub(&top, &one)
	a := make(fr.Vector, 4*block)
	for i := range a {
		a[i] = top
	}
	var sum wide
	sum.addProducts(a, a)
	want, n := *mul(&top, &top), fr.NewElement(uint64(len(a)))
	want.Mul(&want, &n)
	if got := sum.reduce(); got != want {
		t.Error("carry lost")
	}
}

func BenchmarkDot(b *testing.B) {
	rng := rand.New(rand.NewSource(1))
	x, y := make(fr.Vector, block), make(fr.Vector, block)
	for i := range x {
		x[i], y[i] = randomElement(rng), randomElement(rng)
	}
	for b.Loop() {
		dot(x, y)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/block, "ns/product")
}
