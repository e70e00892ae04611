//go:build !purego

package vec

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	gnark "github.com/consensys/gnark-crypto/utils/cpu"
	"golang.org/x/sys/cpu"
)

// haveKernels reports whether the machine has the instructions of the kernels.
func haveKernels() bool {
	return cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL
}

// useGnark reports whether gnark-crypto's vector code is the fastest.
func useGnark() bool { return gnark.SupportAVX512IFMA }

// useKernels reports whether the kernels are the fastest.
func useKernels() bool { return haveKernels() && !useGnark() }

// mulFr sets dst[i] = a[i]·b[i] for i < 8n, n > 0, like all kernels.
//
//go:noescape
func mulFr(dst, a, b *fr.Element, n int)

// mulFp sets dst[i] = a[i]·b[i].
//
//go:noescape
func mulFp(dst, a, b *fp.Element, n int)

// subMulFp sets dst[i] = (a[i]-b[i])·c[i].
//
//go:noescape
func subMulFp(dst, a, b, c *fp.Element, n int)

// subMulSubFp sets dst[i] = (a[i]-b[i])·c[i] - d[i].
//
//go:noescape
func subMulSubFp(dst, a, b, c, d *fp.Element, n int)

// squareSubFp sets dst[i] = a[i]^2 - b[i] - c[i].
//
//go:noescape
func squareSubFp(dst, a, b, c *fp.Element, n int)

// crossFr sets dst[i] = a[i]·b[i] + c[i]·d[i].
//
//go:noescape
func crossFr(dst, a, b, c, d *fr.Element, n int)

// scaleFr sets dst[i] = a[i]·s.
//
//go:noescape
func scaleFr(dst, a *fr.Element, s *multiplier, n int)

// addScaledFr adds a[i]·s to dst[i].
//
//go:noescape
func addScaledFr(dst, a *fr.Element, s *multiplier, n int)

// foldFr adds (a[i]-b[i])·s to dst[i].
//
//go:noescape
func foldFr(dst, a, b *fr.Element, s *multiplier, n int)

// innerFr sets sums to the sums of the products a[i]·b[i], without reduction,
// n <= maxBatches.
//
//go:noescape
func innerFr(sums *columns, a, b *fr.Element, n int)

// innerDifferenceFr does the same for (a[i]-b[i])·(c[i]-d[i]).
//
//go:noescape
func innerDifferenceFr(sums *columns, a, b, c, d *fr.Element, n int)
