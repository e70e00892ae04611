package commit

import (
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// The curve has the endomorphism φ(x, y) = (ω·x, y), with ω a third root of one, and φ(P) is
// λ·P for a root λ of λ²+λ+1 modulo r. So k·P = k1·P + k2·φ(P) with k = k1 + λ·k2, and both
// halves are short (Gallant, Lambert and Vanstone, CRYPTO 2001): a sum over twice the points
// has half the windows, hence half the buckets.
//
// The pairs (a, b) with a + λ·b = 0 modulo r are a lattice with the short basis
//
//	(shortA, −longB), (longA, shortA)
//
// whose determinant is r. (k, 0) less the lattice point at the floors of its coordinates is
// (k1, k2). Its coordinates are k·shortA/r and k·longB/r; the quotients by r are products
// with floor(2^256·shortA/r) and floor(2^256·longB/r), which makes a floor too small by one at
// times, in the limit by 1 + 2^254/2^256. So
//
//	0 ≤ k1 < 5/4·(shortA + longA) < 2^128
//	−5/4·longB < k2 < 5/4·shortA < 2^64
//
// and both are known from their lowest 128 bits: k2 is negative if its high word is not zero.
const halfBits = 128

// half is a part of a scalar: its magnitude, lowest word first, and its sign.
type half struct {
	words    [fr.Limbs]uint64
	negative bool
}

// splitScalar writes a scalar, given by its words, as k1 + λ·k2.
func splitScalar(k [fr.Limbs]uint64) (halves [2]half) {
	const shortA = 0x89d3256894d213e3
	longA := [2]uint64{0x0be4e1541221250b, 0x6f4d8248eeb859fd}
	longB := [2]uint64{0x8211bbeb7d4f1128, 0x6f4d8248eeb859fc}
	c1 := highWords(k, [3]uint64{0xd91d232ec7e0b3d7, 2, 0})
	c2 := highWords(k, [3]uint64{0x7a7bd9d4391eb18d, 0x4ccef014a773d2cf, 2})

	// k1 = k − c1·shortA − c2·longA
	k1 := sub128([2]uint64{k[0], k[1]}, mul128(c1, [2]uint64{shortA}))
	k1 = sub128(k1, mul128(c2, longA))
	// k2 = c1·longB − c2·shortA
	k2 := sub128(mul128(c1, longB), mul128(c2, [2]uint64{shortA}))
	negative := k2[1] != 0
	if negative {
		k2 = sub128([2]uint64{}, k2)
	}
	return [2]half{{words: [fr.Limbs]uint64{k1[0], k1[1]}}, {words: [fr.Limbs]uint64{k2[0], k2[1]}, negative: negative}}
}

// highWords is floor(k·g/2^256), of which the lowest 128 bits are returned.
func highWords(k [fr.Limbs]uint64, g [3]uint64) [2]uint64 {
	var t [len(k) + len(g)]uint64
	for i := range g {
		var carry uint64
		for j := range k {
			hi, lo := bits.Mul64(k[j], g[i])
			var c uint64
			lo, c = bits.Add64(lo, carry, 0)
			hi += c
			t[i+j], c = bits.Add64(t[i+j], lo, 0)
			carry = hi + c
		}
		t[i+len(k)] = carry
	}
	return [2]uint64{t[4], t[5]}
}

// mul128 is a·b modulo 2^128.
func mul128(a, b [2]uint64) [2]uint64 {
	hi, lo := bits.Mul64(a[0], b[0])
	return [2]uint64{lo, hi + a[0]*b[1] + a[1]*b[0]}
}

// sub128 is a − b modulo 2^128.
func sub128(a, b [2]uint64) [2]uint64 {
	lo, borrow := bits.Sub64(a[0], b[0], 0)
	hi, _ := bits.Sub64(a[1], b[1], borrow)
	return [2]uint64{lo, hi}
}

// withImages is the points followed by φ of each.
func withImages(points []bn254.G1Affine) []bn254.G1Affine {
	omega := fp.Element{0x71930c11d782e155, 0xa6bb947cffbe3323, 0xaa303344d4741444, 0x2c3b3f0d26594943} // Montgomery form
	n := len(points)
	both := make([]bn254.G1Affine, 2*n)
	parallel(n, 1024, func(lo, hi int) {
		copy(both[lo:hi], points[lo:hi])
		for i := lo; i < hi; i++ {
			both[n+i].X.Mul(&points[i].X, &omega)
			both[n+i].Y = points[i].Y
		}
	})
	return both
}
