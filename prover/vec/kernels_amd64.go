//go:build !purego

package vec

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	gnark "github.com/consensys/gnark-crypto/utils/cpu"
	"golang.org/x/sys/cpu"
)

// haveAVX512 reports whether the machine has the instructions of the kernels
// for eight elements.
func haveAVX512() bool {
	return cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL
}

// haveAVX2 reports the same of the kernels for four elements.
func haveAVX2() bool { return cpu.X86.HasAVX2 && cpu.X86.HasFMA }

// useGnark reports whether gnark-crypto's vector code is the fastest.
func useGnark() bool { return gnark.SupportAVX512IFMA }

// useKernels reports whether the kernels are the fastest.
func useKernels() bool { return (haveAVX512() || haveAVX2()) && !useGnark() }

// kernelRadix is the radix of the kernels that useKernels stands for.
func kernelRadix() radix {
	if haveAVX512() {
		return radix52
	}
	return radix51
}

// mulFr sets dst[i] = a[i]·b[i] for i < 8n, n > 0, like all kernels.
func mulFr(dst, a, b *fr.Element, n int) {
	if haveAVX512() {
		mulFrAVX512(dst, a, b, n)
		return
	}
	mulFrAVX2(dst, a, b, 2*n)
}

//go:noescape
func mulFrAVX512(dst, a, b *fr.Element, n int)

//go:noescape
func mulFrAVX2(dst, a, b *fr.Element, n int)

// mulFp sets dst[i] = a[i]·b[i].
func mulFp(dst, a, b *fp.Element, n int) {
	if haveAVX512() {
		mulFpAVX512(dst, a, b, n)
		return
	}
	mulFpAVX2(dst, a, b, 2*n)
}

//go:noescape
func mulFpAVX512(dst, a, b *fp.Element, n int)

//go:noescape
func mulFpAVX2(dst, a, b *fp.Element, n int)

// subMulFp sets dst[i] = (a[i]-b[i])·c[i].
func subMulFp(dst, a, b, c *fp.Element, n int) {
	if haveAVX512() {
		subMulFpAVX512(dst, a, b, c, n)
		return
	}
	subMulFpAVX2(dst, a, b, c, 2*n)
}

//go:noescape
func subMulFpAVX512(dst, a, b, c *fp.Element, n int)

//go:noescape
func subMulFpAVX2(dst, a, b, c *fp.Element, n int)

// subMulSubFp sets dst[i] = (a[i]-b[i])·c[i] - d[i].
func subMulSubFp(dst, a, b, c, d *fp.Element, n int) {
	if haveAVX512() {
		subMulSubFpAVX512(dst, a, b, c, d, n)
		return
	}
	subMulSubFpAVX2(dst, a, b, c, d, 2*n)
}

//go:noescape
func subMulSubFpAVX512(dst, a, b, c, d *fp.Element, n int)

//go:noescape
func subMulSubFpAVX2(dst, a, b, c, d *fp.Element, n int)

// squareSubFp sets dst[i] = a[i]^2 - b[i] - c[i].
func squareSubFp(dst, a, b, c *fp.Element, n int) {
	if haveAVX512() {
		squareSubFpAVX512(dst, a, b, c, n)
		return
	}
	squareSubFpAVX2(dst, a, b, c, 2*n)
}

//go:noescape
func squareSubFpAVX512(dst, a, b, c *fp.Element, n int)

//go:noescape
func squareSubFpAVX2(dst, a, b, c *fp.Element, n int)

// crossFr sets dst[i] = a[i]·b[i] + c[i]·d[i].
func crossFr(dst, a, b, c, d *fr.Element, n int) {
	if haveAVX512() {
		crossFrAVX512(dst, a, b, c, d, n)
		return
	}
	crossFrAVX2(dst, a, b, c, d, 2*n)
}

//go:noescape
func crossFrAVX512(dst, a, b, c, d *fr.Element, n int)

//go:noescape
func crossFrAVX2(dst, a, b, c, d *fr.Element, n int)

// scaleFr sets dst[i] = a[i]·s.
func scaleFr(dst, a *fr.Element, s *multiplier, n int) {
	if haveAVX512() {
		scaleFrAVX512(dst, a, s, n)
		return
	}
	scaleFrAVX2(dst, a, s, 2*n)
}

//go:noescape
func scaleFrAVX512(dst, a *fr.Element, s *multiplier, n int)

//go:noescape
func scaleFrAVX2(dst, a *fr.Element, s *multiplier, n int)

// addScaledFr adds a[i]·s to dst[i].
func addScaledFr(dst, a *fr.Element, s *multiplier, n int) {
	if haveAVX512() {
		addScaledFrAVX512(dst, a, s, n)
		return
	}
	addScaledFrAVX2(dst, a, s, 2*n)
}

//go:noescape
func addScaledFrAVX512(dst, a *fr.Element, s *multiplier, n int)

//go:noescape
func addScaledFrAVX2(dst, a *fr.Element, s *multiplier, n int)

// foldFr adds (a[i]-b[i])·s to dst[i].
func foldFr(dst, a, b *fr.Element, s *multiplier, n int) {
	if haveAVX512() {
		foldFrAVX512(dst, a, b, s, n)
		return
	}
	foldFrAVX2(dst, a, b, s, 2*n)
}

//go:noescape
func foldFrAVX512(dst, a, b *fr.Element, s *multiplier, n int)

//go:noescape
func foldFrAVX2(dst, a, b *fr.Element, s *multiplier, n int)

// innerFr sets sums to the sums of the products a[i]·b[i], without reduction,
// n <= maxBatches.
func innerFr(sums *columns, a, b *fr.Element, n int) {
	if haveAVX512() {
		innerFrAVX512(sums, a, b, n)
		return
	}
	innerFrAVX2(sums, a, b, 2*n)
}

//go:noescape
func innerFrAVX512(sums *columns, a, b *fr.Element, n int)

//go:noescape
func innerFrAVX2(sums *columns, a, b *fr.Element, n int)

// innerDifferenceFr does the same for (a[i]-b[i])·(c[i]-d[i]).
func innerDifferenceFr(sums *columns, a, b, c, d *fr.Element, n int) {
	if haveAVX512() {
		innerDifferenceFrAVX512(sums, a, b, c, d, n)
		return
	}
	innerDifferenceFrAVX2(sums, a, b, c, d, 2*n)
}

//go:noescape
func innerDifferenceFrAVX512(sums *columns, a, b, c, d *fr.Element, n int)

//go:noescape
func innerDifferenceFrAVX2(sums *columns, a, b, c, d *fr.Element, n int)
