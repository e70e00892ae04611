package prover

import (
	"fmt"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/layer"
	"github.com/weisyn/wes/prover/model/interpret/graphtest"
	"github.com/weisyn/wes/prover/poly"
	"github.com/weisyn/wes/prover/transcript"
)

// wideScenes are Rescales with remainders of two digits.
func wideScenes() []scene {
	return []scene{
		{"widest shift", func(n *net) int {
			return n.linear(graph.Term{Mult: 5<<26 + 12345}, 1, graph.MaxShift, n.commit(n.input(2, 5)))
		}},
		{"wide shift per channel", func(n *net) int {
			a, shift := n.commit(n.input(3, 5)), []int{13, 14, 15, 17}
			term := n.matmul(a, len(shift))
			w := n.c.Weights[term.Conv.Weight]
			for i := range w { // a scale for each channel
				w[i] = w[i]<<(shift[i/5]-3) + int32(n.rng.IntN(99))
			}
			return n.rescale(n.accumulator([]graph.Term{term}, graph.Constant{}, 1, []int{a}), shift, nil, a)
		}},
		{"wide product", func(n *net) int {
			a, b := n.commit(n.input(3, 5)), n.commit(n.input(5, 2))
			in := []int{a, b}
			term := n.times([]int{0, contracted}, []int{contracted, 1}, 999, a)
			return n.rescale(n.accumulator([]graph.Term{term}, graph.Constant{}, 1, in), []int{19}, nil, in...)
		}},
	}
}

// wideTwins are two layers of one shape with remainders of two digits.
func wideTwins(tb testing.TB) *graphtest.Case {
	n := newNet(tb)
	x := n.input(2, 8)
	a := n.linear(graph.Term{Mult: 5<<13 + 3}, 1, 15, x)
	b := n.linear(graph.Term{Mult: 3<<13 + 1}, 1, 15, x)
	return n.outputs(n.reveal(a), n.reveal(b))
}

// roundedWide is a Rescale with shifts 15 and 20 by channel, like rounded. With a multiplier
// of 2^14 all accumulators are halves.
func roundedWide(tb testing.TB, mult int64) (c *graphtest.Case, target int) {
	n := newNet(tb)
	x := []int32{1, 32, 49, -32, 3, 32, -50}
	in := n.input(1, len(x))
	n.c.Inputs[0] = x
	shift := make([]int, len(x))
	for i := range shift {
		shift[i] = 15 + 5*(i%2)
	}
	acc := n.accumulator([]graph.Term{{Mult: mult}}, graph.Constant{}, 1, []int{in})
	target = n.rescale(acc, shift, nil, in)
	return n.outputs(n.reveal(target)), target
}

// rejectCells tells every cell of a wide Rescale with another quotient or high digit: change
// gets the honest integers and tells whether there is a lie. The value fits the quotient, if
// that is an integer. The first lookup in the order low digit, high digit, function that no
// table answers must be of the kind stray.
func rejectCells(t *testing.T, mult int64, stray layer.LeafKind, change func(acc int64, shift, bits int, q, high *fr.Element) bool) {
	t.Helper()
	c, target := roundedWide(t, mult)
	p, trace := prepare(t, c, transcript.SHA256), execute(t, c)
	bits, told := p.Model.System().RangeBits, 0
	for cell, acc := range trace.Accs[target] {
		s := 15 + 5*(cell%2)
		honest := graph.ShiftRight(acc, s)
		q := poly.FromInt64(honest)
		high := poly.FromInt64((acc + graph.Half(s) - honest<<s) << (2*bits - s) >> bits)
		if !change(acc, s, bits, &q, &high) {
			continue
		}
		told++
		y := trace.Values[target][cell]
		if v, ok := toInt(q); ok {
			y = int32(clamp(int64(v)))
		}
		lie := executeWith(t, c, in(target, func(v []int32) { v[cell] = y }))
		mustReject(t, p, statementOf(t, p, lie), lie, func(l *liar) {
			column, at := l.locate(target, cell)
			value := poly.FromInt64(int64(y))
			l.cell(layer.SlotExcess, column, at).Sub(&q, &value)
			*l.cell(layer.SlotHigh, column, at) = high
			if got := l.stray(); got != stray {
				t.Errorf("cell %d: lookup of kind %d fails, want %d", cell, got, stray)
			}
		})
	}
	if told < 3 {
		t.Errorf("only %d lies told", told)
	}
}

