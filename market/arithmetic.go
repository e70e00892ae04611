package market

import "math/bits"

// saturated adds, and stops at the largest number.
func saturated(a, b uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	if carry != 0 {
		return 1<<64 - 1
	}
	return sum
}

// times multiplies; false if the product leaves 64 bits.
func times(a, b uint64) (uint64, bool) {
	hi, lo := bits.Mul64(a, b)
	return lo, hi == 0
}

// ratio returns ⌊n·a/b⌋, or the largest number if that leaves 64 bits. b is not zero.
func ratio(n, a, b uint64) uint64 {
	hi, lo := bits.Mul64(n, a)
	if hi >= b {
		return 1<<64 - 1
	}
	q, _ := bits.Div64(hi, lo, b)
	return q
}
