package prover

import (
	"errors"
	"math/big"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/layer"
	"github.com/weisyn/wes/prover/lookup"
	"github.com/weisyn/wes/prover/poly"
	"github.com/weisyn/wes/prover/sumcheck"
	"github.com/weisyn/wes/prover/verify"
)

// liar is a prover that does not check what it proves. It commits to any field elements,
// and either looks up the keys that its cells have, in a table or not (candid), or claims
// rows of the tables that fit its story (forging).
type liar struct {
	*proving
	tb    testing.TB
	accs  [][]int64 // accumulators as the committed tensors give them; the trace has the story's
	cells []fr.Element
	forge bool

	counted bool // the counts in cells are final
	extra   lookup.Side
	sums    func(convs *[2]fr.Element)         // changes the sums of convolutions before they are sent
	factors func(weights, inputs []fr.Element) // changes the factors before they are sent
	weights []int32                            // packed weights to open; nil: those of the contraction
	drop    func(l []fr.Element)
	rho     []fr.Element // point of the opening
}

// newLiar lays the story of a trace out: values as they are, excesses and high digits that
// fit the accumulators.
func newLiar(tb testing.TB, p *Prepared, s *verify.Statement, trace *graph.Trace, forge bool) *liar {
	tb.Helper()
	sys := p.Model.System()
	l := &liar{tb: tb, forge: forge, accs: trace.Accs, cells: make([]fr.Element, sys.CellCount), proving: &proving{
		prepared: p, sys: sys, result: &Result{Statement: s, Proof: new(verify.Proof)},
		witness: &witness{sys: sys, trace: trace},
	}}
	var err error
	if l.tr, err = p.Model.Begin(s); err != nil {
		tb.Fatal(err)
	}
	for i := range sys.Columns {
		c := &sys.Columns[i]
		op, ok := sys.Graph.Nodes[c.Tensor].Op.(*graph.Rescale)
		for at, cell := range stored(c) {
			switch {
			case cell >= 0 && ok:
				s, acc := shiftAt(c, op, cell), trace.Accs[c.Tensor][cell]
				l.setQuotient(i, at, graph.ShiftRight(acc, s), int64(trace.Values[c.Tensor][cell]))
				if layer.Digits(op) == 2 {
					l.set(layer.SlotHigh, i, at, l.high(acc, s))
				}
			case cell >= 0:
				l.set(layer.SlotValue, i, at, int64(trace.Values[c.Tensor][cell]))
			case ok:
				t := &sys.Graph.Tables[op.Table]
				l.setQuotient(i, at, 0, int64(t.Values()[-t.Lo]))
			}
		}
	}
	return l
}

// stored maps the cells of a column to logical cells, -1 for padding.
func stored(c *layer.Column) []int {
	at := make([]int, 1<<c.Vars)
	for i := range at {
		at[i] = -1
	}
	c.Runs(func(cell, store int) {
		for i := range 1 << c.Low {
			at[store+i] = cell + i*c.ChannelStride()
		}
	})
	return at
}

func shiftAt(c *layer.Column, op *graph.Rescale, cell int) int {
	if len(op.Shift) == 1 {
		return op.Shift[0]
	}
	return op.Shift[cell/c.ChannelStride()%c.Shape[c.Channel]]
}

// locate finds a logical cell of a tensor among the columns.
func (l *liar) locate(tensor, cell int) (column, at int) {
	for i := range l.sys.Columns {
		if c := &l.sys.Columns[i]; c.Tensor == tensor {
			if at := slices.Index(stored(c), cell); at >= 0 {
				return i, at
			}
		}
	}
	l.tb.Fatalf("no cell %d of tensor %d", cell, tensor)
	return 0, 0
}

func (l *liar) cell(kind layer.SlotKind, source, at int) *fr.Element {
	return &l.cells[l.sys.Slot(kind, source).Offset+at]
}

func (l *liar) set(kind layer.SlotKind, source, at int, v int64) {
	*l.cell(kind, source, at) = poly.FromInt64(v)
}

// setQuotient sets value and excess. Without digits the quotient is the accumulator, which
// nothing commits to.
func (l *liar) setQuotient(column, at int, q, y int64) {
	l.set(layer.SlotValue, column, at, y)
	if op := l.rescale(column); layer.Digits(op) > 0 {
		l.set(layer.SlotExcess, column, at, q-y)
	}
}

