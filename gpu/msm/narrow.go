package msm

import (
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// The words of the modulus r, lowest first, and −1/r mod 2^64.
const (
	modulus0 = 0x43e1f593f0000001
	modulus1 = 0x2833e84879b97091
	modulus2 = 0xb85045b68181585d
	modulus3 = 0x30644e72e131a029
	negative = 0xc2e1f593efffffff
)

// smallWidth is the number of bits of scalars that small surely reads.
const smallWidth = 61

// small returns the value of a scalar if it is below 2^61. Its Montgomery form is
// e = s·2^256 − q·r, where q is one word for such s, and the lowest word of e gives q. So
// e + q·r is s·2^256, or s is not small. It takes a quarter of the products of a reduction.
func small(e *fr.Element) (s uint64, ok bool) {
	q := e[0] * negative
	h0, l0 := bits.Mul64(q, modulus0)
	h1, l1 := bits.Mul64(q, modulus1)
	h2, l2 := bits.Mul64(q, modulus2)
	h3, l3 := bits.Mul64(q, modulus3)
	var c uint64
	l1, c = bits.Add64(l1, h0, 0)
	l2, c = bits.Add64(l2, h1, c)
	l3, c = bits.Add64(l3, h2, c)
	h3 += c
	_, c = bits.Add64(l0, e[0], 0)
	l1, c = bits.Add64(l1, e[1], c)
	l2, c = bits.Add64(l2, e[2], c)
	l3, c = bits.Add64(l3, e[3], c)
	return h3 + c, l1|l2|l3 == 0
}

// integers writes scalars of up to narrowWidth bits as integers.
func integers(dst []int32, scalars []fr.Element, width int) error {
	return spread(len(scalars), func(lo, hi int) error {
		for i := lo; i < hi; i++ {
			s, ok := small(&scalars[i])
			if !ok || bits.Len64(s) > width {
				return &WidthError{Index: i, Width: width}
			}
			dst[i] = int32(s)
		}
		return nil
	})
}
