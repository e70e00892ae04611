package prover

import (
	"context"
	"reflect"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/layer"
	"github.com/weisyn/wes/prover/model/interpret/graphtest"
	"github.com/weisyn/wes/prover/poly"
	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/verify"
)

// twins is a graph with two layers of one shape, a grouped convolution, a maximum, views,
// a committed output and a revealed one. All layers have one shift.
func twins(tb testing.TB, shift int) *graphtest.Case {
	n := newNet(tb)
	x := n.input(2, 8)
	a := n.linear(n.matmul(x, 8), 1, shift, x)
	b := n.linear(n.matmul(a, 8), 1, shift, a)
	g := n.linear(n.conv(b, 1, 8, 4), 1, shift, b)
	m := n.add(&graph.Max{Channel: 1}, g, n.add(&graph.Slice{Axis: 1, Start: 7, Step: -1, Len: 8}, b))
	return n.outputs(n.reveal(m), m)
}

// told is a liar of an honest execution of the twins.
func told(t *testing.T) *liar { return toldOf(t, twins(t, 2)) }

func toldOf(t *testing.T, c *graphtest.Case) *liar {
	t.Helper()
	p, trace := prepare(t, c, transcript.SHA256), execute(t, c)
	return newLiar(t, p, statementOf(t, p, trace), trace, false)
}

// TestSumsOfConvolutionsCannotBeTraded guards rule 9: what the lookups and the revealed
// tensors take from convolutions are two claims, whatever their total.
func TestSumsOfConvolutionsCannotBeTraded(t *testing.T) {
	one := fr.One()
	for name, trade := range map[string]func(convs *[2]fr.Element){
		"moved":     func(c *[2]fr.Element) { c[0].Add(&c[0], &one); c[1].Sub(&c[1], &one) },
		"all moved": func(c *[2]fr.Element) { c[0].Add(&c[0], &c[1]); c[1].SetZero() },
		"exchanged": func(c *[2]fr.Element) { c[0], c[1] = c[1], c[0] },
		"raised":    func(c *[2]fr.Element) { c[0].Add(&c[0], &one) },
	} {
		t.Run(name, func(t *testing.T) {
			for _, shift := range []int{2, 0} {
				l := toldOf(t, twins(t, shift))
				l.sums = trade
				wantRejection(t, l.prove(), verify.CheckFactors)
			}
		})
	}
}

// TestFactorsCannotBeTraded guards rule 9: the factors that the contraction ends in are
// the same values that the openings of cells and weights take.
func TestFactorsCannotBeTraded(t *testing.T) {
	two, half := fr.NewElement(2), fr.Element{}
	half.Inverse(&two)
	for i := range told(t).sys.ConvClaimCount() {
		l := told(t)
		l.factors = func(weights, inputs []fr.Element) { // their product, which the contraction checks, stays
			weights[i].Mul(&weights[i], &two)
			inputs[i].Mul(&inputs[i], &half)
		}
		wantRejection(t, l.prove(), verify.CheckCells)
	}
}

// TestOmittedClaimsAreRejected guards rule 9: an opening that leaves out what one slot
// owes to some claim.
func TestOmittedClaimsAreRejected(t *testing.T) {
	for i := range told(t).sys.Slots {
		l := told(t)
		l.drop = func(weights []fr.Element) {
			s := &l.sys.Slots[i]
			clear(weights[s.Offset:][:1<<s.Vars])
		}
		wantRejection(t, l.prove(), verify.CheckCells)
	}
}

// TestOneClaimLessIsRejected opens everything but the claim on one output, or on one
// input factor, with an opening that is true for what remains.
func TestOneClaimLessIsRejected(t *testing.T) {
	for _, name := range []string{"output", "factor"} {
		l := told(t)
		l.commit()
		l.lookup()
		l.contract()
		m, proof := l.prepared.Model, l.result.Proof
		claims, outputs := l.claims, m.DrawOutputs(l.tr, l.result.Statement.Outputs)
		if name == "output" {
			outputs = nil
		} else {
			claims.Convs = claims.Convs[:len(claims.Convs)-1]
		}
		msg := &layer.Messages{Convs: proof.Convs, Inputs: proof.Inputs}
		o, err := m.OpeningClaim(l.result.Statement, &l.challenges, msg, &claims, l.r, outputs, verify.DrawDelta(l.tr))
		if err != nil {
			t.Fatal(err)
		}
		l.openClaim(o)
		wantRejection(t, verify.Verify(m, l.result.Statement, proof), verify.CheckCells)
	}
}