// rescale is the operator of a column.
func (l *liar) rescale(column int) *graph.Rescale {
	return l.sys.Graph.Nodes[l.sys.Columns[column].Tensor].Op.(*graph.Rescale)
}

// high is the high digit of the remainder of an accumulator.
func (l *liar) high(acc int64, shift int) int64 {
	r := acc + graph.Half(shift) - graph.ShiftRight(acc, shift)<<shift
	return r << (2*l.sys.RangeBits - shift) >> l.sys.RangeBits
}

// key is what a leaf looks up, given the committed cells and accumulators.
type key [2]fr.Element

func (l *liar) key(leaf *layer.Leaf, at, cell int, accs [][]int64) key {
	c := &l.sys.Columns[leaf.Column]
	y := *l.cell(layer.SlotValue, leaf.Column, at)
	switch leaf.Kind {
	case layer.LeafMaximum:
		k := key{y, y}
		if cell >= 0 {
			for i, t := range l.sys.Graph.Nodes[c.Tensor].Inputs {
				v, err := l.witness.view(t)
				if err != nil {
					l.tb.Fatal(err)
				}
				x := poly.FromInt64(int64(v[cell]))
				k[i].Sub(&y, &x)
			}
		}
		return k
	case layer.LeafHigh:
		return key{*l.cell(layer.SlotHigh, leaf.Column, at)}
	}
	if layer.Digits(l.rescale(leaf.Column)) == 0 {
		if cell < 0 {
			return key{y}
		}
		return key{y, poly.FromInt64(accs[c.Tensor][cell])}
	}
	q := *l.cell(layer.SlotExcess, leaf.Column, at)
	q.Add(&q, &y)
	if leaf.Kind == layer.LeafFunction {
		return key{y, q}
	}
	return key{l.low(leaf.Column, at, cell, q, accs[c.Tensor])}
}

// low is the low digit of a remainder, given the quotient and the high digit.
func (l *liar) low(column, at, cell int, q fr.Element, accs []int64) fr.Element {
	c, op := &l.sys.Columns[column], l.rescale(column)
	digits := layer.Digits(op)
	unit := fr.NewElement(1 << l.sys.RangeBits)
	var r fr.Element
	if cell >= 0 {
		s := shiftAt(c, op, cell)
		up := fr.NewElement(1 << (digits*l.sys.RangeBits - s))
		r = poly.FromInt64(accs[cell] + graph.Half(s))
		r.Mul(&r, &up)
	}
	q.Mul(&q, &unit)
	if digits == 2 {
		q.Add(&q, l.cell(layer.SlotHigh, column, at)).Mul(&q, &unit)
	}
	return *r.Sub(&r, &q)
}

// finder finds the row of a key in a table.
func (l *liar) finder(table int) func(k key) (row uint32, ok bool) {
	t := &l.sys.Tables[table]
	switch t.Kind {
	case layer.LeafRemainder:
		return func(k key) (uint32, bool) { return between(k[0], t.Size) }
	case layer.LeafFunction:
		f := &l.sys.Graph.Tables[t.Func]
		values, lo := f.Values(), poly.FromInt64(f.Lo)
		return func(k key) (uint32, bool) {
			k[1].Sub(&k[1], &lo)
			row, ok := between(k[1], t.Size)
			if ok {
				y := poly.FromInt64(int64(values[row]))
				ok = y.Equal(&k[0])
			}
			return row, ok
		}
	}
	d := (t.Size - 1) / 2
	return func(k key) (uint32, bool) {
		if k[0].IsZero() {
			return between(k[1], d+1)
		}
		row, ok := between(k[0], d+1)
		return uint32(d) + row, ok && k[1].IsZero()
	}
}

func (l *liar) finders() []func(k key) (row uint32, ok bool) {
	all := make([]func(key) (uint32, bool), len(l.sys.Tables))
	for i := range all {
		all[i] = l.finder(i)
	}
	return all
}

// between tells whether an element is an integer in [0, end).
func between(e fr.Element, end int) (uint32, bool) {
	if !e.IsUint64() || e.Uint64() >= uint64(end) {
		return 0, false
	}
	return uint32(e.Uint64()), true
}

// eachLeaf visits all lookups.
func (l *liar) eachLeaf(visit func(leaf *layer.Leaf, index, at, cell int)) {
	for i := range l.sys.Leaves {
		leaf := &l.sys.Leaves[i]
		for at, cell := range stored(&l.sys.Columns[leaf.Column]) {
			visit(leaf, leaf.Offset+at, at, cell)
		}
	}
}

