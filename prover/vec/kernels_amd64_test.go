//go:build !purego

package vec

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// kernelSet is the kernels of one instruction set; batch is how many elements
// they work on at a time.
type kernelSet struct {
	name  string
	radix radix
	batch int

	mulFr                 func(dst, a, b *fr.Element, n int)
	crossFr               func(dst, a, b, c, d *fr.Element, n int)
	scaleFr, addScaledFr  func(dst, a *fr.Element, s *multiplier, n int)
	foldFr                func(dst, a, b *fr.Element, s *multiplier, n int)
	innerFr               func(sums *columns, a, b *fr.Element, n int)
	innerDifferenceFr     func(sums *columns, a, b, c, d *fr.Element, n int)
	mulFp                 func(dst, a, b *fp.Element, n int)
	subMulFp, squareSubFp func(dst, a, b, c *fp.Element, n int)
	subMulSubFp           func(dst, a, b, c, d *fp.Element, n int)
}

// eachKernelSet runs a test for all sets that the machine has instructions for,
// also where the package prefers others.
func eachKernelSet(t *testing.T, test func(t *testing.T, k kernelSet)) {
	wide := kernelSet{
		"AVX-512", radix52, lanes,
		mulFrAVX512, crossFrAVX512, scaleFrAVX512, addScaledFrAVX512, foldFrAVX512, innerFrAVX512, innerDifferenceFrAVX512,
		mulFpAVX512, subMulFpAVX512, squareSubFpAVX512, subMulSubFpAVX512,
	}
	narrow := kernelSet{
		"AVX2", radix51, lanes / 2,
		mulFrAVX2, crossFrAVX2, scaleFrAVX2, addScaledFrAVX2, foldFrAVX2, innerFrAVX2, innerDifferenceFrAVX2,
		mulFpAVX2, subMulFpAVX2, squareSubFpAVX2, subMulSubFpAVX2,
	}
	run := func(k kernelSet, have bool) {
		t.Run(k.name, func(t *testing.T) {
			if !have {
				t.Skip("the machine lacks the instructions")
			}
			test(t, k)
		})
	}
	run(wide, haveAVX512())
	run(narrow, haveAVX2())
}

func TestFrKernelsAreExactOnAllPairsOfEdges(t *testing.T) {
	eachKernelSet(t, func(t *testing.T, k kernelSet) {
		es := edges[fr.Element](fr.Modulus())
		for _, s := range es {
			a, b := padded(es, s)
			n := len(a) / k.batch
			got, want := make([]fr.Element, len(a)), make([]fr.Element, len(a))
			var total, sum fr.Element
			for i := range want {
				want[i].Mul(&a[i], &b[i])
				total.Add(&total, &want[i])
			}
			k.mulFr(&got[0], &a[0], &b[0], n)
			same(t, "mulFr", got, want)
			var m multiplier
			m.set(&s, k.radix)
			k.scaleFr(&got[0], &a[0], &m, n)
			same(t, "scaleFr", got, want)
			for i := range want {
				got[i].Sub(&a[i], &want[i])
			}
			k.addScaledFr(&got[0], &a[0], &m, n)
			same(t, "addScaledFr", got, a)
			// a - s + (a-s)·s
			copy(got, a)
			for i := range want {
				got[i].Sub(&a[i], &s)
				sum.Mul(&got[i], &s)
				want[i].Add(&got[i], &sum)
			}
			k.foldFr(&got[0], &a[0], &b[0], &m, n)
			same(t, "foldFr", got, want)
			for i := range want {
				want[i].Mul(&a[i], &b[i])
				want[i].Double(&want[i])
			}
			k.crossFr(&got[0], &a[0], &b[0], &b[0], &a[0], n)
			same(t, "crossFr", got, want)
			if got := k.sum(func(c *columns, n int) { k.innerFr(c, &a[0], &b[0], n) }, n); got != total {
				t.Fatalf("inner = %x, want %x", got, total)
			}
		}
	})
}

// sum returns what a kernel sums over n batches.
func (k kernelSet) sum(add func(c *columns, n int), n int) fr.Element {
	var c columns
	add(&c, n)
	var w wide
	w.addColumns(&c, n*k.batch/lanes, k.radix)
	return w.reduce()
}

func TestSumsOfKernelsHaveEitherSign(t *testing.T) {
	eachKernelSet(t, func(t *testing.T, k kernelSet) {
		largest := fr.Element{}
		largest.SetInt64(-1)
		for _, e := range append(edges[fr.Element](fr.Modulus()), largest) {
			const n = lanes * maxBatches
			zero, full := make([]fr.Element, n), make([]fr.Element, n)
			for i := range full {
				full[i] = e
			}
			var want, length fr.Element
			want.Square(&e)
			want.Mul(&want, length.SetUint64(n))
			if got := k.sum(func(c *columns, n int) { k.innerFr(c, &full[0], &full[0], n) }, n/k.batch); got != want {
				t.Fatalf("%d squares of %x are %x, want %x", n, e, got, want)
			}
			want.Neg(&want)
			got := k.sum(func(c *columns, n int) {
				k.innerDifferenceFr(c, &full[0], &zero[0], &zero[0], &full[0], n)
			}, n/k.batch)
			if got != want {
				t.Fatalf("%d negative squares of %x are %x, want %x", n, e, got, want)
			}
		}
	})
}

func TestFpKernelsAreExactOnAllPairsOfEdges(t *testing.T) {
	eachKernelSet(t, func(t *testing.T, k kernelSet) {
		es := edges[fp.Element](fp.Modulus())
		for _, s := range es {
			a, b := padded(es, s)
			n := len(a) / k.batch
			got, want := make([]fp.Element, len(a)), make([]fp.Element, len(a))
			var x fp.Element
			for i := range want {
				want[i].Mul(&a[i], &b[i])
			}
			k.mulFp(&got[0], &a[0], &b[0], n)
			same(t, "mulFp", got, want)
			for i := range want {
				want[i].Sub(&a[i], &b[i])
				want[i].Mul(&want[i], &a[i])
			}
			k.subMulFp(&got[0], &a[0], &b[0], &a[0], n)
			same(t, "subMulFp", got, want)
			for i := range want {
				want[i].Sub(&want[i], &b[i])
			}
			k.subMulSubFp(&got[0], &a[0], &b[0], &a[0], &b[0], n)
			same(t, "subMulSubFp", got, want)
			for i := range want {
				x.Square(&a[i])
				want[i].Sub(&x, &b[i])
				want[i].Sub(&want[i], &a[i])
			}
			k.squareSubFp(&got[0], &a[0], &b[0], &a[0], n)
			same(t, "squareSubFp", got, want)
		}
	})
}

// padded returns es, brought to a multiple of lanes, and as many copies of s.
func padded[E words](es []E, s E) (a, b []E) {
	a = append([]E{}, es...)
	for len(a)%lanes != 0 {
		a = append(a, s)
	}
	for range a {
		b = append(b, s)
	}
	return a, b
}
