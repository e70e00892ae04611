package prover

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/layer"
	"github.com/weisyn/wes/prover/model/interpret/graphtest"
	"github.com/weisyn/wes/prover/poly"
	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/verify"
)

// rounded is a Rescale with shifts 2 and 4 by channel over chosen accumulators: x has one
// row, the accumulator of channel c is x[c]·mult.
func rounded(tb testing.TB, mult int64, function func(int64) int64, x ...int32) (c *graphtest.Case, target int) {
	n := newNet(tb)
	in := n.input(1, len(x))
	n.c.Inputs[0] = x
	shift := make([]int, len(x))
	for i := range shift {
		shift[i] = 2 + 2*(i%2)
	}
	acc := n.accumulator([]graph.Term{{Mult: mult}}, graph.Constant{}, 1, []int{in})
	target = n.rescale(acc, shift, function, in)
	return n.outputs(n.reveal(target)), target
}

// TestQuotientsShiftedByTheModulusAreRejected guards rule 5: q ± 1 with r ∓ 2^s, and the
// same by more, with outputs that fit the quotient.
func TestQuotientsShiftedByTheModulusAreRejected(t *testing.T) {
	c, target := rounded(t, 3, nil, 11, 25, 47, -3, 50)
	p := prepare(t, c, transcript.SHA256)
	honest := execute(t, c)
	for cell := range c.Inputs[0] {
		for _, d := range []int64{1, -1, 2, -7, 100} {
			s := 2 + 2*(cell%2)
			q := graph.ShiftRight(honest.Accs[target][cell], s) + d
			trace := executeWith(t, c, in(target, func(v []int32) { v[cell] = int32(clamp(q)) }))
			mustReject(t, p, statementOf(t, p, trace), trace, func(l *liar) {
				column, at := l.locate(target, cell)
				l.setQuotient(column, at, q, clamp(q))
			})
		}
	}
}

// TestFractionalQuotientsAreRejected guards rule 5: q = (acc + half − r)/2^s in the field
// with another r, so that the remainder is in range and the quotient no integer; and with
// an r that is itself a fraction of which the scaled remainder is an integer in range.
func TestFractionalQuotientsAreRejected(t *testing.T) {
	c, target := rounded(t, 3, nil, 11, 25, 47, -3, 50)
	p, trace := prepare(t, c, transcript.SHA256), execute(t, c)
	st := statementOf(t, p, trace)
	up := p.Model.System().RangeBits
	for cell, acc := range trace.Accs[target] {
		s := 2 + 2*(cell%2)
		for scaled := range int64(1) << up { // the remainder times 2^(up-s)
			if honest := (acc + graph.Half(s) - graph.ShiftRight(acc, s)<<s) << (up - s); scaled == honest {
				continue
			}
			// q·2^up = (acc + half)·2^(up-s) − scaled
			q := poly.FromInt64((acc+graph.Half(s))<<(up-s) - scaled)
			unit := fr.NewElement(1 << up)
			q.Div(&q, &unit)
			mustReject(t, p, st, trace, func(l *liar) {
				column, at := l.locate(target, cell)
				e := l.cell(layer.SlotExcess, column, at)
				e.Sub(&q, l.cell(layer.SlotValue, column, at))
			})
		}
	}
}

// TestRoundingBoundariesAreAccepted proves accumulators on and next to halves.
func TestRoundingBoundariesAreAccepted(t *testing.T) {
	c, _ := rounded(t, 1, func(q int64) int64 { return min(max(q, -127), 127) }, 2, 8, -2, -8, 1, 7, -1, -7, 3, 9, -3, -9, 0, 0, 6, 24, -6, -24)
	p, trace := prepare(t, c, transcript.SHA256), execute(t, c)
	if err := newLiar(t, p, statementOf(t, p, trace), trace, false).prove(); err != nil {
		t.Error(err)
	}
}

// TestOtherRoundingsAreRejected guards rule 6: halves rounded down, towards zero, away
// from zero or to even.
func TestOtherRoundingsAreRejected(t *testing.T) {
	wide := func(q int64) int64 { return min(max(q, -127), 127) }
	c, target := rounded(t, 1, wide, 2, 8, -2, -8, 6, 24, -6, -24)
	p, honest := prepare(t, c, transcript.SHA256), execute(t, c)
	for cell, acc := range honest.Accs[target] {
		s := 2 + 2*(cell%2)
		if (acc+graph.Half(s))%(1<<s) != 0 {
			t.Fatalf("accumulator %d is no half of 2^%d", acc, s)
		}
		down := graph.ShiftRight(acc, s) - 1
		trace := executeWith(t, c, in(target, func(v []int32) { v[cell] = int32(down) }))
		mustReject(t, p, statementOf(t, p, trace), trace, func(l *liar) {
			column, at := l.locate(target, cell)
			l.setQuotient(column, at, down, down)
		})
	}
}

