package layer

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/poly"
)

// maxRangeBits bounds the range table. Remainders of larger shifts have two digits, which
// suffice for every shift.
const (
	maxRangeBits = 14
	_            = uint(2*maxRangeBits - graph.MaxShift)
)

// Digits is the number of digits, in base 2^RangeBits, that the remainders
// r = acc + half − 2^s·q of a Rescale are written with. They are scaled to fill their digits,
// so that channels of smaller shifts need no table of their own:
//
//	no digits   acc = q: no channel is shifted
//	one digit   2^(R−s)·r = low
//	two digits  2^(2R−s)·r = 2^R·high + low
//
// Digits are looked up among [0, 2^R), R = RangeBits. The high one is committed, the low one
// is what remains of the accumulator. q is an integer of the domain of its function because
// (y, q) is looked up. Without digits that is (y, acc), so acc is itself such an integer, and
// no excess is committed.
//
// For any acc of the field at most one (q, high, low) passes: the difference of two has
// 2^(2R)·Δq + 2^R·Δhigh + Δlow = 0 with |Δq| < 2^20 and the others below 2^R, an integer far
// below the modulus, and numbers have one expansion in base 2^R. This takes that high itself
// is in the table. A multiple of it there would admit fractions, and with them q − 1:
// high = 2^R − 1/2 leaves room for a low digit of the next quotient.
func Digits(op *graph.Rescale) int {
	return (op.MaxShift() + maxRangeBits - 1) / maxRangeBits
}

func (s *System) digits(column int) int {
	return Digits(s.Graph.Nodes[s.Columns[column].Tensor].Op.(*graph.Rescale))
}

// rescaleTerms weighs a Rescale's accumulator as its lookups do: those of low digits with
// 2^(Digits·R − MaxShift), those of the function, if there are no digits, with β.
func (s *System) rescaleTerms(node int, op *graph.Rescale, ch *Challenges, tables *eqTables) []NodeTerm {
	digits := Digits(op)
	kind, up := LeafRemainder, fr.NewElement(1<<(digits*s.RangeBits-op.MaxShift()))
	if digits == 0 {
		kind, up = LeafFunction, ch.Beta
	}
	return s.weighColumns(node, op.Acc.Channel, ch.Left.Point, tables, func(i int) fr.Element {
		leaf := s.Leaf(kind, i)
		v := selector(ch.Left.Point, leaf.Vars, leaf.Offset)
		return *v.Mul(&v, &up)
	})
}

// openDigit adds what a digit takes from the committed columns: a high one itself, a low one
// −2^(nR)·(y+e) − 2^R·high, with n digits.
func (s *System) openDigit(o *Opening, point []fr.Element, leaf *Leaf, sel fr.Element) {
	column := leaf.Column
	if leaf.Kind == LeafHigh {
		o.eq(s.slotIndex(SlotHigh, column), sel, point)
		return
	}
	unit := poly.FromInt64(-1 << s.RangeBits)
	unit.Mul(&unit, &sel)
	if s.digits(column) == 2 {
		o.eq(s.slotIndex(SlotHigh, column), unit, point)
		base := fr.NewElement(1 << s.RangeBits)
		unit.Mul(&unit, &base)
	}
	o.eq(s.slotIndex(SlotValue, column), unit, point)
	o.eq(s.slotIndex(SlotExcess, column), unit, point)
}