// TestCombinedRowsAreBoundToTheirCommitments guards rule 9: combined rows that give the
// opened values, but are not those of the commitments; and two such rows whose errors
// cancel if both checks weigh the same.
func TestCombinedRowsAreBoundToTheirCommitments(t *testing.T) {
	for name, sides := range map[string][2]int64{"cells": {1, 0}, "weights": {0, 1}, "both": {1, -1}, "both with one sign": {1, 1}} {
		t.Run(name, func(t *testing.T) {
			l := told(t)
			if err := l.prove(); err != nil {
				t.Fatal(err)
			}
			p := l.result.Proof
			_, low := l.sys.SplitCellPoint(l.rho)
			_, cols, _ := l.sys.WeightOpening(l.claims.Convs, &l.challenges, l.r, p.Weights, l.eta)
			v := orthogonal(poly.Eq(low), cols)
			for i := range v {
				for side, row := range [][]fr.Element{p.CellRow, p.WeightRow} {
					e := poly.FromInt64(sides[side])
					e.Mul(&e, &v[i])
					row[i].Add(&row[i], &e)
				}
			}
			wantRejection(t, verify.Verify(l.prepared.Model, l.result.Statement, p), verify.CheckCommitment)
		})
	}
}

// orthogonal is a vector of three entries that both vectors, which are longer, map to zero.
func orthogonal(a, b []fr.Element) [3]fr.Element {
	var v [3]fr.Element
	for i := range v {
		j, k := (i+1)%3, (i+2)%3
		var s fr.Element
		v[i].Mul(&a[j], &b[k])
		s.Mul(&a[k], &b[j])
		v[i].Sub(&v[i], &s)
	}
	return v
}

// TestExchangedColumnsAreRejected guards rule 10: the columns of two layers of one shape
// in each other's place.
func TestExchangedColumnsAreRejected(t *testing.T) {
	for _, columns := range []struct {
		kind layer.SlotKind
		of   *graphtest.Case
	}{
		{layer.SlotValue, twins(t, 2)},
		{layer.SlotValue, twins(t, 0)},
		{layer.SlotExcess, twins(t, 2)},
		{layer.SlotHigh, wideTwins(t)},
	} {
		for _, forge := range []bool{false, true} {
			l := toldOf(t, columns.of)
			l.forge = forge
			if forge {
				l.count()
			}
			a, b := l.sys.Slot(columns.kind, 0), l.sys.Slot(columns.kind, 1)
			if a.Vars != b.Vars {
				t.Fatal("the twins are not of one shape")
			}
			for i := range 1 << a.Vars {
				l.cells[a.Offset+i], l.cells[b.Offset+i] = l.cells[b.Offset+i], l.cells[a.Offset+i]
			}
			want := verify.CheckLookup
			if forge {
				want = verify.CheckCells
			}
			wantRejection(t, l.proveWith(forge), want)
		}
	}
}

// proveWith proves with the keys that were chosen before the cells changed.
func (l *liar) proveWith(keysOfBefore bool) error {
	keys := slices.Clone(l.witness.keys)
	l.commit()
	if keysOfBefore {
		l.witness.keys = keys
	}
	l.lookup()
	l.contract()
	l.open()
	return verify.Verify(l.prepared.Model, l.result.Statement, l.result.Proof)
}