// TestTiesOfAMaximumAreAccepted proves a maximum of equal operands.
func TestTiesOfAMaximumAreAccepted(t *testing.T) {
	n := newNet(t)
	a := n.commit(n.input(2, 3))
	m := n.add(&graph.Max{Channel: 1}, a, a)
	c := n.outputs(n.reveal(m))
	p, trace := prepare(t, c, transcript.SHA256), execute(t, c)
	if err := newLiar(t, p, statementOf(t, p, trace), trace, false).prove(); err != nil {
		t.Error(err)
	}
}

// TestSaturationLiesAreRejected guards rule 8: a value that saturates when it must not, or
// does not when it must, at both ends.
func TestSaturationLiesAreRejected(t *testing.T) {
	c, target := rounded(t, 40, nil, 50, -50, 10, -1, 12, 50, 1, -3)
	p, honest := prepare(t, c, transcript.SHA256), execute(t, c)
	for cell, acc := range honest.Accs[target] {
		q := graph.ShiftRight(acc, 2+2*(cell%2))
		for _, y := range []int64{q, 0, 127, 128, -128, -1, q - 1, q & 0x7f} {
			if y == clamp(q) {
				continue
			}
			trace := executeWith(t, c, in(target, func(v []int32) { v[cell] = int32(y) }))
			mustReject(t, p, statementOf(t, p, trace), trace, nil)
		}
	}
}

// TestPaddingCellsAreBound guards rule 8: cells that belong to no tensor hold nothing but
// what the relation says, though nobody reads them.
func TestPaddingCellsAreBound(t *testing.T) {
	offset := func(q int64) int64 { return clamp(q + 9) } // T[0] is not 0
	build := func(shift int, function func(int64) int64, shape ...int) *graphtest.Case {
		n := newNet(t)
		x := n.input(shape...)
		acc := n.accumulator([]graph.Term{{Mult: 5 << shift / 4}}, graph.Constant{}, len(shape)-1, []int{x})
		a := n.rescale(acc, []int{shift}, function, x)
		m := n.add(&graph.Max{Channel: len(shape) - 1}, a, n.commit(x))
		return n.outputs(n.reveal(m))
	}
	for _, shape := range [][]int{{3, 3}, {1, 1}, {5, 3, 2}} {
		for i, function := range []func(int64) int64{nil, offset, offset, nil, offset} {
			shift := []int{2, 2, 15, 0, 0}[i]
			c := build(shift, function, shape...)
			p, trace := prepare(t, c, transcript.SHA256), execute(t, c)
			st := statementOf(t, p, trace)
			pad := func(name string, change func(l *liar, column, at int)) {
				t.Run(fmt.Sprint(shape, "/function ", i, "/", name), func(t *testing.T) {
					found := false
					mustReject(t, p, st, trace, func(l *liar) {
						for i := range l.sys.Columns {
							col := &l.sys.Columns[i]
							if _, ok := c.Graph.Nodes[col.Tensor].Op.(*graph.Max); ok != (name == "maximum") {
								continue
							}
							for at, cell := range stored(col) {
								if cell < 0 {
									found = true
									change(l, i, at)
									return
								}
							}
						}
					})
					if !found {
						t.Error("no padding")
					}
				})
			}
			plus := func(kind layer.SlotKind, d int64) func(*liar, int, int) {
				return func(l *liar, column, at int) {
					v, e := l.cell(kind, column, at), poly.FromInt64(d)
					v.Add(v, &e)
				}
			}
			pad("value", plus(layer.SlotValue, 1))
			if shift > 0 {
				pad("excess", plus(layer.SlotExcess, -1))
				pad("huge excess", plus(layer.SlotExcess, 1<<40))
				pad("value with a quotient of zero", func(l *liar, column, at int) {
					plus(layer.SlotValue, 3)(l, column, at)
					plus(layer.SlotExcess, -3)(l, column, at)
				})
			}
			pad("row of another quotient", func(l *liar, column, at int) { l.setQuotient(column, at, 50, 50) })
			pad("maximum", plus(layer.SlotValue, 1))
			if shift == 15 {
				pad("high digit", plus(layer.SlotHigh, 1))
				pad("high digit of another quotient", func(l *liar, column, at int) {
					l.setQuotient(column, at, -1, clamp(-1+9))
					l.set(layer.SlotHigh, column, at, 1<<l.sys.RangeBits)
				})
			}
		}
	}
}

// multiplicities is a graph with several tables and an honest trace of it.
func multiplicities(t *testing.T) (*Prepared, *verify.Statement, *graph.Trace) {
	n := newNet(t)
	a := n.commit(n.input(2, 5))
	m := n.add(&graph.Max{Channel: 1}, a, n.add(&graph.Select{Axis: 1, Index: []int{1, 2, 3, 4, 4}}, a))
	c := n.outputs(n.reveal(m))
	p, trace := prepare(t, c, transcript.SHA256), execute(t, c)
	return p, statementOf(t, p, trace), trace
}