// stray is the kind of the first lookup that no table answers.
func (l *liar) stray() layer.LeafKind {
	found, tables := layer.LeafMaximum, l.finders()
	l.eachLeaf(func(leaf *layer.Leaf, _, at, cell int) {
		if _, ok := tables[leaf.Table](l.key(leaf, at, cell, l.accs)); !ok {
			found = min(found, leaf.Kind)
		}
	})
	return found
}

// add adds an integer times a power of two, which may be a fraction.
func add(v *fr.Element, d int64, exponent int) {
	e, two := poly.FromInt64(d), fr.NewElement(2)
	for range -exponent {
		e.Div(&e, &two)
	}
	for range exponent {
		e.Mul(&e, &two)
	}
	v.Add(v, &e)
}

// TestHighDigitsAreBound guards rule 5: another high digit, with a low digit that makes up
// for it and leaves its range.
func TestHighDigitsAreBound(t *testing.T) {
	for _, d := range []int64{1, -1, -5, 1 << 13, 1 << 40} {
		t.Run(fmt.Sprint(d), func(t *testing.T) {
			rejectCells(t, 3<<14+1, layer.LeafRemainder, func(_ int64, _, _ int, _, high *fr.Element) bool {
				add(high, d, 0)
				return true
			})
		})
	}
}

// TestQuotientsThatHighDigitsMakeUpForAreRejected guards rule 5: q ± d with a high digit out
// of range, and the low digit as it is.
func TestQuotientsThatHighDigitsMakeUpForAreRejected(t *testing.T) {
	for _, d := range []int64{1, -1, -60} {
		t.Run(fmt.Sprint(d), func(t *testing.T) {
			rejectCells(t, 3<<14+1, layer.LeafHigh, func(_ int64, _, bits int, q, high *fr.Element) bool {
				add(q, d, 0)
				add(high, -d, bits)
				return true
			})
		})
	}
}

// TestFractionalHighDigitsAreRejected guards rule 5: a high digit that is a fraction, with
// a low digit in range that makes up for it; and the next smaller quotient with a high digit
// that is a fraction below 2^R.
func TestFractionalHighDigitsAreRejected(t *testing.T) {
	for exponent := 1; exponent <= 13; exponent += 6 {
		t.Run(fmt.Sprint("2^-", exponent), func(t *testing.T) {
			rejectCells(t, 3<<14+1, layer.LeafHigh, func(acc int64, s, bits int, _, high *fr.Element) bool {
				low := acc + graph.Half(s) - graph.ShiftRight(acc, s)<<s
				low = low << (2*bits - s) & (1<<bits - 1)
				if unit := int64(1) << (bits - exponent); low >= unit {
					add(high, 1, -exponent)
				} else {
					add(high, -1, -exponent)
				}
				return true
			})
		})
	}
	t.Run("next quotient", func(t *testing.T) {
		rejectCells(t, 1<<14, layer.LeafHigh, func(acc int64, s, bits int, q, high *fr.Element) bool {
			scaled := (acc + graph.Half(s) - graph.ShiftRight(acc, s)<<s) << (2*bits - s)
			if scaled >= 1<<(bits-1) {
				return false // a low digit of scaled + 2^(R−1) is out of range
			}
			add(q, -1, 0)
			high.SetInt64(1 << bits)
			add(high, -1, -1)
			return true
		})
	})
}

// TestFractionalQuotientsOfDigitsAreRejected guards rule 5: both digits in range, and the
// quotient what they leave.
func TestFractionalQuotientsOfDigitsAreRejected(t *testing.T) {
	for _, digits := range [][2]int64{{0, 0}, {1<<14 - 1, 1<<14 - 1}, {77, 9999}} {
		t.Run(fmt.Sprint(digits), func(t *testing.T) {
			rejectCells(t, 3<<14+1, layer.LeafFunction, func(acc int64, s, bits int, q, high *fr.Element) bool {
				scaled := digits[0]<<bits + digits[1]
				if honest := (acc + graph.Half(s) - graph.ShiftRight(acc, s)<<s) << (2*bits - s); honest == scaled {
					return false
				}
				*q = fr.Element{}
				add(q, (acc+graph.Half(s))<<(2*bits-s)-scaled, -2*bits)
				high.SetInt64(digits[0])
				return true
			})
		})
	}
}