// count chooses rows for the story's keys, the first row for a key in no table, and
// commits to how often each is chosen.
func (l *liar) count() {
	w := l.witness
	w.keys = make([]uint32, l.sys.LeafCount)
	tables := l.finders()
	one := fr.One()
	l.eachLeaf(func(leaf *layer.Leaf, index, at, cell int) {
		row, ok := tables[leaf.Table](l.key(leaf, at, cell, w.trace.Accs))
		if !ok {
			row = 0
		}
		w.keys[index] = row
		if !l.counted {
			n := l.cell(layer.SlotCount, leaf.Table, int(row))
			n.Add(n, &one)
		}
	})
	l.counted = true
}

// commit is the honest step for any field elements.
func (l *liar) commit() {
	l.count()
	small := make([]int32, len(l.cells))
	key := l.prepared.Model.Key()
	wide := map[int]fr.Element{}
	for i, e := range l.cells {
		v, ok := toInt(e)
		if small[i] = v; !ok {
			wide[i] = e
		}
	}
	rows, err := key.CommitRows(l.tb.Context(), small, l.sys.CellCols, nil)
	if err != nil {
		l.tb.Fatal(err)
	}
	for i, e := range wide {
		var p bn254.G1Affine
		p.ScalarMultiplication(&key.Generators()[i%l.sys.CellCols], e.BigInt(new(big.Int)))
		rows[i/l.sys.CellCols].Add(&rows[i/l.sys.CellCols], &p)
	}
	l.result.Proof.Rows = rows
	l.challenges.Alpha, l.challenges.Beta = verify.DrawKeys(l.tr, rows)
}

// toInt is a small element as an integer.
func toInt(e fr.Element) (int32, bool) {
	var neg fr.Element
	neg.Neg(&e)
	switch {
	case e.IsUint64() && e.Uint64() < 1<<31:
		return int32(e.Uint64()), true
	case neg.IsUint64() && neg.Uint64() < 1<<31:
		return -int32(neg.Uint64()), true
	}
	return 0, false
}

// lookup sums the fractions of the keys, or of the rows that a forger claims them to be.
func (l *liar) lookup() {
	ch := &l.challenges
	keys := make([]fr.Element, l.sys.LeafCount)
	right := lookup.Side{Vars: l.sys.RowVars}
	dens := make([][]fr.Element, len(l.sys.Tables))
	for i := range l.sys.Tables {
		dens[i] = make([]fr.Element, 1<<l.sys.Tables[i].Vars)
		l.sys.Denominators(ch, i, dens[i])
		right.Den = append(right.Den, dens[i]...)
		s := l.sys.Slot(layer.SlotCount, i)
		right.Num = append(right.Num, l.cells[s.Offset:][:1<<s.Vars]...)
	}
	right.Den = append(right.Den, l.extra.Den...)
	right.Num = append(right.Num, l.extra.Num...)
	l.eachLeaf(func(leaf *layer.Leaf, index, at, cell int) {
		if l.forge {
			keys[index] = dens[leaf.Table][l.witness.keys[index]]
			return
		}
		keys[index] = l.denominator(l.key(leaf, at, cell, l.accs), leaf.Table)
	})
	left := lookup.Units{Vars: l.sys.LeafVars, Len: len(keys), Read: func(even, odd []fr.Element, first int) {
		for i := range even {
			even[i] = keys[2*(first+i)]
		}
		for i := range odd {
			odd[i] = keys[2*(first+i)+1]
		}
	}}
	l.result.Proof.Lookup, ch.Left, ch.Right = lookup.Prove(l.tr, left, right)
	ch.Point, ch.Gamma = verify.DrawPoint(l.tr, l.sys, ch.Left.Point)
}

// denominator is α − (c0 + β·c1 + β²·tag).
func (l *liar) denominator(k key, table int) fr.Element {
	v := fr.NewElement(l.sys.Tables[table].Tag)
	v.Mul(&v, &l.challenges.Beta).Add(&v, &k[1]).Mul(&v, &l.challenges.Beta).Add(&v, &k[0])
	return *v.Sub(&l.challenges.Alpha, &v)
}