// TestForgedMultiplicitiesAreRejected guards rule 7 on every table: counts moved between
// rows, an element counted twice or not at all, negative, huge and fractional counts.
func TestForgedMultiplicitiesAreRejected(t *testing.T) {
	p, st, trace := multiplicities(t)
	one := fr.One()
	half, huge := fr.NewElement(2), fr.Element{}
	half.Inverse(&half)
	huge.SetBigInt(new(big.Int).Lsh(big.NewInt(1), 200))
	forgeries := map[string]func(used, unused *fr.Element){
		"moved":       func(a, b *fr.Element) { a.Sub(a, &one); b.Add(b, &one) },
		"moved back":  func(a, b *fr.Element) { a.Add(a, &one); b.Sub(b, &one) },
		"twice":       func(a, _ *fr.Element) { a.Add(a, &one) },
		"dropped":     func(a, _ *fr.Element) { a.SetZero() },
		"negative":    func(a, _ *fr.Element) { a.Neg(a) },
		"huge":        func(a, _ *fr.Element) { a.Add(a, &huge) },
		"fraction":    func(a, b *fr.Element) { a.Sub(a, &half); b.Add(b, &half) },
		"unused row":  func(_, b *fr.Element) { b.Add(b, &one) },
		"huge unused": func(_, b *fr.Element) { b.Set(&huge) },
	}
	for table := range p.Model.System().Tables {
		for name, forgery := range forgeries {
			t.Run(fmt.Sprint("table ", table, "/", name), func(t *testing.T) {
				l := newLiar(t, p, st, trace, false)
				l.count()
				lt := &l.sys.Tables[table]
				used, unused := -1, -1
				for i := range lt.Size {
					if l.cell(layer.SlotCount, table, i).IsZero() {
						unused = i
					} else {
						used = i
					}
				}
				if unused < 0 { // every remainder occurs
					unused = 0
				}
				forgery(l.cell(layer.SlotCount, table, used), l.cell(layer.SlotCount, table, unused))
				wantRejection(t, l.prove(), verify.CheckLookup)
			})
		}
	}
}

// TestSumOfOtherMultiplicitiesThanCommittedIsRejected proves the fractional sums with
// honest counts while others are committed.
func TestSumOfOtherMultiplicitiesThanCommittedIsRejected(t *testing.T) {
	p, st, trace := multiplicities(t)
	l := newLiar(t, p, st, trace, false)
	l.count()
	count := l.cell(layer.SlotCount, 0, 0)
	honest, one := *count, fr.One()
	count.Add(count, &one)
	l.commit()
	committed := *count
	*count = honest
	l.lookup()
	*count = committed
	l.contract()
	l.open()
	wantRejection(t, verify.Verify(p.Model, st, l.result.Proof), verify.CheckCells)
}

// TestRowsThatNoTableHasAreRejected guards rule 7: a key in no table, answered by a row
// that the tables do not have, past their end or in the place of an unused row.
func TestRowsThatNoTableHasAreRejected(t *testing.T) {
	p, _, _ := multiplicities(t)
	c := &graphtest.Case{
		Graph: p.Model.Graph, Info: p.Model.System().Info, Weights: p.Weights,
		Inputs: [][]int32{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
	}
	trace := executeWith(t, c, in(1, func(v []int32) { v[0] += 3 }))
	st := statementOf(t, p, trace)
	sys := p.Model.System()
	if sys.RowCount == 1<<sys.RowVars {
		t.Fatal("no room past the tables")
	}
	l := newLiar(t, p, st, trace, false)
	l.counted = true // the only key in no table has its row past the end
	lost := l.lost()
	l.commit()
	l.extra.Num = []fr.Element{fr.One()}
	l.extra.Den = []fr.Element{l.denominator(lost.key, lost.table)}
	l.lookup()
	l.contract()
	l.open()
	wantRejection(t, verify.Verify(p.Model, st, l.result.Proof), verify.CheckTable)
}

// lostKey is a key that no table has.
type lostKey struct {
	key   key
	table int
}

// lost counts the keys that are in tables, and finds the one that is not.
func (l *liar) lost() lostKey {
	var found []lostKey
	one, tables := fr.One(), l.finders()
	l.eachLeaf(func(leaf *layer.Leaf, _, at, cell int) {
		k := l.key(leaf, at, cell, l.accs)
		row, ok := tables[leaf.Table](k)
		if !ok {
			found = append(found, lostKey{k, leaf.Table})
			return
		}
		n := l.cell(layer.SlotCount, leaf.Table, int(row))
		n.Add(n, &one)
	})
	if len(found) != 1 {
		l.tb.Fatalf("%d keys are in no table, want 1", len(found))
	}
	return found[0]
}
