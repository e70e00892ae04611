package vec

import "github.com/consensys/gnark-crypto/ecc/bn254/fp"

// MulFp sets dst[i] = a[i]·b[i].
func MulFp(dst, a, b []fp.Element) {
	mustMatch(len(dst), len(a), len(b))
	done := 0
	if n := len(dst) / lanes; n > 0 && useKernels() {
		mulFp(&dst[0], &a[0], &b[0], n)
		done = n * lanes
	}
	rest := fp.Vector(dst[done:])
	rest.Mul(a[done:], b[done:])
}

// SubMulFp sets dst[i] = (a[i]-b[i])·c[i].
func SubMulFp(dst, a, b, c []fp.Element) {
	mustMatch(len(dst), len(a), len(b))
	mustMatch(len(dst), len(c), len(c))
	done := 0
	if n := len(dst) / lanes; n > 0 && useKernels() {
		subMulFp(&dst[0], &a[0], &b[0], &c[0], n)
		done = n * lanes
	}
	var difference [block]fp.Element
	for i := done; i < len(dst); i += block {
		end := min(i+block, len(dst))
		x, out := fp.Vector(difference[:end-i]), fp.Vector(dst[i:end])
		x.Sub(a[i:end], b[i:end])
		out.Mul(x, c[i:end])
	}
}

// SubMulSubFp sets dst[i] = (a[i]-b[i])·c[i] - d[i].
func SubMulSubFp(dst, a, b, c, d []fp.Element) {
	mustMatch(len(dst), len(a), len(b))
	mustMatch(len(dst), len(c), len(d))
	done := 0
	if n := len(dst) / lanes; n > 0 && useKernels() {
		subMulSubFp(&dst[0], &a[0], &b[0], &c[0], &d[0], n)
		done = n * lanes
	}
	var product [block]fp.Element
	for i := done; i < len(dst); i += block {
		end := min(i+block, len(dst))
		x, out := fp.Vector(product[:end-i]), fp.Vector(dst[i:end])
		x.Sub(a[i:end], b[i:end])
		x.Mul(x, c[i:end])
		out.Sub(x, d[i:end])
	}
}

// SquareSubFp sets dst[i] = a[i]^2 - b[i] - c[i].
func SquareSubFp(dst, a, b, c []fp.Element) {
	mustMatch(len(dst), len(a), len(b))
	mustMatch(len(dst), len(c), len(c))
	done := 0
	if n := len(dst) / lanes; n > 0 && useKernels() {
		squareSubFp(&dst[0], &a[0], &b[0], &c[0], n)
		done = n * lanes
	}
	var square [block]fp.Element
	for i := done; i < len(dst); i += block {
		end := min(i+block, len(dst))
		x, out := fp.Vector(square[:end-i]), fp.Vector(dst[i:end])
		x.Mul(a[i:end], a[i:end])
		x.Sub(x, b[i:end])
		out.Sub(x, c[i:end])
	}
}
