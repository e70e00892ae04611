package layer

import "github.com/weisyn/wes/prover/graph"

// maxRangeBits bounds the range table. A graph with larger shifts writes their remainders
// with two digits.
const maxRangeBits = 14

// Two digits hold the remainder of every shift.
const _ = uint(2*maxRangeBits - graph.MaxShift)

// Digits is the number of digits, in base 2^RangeBits, that the remainders
// r = acc + half − 2^s·q of a Rescale are written with. They are scaled to fill their digits,
// so that channels of smaller shifts need no table of their own:
//
//	one digit   2^(R−s)·r = low
//	two digits  2^(2R−s)·r = 2^R·high + low
//
// Both digits are looked up among [0, 2^R), R = RangeBits. The high one is committed, the
// low one is what remains of the accumulator. q is an integer of the domain of its function
// because (y, q) is looked up.
//
// For any acc of the field at most one (q, high, low) passes: the difference of two has
// 2^(2R)·Δq + 2^R·Δhigh + Δlow = 0 with |Δq| < 2^20 and the others below 2^R, an integer far
// below the modulus, and numbers have one expansion in base 2^R. This takes that high itself
// is in the table. A multiple of it there would admit fractions, and with them q − 1:
// high = 2^R − 1/2 leaves room for a low digit of the next quotient.
func Digits(op *graph.Rescale) int {
	if op.MaxShift() > maxRangeBits {
		return 2
	}
	return 1
}