// contract is the honest step, with a chance to change its messages before they are sent.
func (l *liar) contract() {
	proof := l.result.Proof
	l.challenges.Rho.SetOne()
	instances, err := l.proving.factors()
	if err != nil {
		l.tb.Fatal(err)
	}
	proof.Convs = l.proving.sums(instances)
	if l.sums != nil {
		l.sums(&proof.Convs)
	}
	l.challenges.Rho = verify.DrawRho(l.tr, proof.Convs)
	if instances, err = l.proving.factors(); err != nil {
		l.tb.Fatal(err)
	}
	l.sumFactors(instances)
	if l.factors != nil {
		l.factors(proof.Weights, proof.Inputs)
	}
	l.eta = verify.DrawEta(l.tr, proof.Weights, proof.Inputs)
}

// open is the honest step for any field elements.
func (l *liar) open() {
	proof, m := l.result.Proof, l.prepared.Model
	outputs := m.DrawOutputs(l.tr, l.result.Statement.Outputs)
	msg := &layer.Messages{Convs: proof.Convs, Inputs: proof.Inputs}
	o, err := m.OpeningClaim(l.result.Statement, &l.challenges, msg, &l.claims, l.r, outputs, verify.DrawDelta(l.tr))
	if err != nil {
		l.tb.Fatal(err)
	}
	l.openClaim(o)
}

// openClaim opens the cells and, for the claims of the contraction, the weights.
func (l *liar) openClaim(o *layer.Opening) {
	proof := l.result.Proof
	weights := make([]fr.Element, len(l.cells))
	o.Fill(weights)
	if l.drop != nil {
		l.drop(weights)
	}
	var finals [][]fr.Element
	proof.Open, l.rho, finals = sumcheck.ProveProducts(l.tr, l.sys.CellVars, 2, o.Value,
		[]sumcheck.Instance{{Vars: l.sys.CellVars, Factors: [][]fr.Element{slices.Clone(l.cells), weights}}})
	proof.Cell = finals[0][0]
	high, _ := l.sys.SplitCellPoint(l.rho)
	proof.CellRow = make([]fr.Element, l.sys.CellCols)
	combine(proof.CellRow, poly.EqPrefix(high, l.sys.CellRows()), l.cells)
	if len(l.claims.Convs) == 0 {
		return
	}
	packed := l.weights
	if packed == nil {
		packed = l.prepared.packed
	}
	rows, _, _ := l.sys.WeightOpening(l.claims.Convs, &l.challenges, l.r, proof.Weights, l.eta)
	proof.WeightRow = make([]fr.Element, l.sys.Weights.Cols)
	poly.VecMat(proof.WeightRow, rows, packed, l.sys.Weights.Cols)
}

// combine adds the rows of a matrix, weighed, to dst.
func combine(dst, weights, cells []fr.Element) {
	for i := range cells {
		var v fr.Element
		v.Mul(&cells[i], &weights[i/len(dst)])
		dst[i%len(dst)].Add(&dst[i%len(dst)], &v)
	}
}

// prove takes all steps and lets the verifier judge.
func (l *liar) prove() error {
	l.commit()
	l.lookup()
	l.contract()
	l.open()
	return verify.Verify(l.prepared.Model, l.result.Statement, l.result.Proof)
}

// statementOf reads the statement off a trace.
func statementOf(tb testing.TB, p *Prepared, trace *graph.Trace) *verify.Statement {
	tb.Helper()
	s, err := statement(p.Model, Job{ID: "job", Payee: "payee", Chain: "chain"}, trace)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// wantRejection requires a proof to fail at one of the checks.
func wantRejection(tb testing.TB, err error, checks ...verify.Check) {
	tb.Helper()
	var r *verify.Rejection
	switch {
	case err == nil:
		tb.Error("accepted")
	case !errors.As(err, &r):
		tb.Errorf("got %v, want a rejection", err)
	case !slices.Contains(checks, r.Check):
		tb.Errorf("rejected by %q (%v), want %q", r.Check, r.Cause, checks)
	}
}

// mustReject judges a story twice: told with the keys that its cells have, and with keys
// that are in the tables.
func mustReject(t *testing.T, p *Prepared, s *verify.Statement, trace *graph.Trace, change func(l *liar)) {
	t.Helper()
	for _, forge := range []bool{false, true} {
		l := newLiar(t, p, s, trace, forge)
		if change != nil {
			change(l)
		}
		want := verify.CheckLookup
		if forge {
			want = verify.CheckCells
		}
		wantRejection(t, l.prove(), want)
	}
}
