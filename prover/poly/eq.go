package poly

import (
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/prover/vec"
)

// lowVars is the number of low variables that EqScaled and Evaluate treat as
// one block: a table of 2^lowVars elements (16 KiB) stays in the first cache.
const lowVars = 9

// Eq returns the table of eq(point, ·), 2^len(point) elements.
func Eq(point []fr.Element) []fr.Element {
	return EqPrefix(point, 1<<len(point))
}

// EqPrefix returns the first n entries of the table of eq(point, ·), for
// 0 <= n <= 2^len(point), at a cost linear in n.
func EqPrefix(point []fr.Element, n int) []fr.Element {
	dst := make([]fr.Element, n)
	EqScaled(dst, point, fr.One())
	return dst
}

// EqScaled sets dst[i] = scale·eq(point, i) for i < len(dst) <= 2^len(point).
// Large tables use all cores.
func EqScaled(dst []fr.Element, point []fr.Element, scale fr.Element) {
	if len(point) < 63 && len(dst) > 1<<len(point) {
		panic("BUG: poly.EqScaled: table longer than the cube")
	}
	if len(dst) <= 1<<lowVars {
		eqSmall(dst, point, scale)
		return
	}
	split := len(point) - lowVars
	low := make([]fr.Element, 1<<lowVars)
	eqSmall(low, point[split:], fr.One())
	blocks := (len(dst) + len(low) - 1) / len(low)
	high := make([]fr.Element, blocks)
	EqScaled(high, point[:split], scale)
	Parallel(blocks, 8, func(start, end int) {
		for b := start; b < end; b++ {
			block := dst[b*len(low) : min((b+1)*len(low), len(dst))]
			vec.Scale(block, low[:len(block)], &high[b])
		}
	})
}

// eqSmall is EqScaled on one core: it doubles the table variable by variable,
// from the least significant, with one multiplication per new pair.
func eqSmall(dst []fr.Element, point []fr.Element, scale fr.Element) {
	if len(dst) == 0 {
		return
	}
	// Variables above the last entry contribute the same factor everywhere.
	top := len(point) - bits.Len(uint(len(dst)-1))
	for j := range top {
		c := complement(&point[j])
		scale.Mul(&scale, &c)
	}
	point = point[top:]
	dst[0] = scale
	filled := 1
	for j := len(point) - 1; j >= 0; j-- {
		set := min(filled, len(dst)-filled)
		lo, hi := fr.Vector(dst[:set]), fr.Vector(dst[filled:filled+set])
		vec.Scale(hi, lo, &point[j])
		lo.Sub(lo, hi)
		if set < filled {
			c := complement(&point[j])
			vec.Scale(dst[set:filled], dst[set:filled], &c)
		}
		filled += set
	}
}

// Evaluate returns the multilinear extension of table at point, for
// len(table) <= 2^len(point): Σ_i table[i]·eq(point, i), with one multiplication
// per entry. Large tables use all cores.
func Evaluate(table []fr.Element, point []fr.Element) fr.Element {
	if len(point) < 63 && len(table) > 1<<len(point) {
		panic("BUG: poly.Evaluate: table longer than the cube")
	}
	split := max(0, len(point)-lowVars)
	low := EqPrefix(point[split:], min(len(table), 1<<(len(point)-split)))
	if len(low) == 0 {
		return fr.Element{}
	}
	blocks := (len(table) + len(low) - 1) / len(low)
	sums := make([]fr.Element, blocks)
	Parallel(blocks, 8, func(start, end int) {
		for b := start; b < end; b++ {
			block := table[b*len(low) : min((b+1)*len(low), len(table))]
			sums[b] = vec.Inner(block, low[:len(block)])
		}
	})
	if split == 0 {
		return sums[0]
	}
	return Evaluate(sums, point[:split])
}