// TestPartsOfOtherProofsAreRejected guards rule 10: every part of a proof, replaced by
// that of an honest proof for another job, another input and another model.
func TestPartsOfOtherProofsAreRejected(t *testing.T) {
	c := twins(t, 2)
	p := prepare(t, c, transcript.SHA256)
	prove := func(p *Prepared, c *graphtest.Case, job string) *Result {
		r, err := Prove(t.Context(), p, Job{ID: job}, execute(t, c), Options{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	honest := prove(p, c, "a")
	input := *c
	input.Inputs = [][]int32{slices.Clone(c.Inputs[0])}
	input.Inputs[0][3] = -c.Inputs[0][3] - 1
	model := *c
	model.Weights = slices.Clone(c.Weights)
	model.Weights[1] = slices.Clone(c.Weights[1])
	model.Weights[1][5] = 1 - model.Weights[1][5]
	for name, other := range map[string]*Result{
		"job":   prove(p, c, "b"),
		"input": prove(p, &input, "a"),
		"model": prove(prepare(t, &model, transcript.SHA256), &model, "a"),
	} {
		if err := verify.Verify(p.Model, honest.Statement, other.Proof); err == nil {
			t.Errorf("whole proof of another %s accepted", name)
		}
		from := reflect.ValueOf(other.Proof).Elem()
		for i := range from.NumField() {
			mixed := *honest.Proof
			field := reflect.ValueOf(&mixed).Elem().Field(i)
			if reflect.DeepEqual(field.Interface(), from.Field(i).Interface()) {
				continue // another job commits to the same cells
			}
			field.Set(from.Field(i))
			if err := verify.Verify(p.Model, honest.Statement, &mixed); err == nil {
				t.Errorf("%s of another %s accepted", from.Type().Field(i).Name, name)
			}
		}
	}
}

// cross is orthogonal to two vectors of three entries.
func cross(a, b []fr.Element) []fr.Element {
	v := orthogonal(a, b)
	return v[:]
}

// coefficients are what the contraction multiplies the factors of one side by.
func (l *liar) coefficients(others []fr.Element) []fr.Element {
	v := make([]fr.Element, len(l.claims.Convs))
	for i := range l.claims.Convs {
		v[i] = l.claims.Convs[i].Late(l.r)
		v[i].Mul(&v[i], &others[i])
		if l.claims.Convs[i].Grouped() {
			u := l.claims.Convs[i].ChannelFactor(l.r)
			v[i].Mul(&v[i], &u)
		}
	}
	return v
}

// TestErrorsOfBatchedClaimsDoNotCancel guards rule 9: changes of several factors that the
// contraction does not notice, and whose sum over the claims of an opening is zero.
func TestErrorsOfBatchedClaimsDoNotCancel(t *testing.T) {
	t.Run("inputs", func(t *testing.T) {
		l := told(t)
		l.factors = func(weights, inputs []fr.Element) {
			ones := []fr.Element{fr.One(), fr.One(), fr.One()}
			// The first claim is on the public input, the others on committed tensors.
			for i, d := range cross(l.coefficients(weights)[1:4], ones) {
				inputs[1+i].Add(&inputs[1+i], &d)
			}
		}
		wantRejection(t, l.prove(), verify.CheckCells)
	})
	t.Run("weights", func(t *testing.T) {
		l := told(t)
		l.factors = func(weights, inputs []fr.Element) {
			scales := make([]fr.Element, len(weights))
			for i := range scales {
				unit := make([]fr.Element, len(weights))
				unit[i].SetOne()
				_, _, scales[i] = l.sys.WeightOpening(l.claims.Convs, &l.challenges, l.r, unit, fr.One())
			}
			for i, d := range cross(l.coefficients(inputs)[:3], scales[:3]) {
				weights[i].Add(&weights[i], &d)
			}
		}
		wantRejection(t, l.prove(), verify.CheckWeightRow)
	})
}

// TestLiesAboutTwoRevealedTensorsDoNotCancel guards rule 9: opposite errors at one place
// of two tensors.
func TestLiesAboutTwoRevealedTensorsDoNotCancel(t *testing.T) {
	n := newNet(t)
	x := n.input(2, 3)
	c := n.outputs(n.reveal(x), n.reveal(x))
	p, trace := prepare(t, c, transcript.SHA256), execute(t, c)
	st := statementOf(t, p, trace)
	st.Outputs[0] = st.Outputs[0].Changed(func(v []int64) { v[4]++ })
	st.Outputs[1] = st.Outputs[1].Changed(func(v []int64) { v[4]-- })
	wantRejection(t, honestly(t, p, st, trace), verify.CheckCells)
}

// honestly takes the honest steps for any statement and lets the verifier judge.
func honestly(t *testing.T, p *Prepared, st *verify.Statement, trace *graph.Trace) error {
	t.Helper()
	sys := p.Model.System()
	w, err := newWitness(t.Context(), sys, trace)
	if err != nil {
		t.Fatal(err)
	}
	run := &proving{prepared: p, sys: sys, witness: w, result: &Result{Statement: st, Proof: new(verify.Proof)}}
	if run.tr, err = p.Model.Begin(st); err != nil {
		t.Fatal(err)
	}
	for _, step := range []func(context.Context) error{run.commit, run.lookup, run.contract, run.open} {
		if err := step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return verify.Verify(p.Model, st, run.result.Proof)
}

// TestLiesWithoutLookupsAreRejected guards rule 4 where nothing, or little, is committed:
// outputs that are inputs, views of inputs, and sums of them.
func TestLiesWithoutLookupsAreRejected(t *testing.T) {
	for name, build := range map[string]func(n *net, x int) int{
		"input":             func(_ *net, x int) int { return x },
		"view":              func(n *net, x int) int { return n.add(&graph.Transpose{Perm: []int{1, 0}}, x) },
		"revealed product":  func(n *net, x int) int { return n.reveal(x) },
		"revealed multiple": func(n *net, x int) int { return n.revealMultiple(x, 2) },
		"maximum":           func(n *net, x int) int { return n.add(&graph.Max{}, x, x) },
	} {
		t.Run(name, func(t *testing.T) {
			n := newNet(t)
			x := n.input(2, 3)
			n.c.Inputs[0] = []int32{1, -2, 3, -4, 5, -6}
			c := n.outputs(build(n, x))
			p, trace := prepare(t, c, transcript.SHA256), execute(t, c)
			st := statementOf(t, p, trace)
			if err := honestly(t, p, st, trace); err != nil {
				t.Fatal(err)
			}
			truth := st.Outputs[0]
			st.Outputs[0] = truth.Changed(func(v []int64) { v[2]++ })
			wantRejection(t, honestly(t, p, st, trace), verify.CheckCells)
			st.Outputs[0] = truth.Changed(func(v []int64) { v[0], v[1] = v[1], v[0] })
			wantRejection(t, honestly(t, p, st, trace), verify.CheckCells)
		})
	}
}

// TestRowsOfOtherTablesAreRejected guards rule 7: a value of another layer's function,
// with the lookup counted at that function's row.
func TestRowsOfOtherTablesAreRejected(t *testing.T) {
	n := newNet(t)
	x := n.input(1, 4)
	half := func(q int64) int64 { return clamp(q / 2) }
	multiple := n.accumulator([]graph.Term{{Mult: 3}}, graph.Constant{}, 1, []int{x})
	a := n.rescale(multiple, []int{1}, nil, x)
	b := n.rescale(multiple, []int{1}, half, x)
	n.c.Inputs[0] = []int32{20, 30, -4, 9}
	c := n.outputs(n.reveal(a), n.reveal(b))
	p, honest := prepare(t, c, transcript.SHA256), execute(t, c)
	trace := executeWith(t, c, in(a, func(v []int32) { v[0] = honest.Values[b][0] }))
	l := newLiar(t, p, statementOf(t, p, trace), trace, false)
	l.counted = true
	lost := l.lost()
	for i := range l.sys.Tables {
		if row, ok := l.finder(i)(lost.key); ok && l.sys.Tables[i].Kind == layer.LeafFunction {
			count, one := l.cell(layer.SlotCount, i, int(row)), fr.One()
			count.Add(count, &one)
			wantRejection(t, l.prove(), verify.CheckLookup)
			return
		}
	}
	t.Error("no other table has the row")
}

// TestOpenedCellsAreThoseCommitted guards rule 9: an argument about other cells than the
// committed ones, with the combined row of either.
func TestOpenedCellsAreThoseCommitted(t *testing.T) {
	for name, want := range map[string]verify.Check{"committed row": verify.CheckCellRow, "argued row": verify.CheckCommitment} {
		t.Run(name, func(t *testing.T) {
			l := told(t)
			l.count()
			argued, nothing := l.cells, make([]fr.Element, len(l.cells))
			l.cells = nothing
			l.commit()
			l.cells = argued
			l.lookup()
			l.contract()
			l.open()
			if name == "committed row" {
				clear(l.result.Proof.CellRow)
			}
			wantRejection(t, verify.Verify(l.prepared.Model, l.result.Statement, l.result.Proof), want)
		})
	}
}
