package prover

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/layer"
	"github.com/weisyn/wes/prover/model/interpret"
	"github.com/weisyn/wes/prover/model/interpret/graphtest"
	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/verify"
)

// executeWith executes a graph that is lied about: change gets the committed tensors
// before anything reads them. It is nil if the lie leaves the domain of a table.
func executeWith(tb testing.TB, c *graphtest.Case, change func(tensor int, values []int32)) *graph.Trace {
	tb.Helper()
	trace, err := interpret.RunWith(tb.Context(), c.Graph, c.Info, c.Weights, c.Inputs, interpret.Options{After: change})
	if errors.Is(err, interpret.ErrDomain) {
		return nil
	}
	if err != nil {
		tb.Fatal(err)
	}
	return trace
}

// in changes one tensor only.
func in(target int, change func(values []int32)) func(int, []int32) {
	return func(tensor int, values []int32) {
		if tensor == target {
			change(values)
		}
	}
}

// distinct finds two cells with different values.
func distinct(values []int32) (i, j int, ok bool) {
	for i := range values {
		if values[i] != values[0] {
			return 0, i, true
		}
	}
	return 0, 0, false
}

// TestHonestLiarIsAccepted shows that the malicious prover is a prover: told nothing but
// the truth, it convinces, candid or forging.
func TestHonestLiarIsAccepted(t *testing.T) {
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			c, _ := s.make(t)
			p, trace := prepare(t, c, transcript.SHA256), execute(t, c)
			for _, forge := range []bool{false, true} {
				if err := newLiar(t, p, statementOf(t, p, trace), trace, forge).prove(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestLieInOneCellOfEveryOperatorIsRejected guards rule 4: a cell off by one, by much, or
// exchanged, with the rest of the execution made consistent with it.
func TestLieInOneCellOfEveryOperatorIsRejected(t *testing.T) {
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			c, target := s.make(t)
			p, told := prepare(t, c, transcript.SHA256), 0
			tell := func(name string, change func(values []int32)) {
				trace := executeWith(t, c, in(target, change))
				if trace == nil {
					return
				}
				told++
				t.Run(name, func(t *testing.T) { mustReject(t, p, statementOf(t, p, trace), trace, nil) })
			}
			last := graph.Elements(c.Info.Shapes[target]) - 1
			for _, d := range []int32{1, -1, 90, -90, 1000, 1 << 20} {
				tell(fmt.Sprint("off by ", d), func(v []int32) { v[last] += d })
			}
			if told < 3 {
				t.Errorf("only %d lies told", told)
			}
			if i, j, ok := distinct(execute(t, c).Values[target]); ok {
				tell("two cells exchanged", func(v []int32) { v[i], v[j] = v[j], v[i] })
			}
		})
	}
}

// TestLieInOneAccumulatorIsRejected guards rule 4 where quotient, value and remainder fit
// one another and an accumulator that is not the operator's: what a wrong convolution, sum
// or view in front of the accumulator looks like.
func TestLieInOneAccumulatorIsRejected(t *testing.T) {
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			c, target := s.make(t)
			op, ok := c.Graph.Nodes[target].Op.(*graph.Rescale)
			if !ok {
				return // a maximum has no accumulator
			}
			p, honest := prepare(t, c, transcript.SHA256), execute(t, c)
			table := &c.Graph.Tables[op.Table]
			values := table.Values()
			column := &p.Model.System().Columns[0]
			for i := range p.Model.System().Columns {
				if k := &p.Model.System().Columns[i]; k.Tensor == target {
					column = k
				}
			}
			cells := len(honest.Accs[target])
			tell := func(name string, change func(accs []int64)) {
				accs := append([]int64(nil), honest.Accs[target]...)
				change(accs)
				trace := executeWith(t, c, in(target, func(v []int32) {
					for i, a := range accs {
						v[i] = values[graph.ShiftRight(a, shiftAt(column, op, i))-table.Lo]
					}
				}))
				if trace == nil {
					t.Errorf("%s: the execution fails", name)
					return
				}
				truth := trace.Accs
				trace.Accs = append([][]int64(nil), truth...)
				trace.Accs[target] = accs
				t.Run(name, func(t *testing.T) {
					for _, forge := range []bool{false, true} {
						l := newLiar(t, p, statementOf(t, p, trace), trace, forge)
						l.accs = truth
						want := verify.CheckLookup
						if forge {
							want = verify.CheckCells
						}
						wantRejection(t, l.prove(), want)
					}
				})
			}
			for _, d := range []int64{1, -1, 300, -300} {
				tell(fmt.Sprint("off by ", d), func(a []int64) { a[cells/2] += d })
			}
			for j, a := range honest.Accs[target] {
				// Remainders of one quotient that change places are not committed, nor, without
				// remainders, are quotients of one value.
				s := shiftAt(column, op, 0)
				quotients := graph.ShiftRight(a, s) != graph.ShiftRight(honest.Accs[target][0], s)
				values := honest.Values[target][j] != honest.Values[target][0]
				if quotients && (values || layer.Digits(op) > 0) {
					tell("two cells exchanged", func(a []int64) { a[0], a[j] = a[j], a[0] })
					break
				}
			}
		})
	}
}

