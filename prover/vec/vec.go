package vec

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

const (
	// lanes is the number of elements of a batch: those of one AVX-512 register, or
	// two of AVX2.
	lanes = 8
	// minScale is the length from which the preparation of a factor, about six
	// multiplications, is worth it.
	minScale = 16
	// minInner is the same for the reduction of a kernel's sums.
	minInner = 32
	// block is the number of elements that portable code keeps on the stack.
	block = 64
)

// Mul sets dst[i] = a[i]·b[i].
func Mul(dst, a, b []fr.Element) {
	mustMatch(len(dst), len(a), len(b))
	done := 0
	if n := len(dst) / lanes; n > 0 && useKernels() {
		mulFr(&dst[0], &a[0], &b[0], n)
		done = n * lanes
	}
	rest := fr.Vector(dst[done:])
	rest.Mul(a[done:], b[done:])
}

// Cross sets dst[i] = a[i]·b[i] + c[i]·d[i].
func Cross(dst, a, b, c, d []fr.Element) {
	mustMatch(len(dst), len(a), len(b))
	mustMatch(len(dst), len(c), len(d))
	done := 0
	if n := len(dst) / lanes; n > 0 && useKernels() {
		crossFr(&dst[0], &a[0], &b[0], &c[0], &d[0], n)
		done = n * lanes
	}
	var ab, cd [block]fr.Element
	for i := done; i < len(dst); i += block {
		end := min(i+block, len(dst))
		x, y, sum := fr.Vector(ab[:end-i]), fr.Vector(cd[:end-i]), fr.Vector(dst[i:end])
		x.Mul(a[i:end], b[i:end])
		y.Mul(c[i:end], d[i:end])
		sum.Add(x, y)
	}
}

// Scale sets dst[i] = a[i]·s.
func Scale(dst, a []fr.Element, s *fr.Element) {
	mustMatch(len(dst), len(a), len(a))
	factor := *s // s may lie in dst
	done := 0
	if len(dst) >= minScale && useKernels() {
		n := len(dst) / lanes
		var m multiplier
		m.set(&factor, kernelRadix())
		scaleFr(&dst[0], &a[0], &m, n)
		done = n * lanes
	}
	rest := fr.Vector(dst[done:])
	rest.ScalarMul(a[done:], &factor)
}

// AddScaled adds a[i]·s to dst[i].
func AddScaled(dst, a []fr.Element, s *fr.Element) {
	mustMatch(len(dst), len(a), len(a))
	factor := *s // s may lie in dst
	done := 0
	if len(dst) >= minScale && useKernels() {
		n := len(dst) / lanes
		var m multiplier
		m.set(&factor, kernelRadix())
		addScaledFr(&dst[0], &a[0], &m, n)
		done = n * lanes
	}
	var scaled [block]fr.Element
	for i := done; i < len(dst); i += block {
		end := min(i+block, len(dst))
		x, sum := fr.Vector(scaled[:end-i]), fr.Vector(dst[i:end])
		x.ScalarMul(a[i:end], &factor)
		sum.Add(sum, x)
	}
}

// Fold adds (hi[i]-lo[i])·s to lo[i].
func Fold(lo, hi []fr.Element, s *fr.Element) {
	mustMatch(len(lo), len(hi), len(hi))
	factor := *s // s may lie in lo
	done := 0
	if len(lo) >= minScale && useKernels() {
		n := len(lo) / lanes
		var m multiplier
		m.set(&factor, kernelRadix())
		foldFr(&lo[0], &hi[0], &lo[0], &m, n)
		done = n * lanes
	}
	var scaled [block]fr.Element
	for i := done; i < len(lo); i += block {
		end := min(i+block, len(lo))
		x, sum := fr.Vector(scaled[:end-i]), fr.Vector(lo[i:end])
		x.Sub(hi[i:end], sum)
		x.ScalarMul(x, &factor)
		sum.Add(sum, x)
	}
}

// Inner returns Σ_i a[i]·b[i] for vectors of at most 2^60 elements.
func Inner(a, b []fr.Element) fr.Element {
	mustMatch(len(a), len(b), len(b))
	if useGnark() {
		return (*fr.Vector)(&a).InnerProduct(b)
	}
	var sum wide
	done := 0
	if len(a) >= minInner && useKernels() {
		for n := len(a) / lanes; n > 0; n = (len(a) - done) / lanes {
			n = min(n, maxBatches)
			var c columns
			innerFr(&c, &a[done], &b[done], n)
			sum.addColumns(&c, n, kernelRadix())
			done += n * lanes
		}
	}
	sum.addProducts(a[done:], b[done:])
	return sum.reduce()
}

// InnerDifference returns Σ_i (a[i]-b[i])·(c[i]-d[i]) for vectors of at most
// 2^60 elements.
func InnerDifference(a, b, c, d []fr.Element) fr.Element {
	mustMatch(len(a), len(b), len(b))
	mustMatch(len(a), len(c), len(d))
	var sum wide
	done := 0
	if len(a) >= minInner && useKernels() {
		for n := len(a) / lanes; n > 0; n = (len(a) - done) / lanes {
			n = min(n, maxBatches)
			var s columns
			innerDifferenceFr(&s, &a[done], &b[done], &c[done], &d[done], n)
			sum.addColumns(&s, n, kernelRadix())
			done += n * lanes
		}
	}
	result := sum.reduce()
	var left, right [block]fr.Element
	for i := done; i < len(a); i += block {
		end := min(i+block, len(a))
		x, y := fr.Vector(left[:end-i]), fr.Vector(right[:end-i])
		x.Sub(a[i:end], b[i:end])
		y.Sub(c[i:end], d[i:end])
		part := Inner(x, y)
		result.Add(&result, &part)
	}
	return result
}

func mustMatch(a, b, c int) {
	if a != b || b != c {
		panic(fmt.Sprintf("BUG: vec: vectors of %d, %d and %d elements", a, b, c))
	}
}