// TestLieAboutAnInputIsRejected executes with an input that is not the statement's.
func TestLieAboutAnInputIsRejected(t *testing.T) {
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			c, _ := s.make(t)
			p, honest := prepare(t, c, transcript.SHA256), execute(t, c)
			x := c.Graph.Inputs()[0]
			trace := executeWith(t, c, in(x, func(v []int32) {
				if v[0]++; v[0] > 50 {
					v[0] -= 2
				}
			}))
			st := statementOf(t, p, trace)
			st.Inputs = statementOf(t, p, honest).Inputs
			wantRejection(t, newLiar(t, p, st, trace, true).prove(), verify.CheckCells)
			st = statementOf(t, p, honest)
			wantRejection(t, newLiar(t, p, st, trace, true).prove(), verify.CheckCells)
		})
	}
}

// TestLieInARevealedOrOutputCellIsRejected tells a false public result of a true
// execution, by one, by much, and by exchanging two cells.
func TestLieInARevealedOrOutputCellIsRejected(t *testing.T) {
	for _, s := range scenes() {
		c := s.makePublic(t)
		p, honest := prepare(t, c, transcript.SHA256), execute(t, c)
		for output := range c.Graph.Outputs {
			t.Run(fmt.Sprint(s.name, "/output ", output), func(t *testing.T) {
				truth := statementOf(t, p, honest)
				bound := c.Info.Bounds[c.Graph.Outputs[output].Tensor]
				told := 0
				tell := func(change func(v []int64) (inside bool)) {
					st := *truth
					st.Outputs = slices.Clone(truth.Outputs)
					inside := false
					st.Outputs[output] = truth.Outputs[output].Changed(func(v []int64) { inside = change(v) })
					want := verify.CheckCells
					if !inside {
						want = verify.CheckOutputs
					}
					told++
					wantRejection(t, newLiar(t, p, &st, honest, false).prove(), want)
					if output == 0 && inside {
						l := newLiar(t, p, &st, honest, false)
						l.sums = func(convs *[2]fr.Element) { l.coverUp(truth, convs) }
						wantRejection(t, l.prove(), verify.CheckFactors)
					}
				}
				for _, d := range []int64{1, -1, 60, -60, 1 << 40} {
					tell(func(v []int64) bool {
						v[0] += d
						return bound.Lo <= v[0] && v[0] <= bound.Hi
					})
				}
				cells := truth.Outputs[output].Values()
				for j, v := range cells {
					if v != cells[0] {
						tell(func(v []int64) bool { v[0], v[j] = v[j], v[0]; return true })
						break
					}
				}
			})
		}
	}
}

// coverUp changes the sum of revealed convolutions so that a false revealed tensor fits it.
func (l *liar) coverUp(truth *verify.Statement, convs *[2]fr.Element) {
	one := fr.One()
	msg := &layer.Messages{Inputs: make([]fr.Element, l.sys.InputCount())} // the same for both
	r := make([]fr.Element, l.sys.Weights.ContractVars)
	told, err := l.prepared.Model.OpeningClaim(l.result.Statement, &l.challenges, msg, &l.claims, r, nil, one)
	if err != nil {
		l.tb.Fatal(err)
	}
	truly, err := l.prepared.Model.OpeningClaim(truth, &l.challenges, msg, &l.claims, r, nil, one)
	if err != nil {
		l.tb.Fatal(err)
	}
	convs[1].Add(&convs[1], &told.Value).Sub(&convs[1], &truly.Value)
}
