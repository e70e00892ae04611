package prover

import (
	"slices"
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/interpret/graphtest"
	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/verify"
)

// trees adds two decision trees over a table. Which leaf of the first a row ends at depends on whether its
// first cell is that of the first row, or below.
func (n *net) trees(x, targets int) int {
	n.tb.Helper()
	votes := func() (votes []graph.Vote) {
		for t := range targets {
			votes = append(votes, graph.Vote{Target: t, Weight: n.rng.Int64N(80) - 30})
		}
		return votes
	}
	first := n.c.Inputs[len(n.c.Inputs)-1][0]
	return n.add(&graph.Trees{Targets: targets, Trees: []graph.Tree{
		{{Test: graph.EqualTo, Key: first, Else: 2}, {Votes: votes()}, {Test: graph.AtMost, Key: first, Else: 4}, {Votes: votes()}, {Votes: votes()}},
		{{Test: graph.AtMost, Feature: 1, Key: 3, Else: 2}, {Votes: votes()}, {Votes: votes()[:1]}},
	}}, x)
}

// treeScenes are decision trees over a public input that something reads.
func treeScenes() []scene {
	return []scene{
		{"trees and a matrix product", func(n *net) int {
			t := n.trees(n.input(3, 4), 5)
			return n.linear(n.matmul(t, 3), 1, 2, t)
		}},
		{"trees and a view", func(n *net) int {
			t := n.trees(n.input(3, 4), 2)
			return n.commit(n.add(&graph.Transpose{Perm: []int{1, 0}}, t))
		}},
	}
}

// forest is a case with nothing but decision trees over keys, whose second row meets a threshold and whose
// third one has −0.
func forest(t *testing.T) *graphtest.Case {
	t.Helper()
	g := &graph.Graph{
		Nodes: []graph.Node{
			{Name: "x", Op: &graph.Input{Name: "x", Shape: []int{3, 2}, Lo: -graph.MaxKey, Hi: graph.MaxKey, Keys: true, Scale: 1}},
			{Name: "y", Inputs: []int{0}, Op: &graph.Trees{Targets: 2, Trees: []graph.Tree{{
				{Test: graph.AtMost, Feature: 0, Key: graph.Key(1.5), Else: 4},
				{Test: graph.AtMost, Feature: 1, Key: 0, Else: 3},
				{Votes: []graph.Vote{{Target: 0, Weight: 40}}},
				{Votes: []graph.Vote{{Target: 0, Weight: 10}, {Target: 1, Weight: 30}}},
				{Votes: []graph.Vote{{Target: 1, Weight: 50}}},
			}}}},
		},
		Outputs: []graph.Output{{Name: "y", Tensor: 1, Shape: []int{3, 2}, Scale: 1}},
	}
	info, err := g.Check()
	if err != nil {
		t.Fatal(err)
	}
	negative := float32(0)
	c := &graphtest.Case{Graph: g, Info: info, Inputs: [][]int32{make([]int32, 6)}}
	for i, v := range []float32{2, 1, 1.5, 1e-45, -3, -negative} {
		c.Inputs[0][i] = graph.Key(v)
	}
	return c
}

// proven is an honest proof of the forest.
func proven(t *testing.T) (*graphtest.Case, *Prepared, *Result) {
	t.Helper()
	c := forest(t)
	p := prepare(t, c, transcript.SHA256)
	r, err := Prove(t.Context(), p, Job{}, execute(t, c), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c, p, r
}

// TestForestAloneIsProved: it commits to nothing and looks nothing up.
func TestForestAloneIsProved(t *testing.T) {
	c, p, r := proven(t)
	if s := p.Model.System(); s.CellCount != 0 || s.LeafCount != 0 {
		t.Errorf("%d cells and %d lookups", s.CellCount, s.LeafCount)
	}
	if want := []int64{0, 50, 10, 30, 40, 0}; !slices.Equal(r.Statement.Outputs[0].Values(), want) {
		t.Errorf("outputs %v, want %v", r.Statement.Outputs[0].Values(), want)
	}
	accept(t, c, transcript.SHA256)
	accept(t, c, transcript.Poseidon2)
}

// A proof without cells and lookups is two sums that must be zero: there is nothing that a liar could
// send in place of them.

// TestFalseResultOfAForestIsRejected guards rules 1 and 2: every output cell, off by one, by much, and
// exchanged with another.
func TestFalseResultOfAForestIsRejected(t *testing.T) {
	_, p, r := proven(t)
	tell := func(change func(v []int64)) {
		s := *r.Statement
		s.Outputs = []graph.Cells{s.Outputs[0].Changed(change)}
		wantRejection(t, verify.Verify(p.Model, &s, r.Proof), verify.CheckCells)
	}
	bound := forest(t).Info.Bounds[1]
	for i, told := range r.Statement.Outputs[0].Values() {
		for _, d := range []int64{1, -1, 20, -20} {
			if v := told + d; v >= bound.Lo && v <= bound.Hi {
				tell(func(v []int64) { v[i] += d })
			}
		}
	}
	tell(func(v []int64) { v[0], v[1] = v[1], v[0] })
	tell(func(v []int64) { copy(v, []int64{10, 30, 0, 50}) }) // two rows exchanged
}

// TestForestOfAnotherInputIsRejected guards rule 3: a threshold is met to the last bit.
func TestForestOfAnotherInputIsRejected(t *testing.T) {
	_, p, r := proven(t)
	for i, v := range map[int]int32{0: graph.Key(1), 2: graph.Key(1.5) + 1, 3: 0, 5: 1} {
		s := *r.Statement
		s.Inputs = [][]int32{slices.Clone(s.Inputs[0])}
		s.Inputs[0][i] = v
		wantRejection(t, verify.Verify(p.Model, &s, r.Proof), verify.CheckCells)
	}
	s := *r.Statement
	s.Inputs = [][]int32{slices.Clone(s.Inputs[0])}
	s.Inputs[0][0] = graph.MaxKey + 1 // infinity
	wantRejection(t, verify.Verify(p.Model, &s, r.Proof), verify.CheckInputs)
}

// TestForgedSumsOfAForestAreRejected: the sums of a proof that is nothing else.
func TestForgedSumsOfAForestAreRejected(t *testing.T) {
	_, p, r := proven(t)
	for i := range r.Proof.Convs {
		forged := *r.Proof
		forged.Convs[i].SetOne()
		wantRejection(t, verify.Verify(p.Model, r.Statement, &forged), verify.CheckFactors)
	}
}

// TestOtherForestIsRejected guards rules 4 and 6: weights and thresholds off by the least that there is,
// another test, other features, exchanged children. Neither does the proof of one fit the other's key, nor
// what one computes the other's input.
func TestOtherForestIsRejected(t *testing.T) {
	_, p, r := proven(t)
	for name, change := range map[string]func(t graph.Tree){
		"weight more":       func(t graph.Tree) { t[2].Votes[0].Weight++ },
		"weight less":       func(t graph.Tree) { t[4].Votes[0].Weight-- },
		"threshold more":    func(t graph.Tree) { t[1].Key++ },
		"threshold less":    func(t graph.Tree) { t[0].Key-- },
		"another test":      func(t graph.Tree) { t[0].Test = graph.EqualTo },
		"another feature":   func(t graph.Tree) { t[0].Feature = 1 },
		"children exchange": func(t graph.Tree) { t[2], t[3] = t[3], t[2] },
		"vote for another":  func(t graph.Tree) { t[4].Votes[0].Target = 0 },
	} {
		other := forest(t)
		change(other.Graph.Nodes[1].Op.(*graph.Trees).Trees[0])
		q := prepare(t, other, transcript.SHA256)
		wantRejection(t, verify.Verify(q.Model, r.Statement, r.Proof), verify.CheckModel)
		told := statementOf(t, q, execute(t, other))
		if slices.Equal(told.Outputs[0].Data, r.Statement.Outputs[0].Data) {
			t.Fatalf("%s: the same result", name)
		}
		told.Model = p.Model.Digest()
		wantRejection(t, verify.Verify(p.Model, told, r.Proof), verify.CheckCells)
		kept := *r.Statement
		kept.Model = q.Model.Digest()
		wantRejection(t, verify.Verify(q.Model, &kept, r.Proof), verify.CheckCells, verify.CheckOutputs)
	}
}

// TestTreesOfAnotherModelUnderALayerAreRejected guards rule 4 behind a layer: what the layer reads is
// computed by the verifier, not told by the prover.
func TestTreesOfAnotherModelUnderALayerAreRejected(t *testing.T) {
	for _, s := range treeScenes() {
		c, target := s.make(t)
		p, honest := prepare(t, c, transcript.SHA256), execute(t, c)
		other, _ := s.make(t)
		other.Graph.Nodes[1].Op.(*graph.Trees).Trees[0][1].Votes[1].Weight++
		trace := execute(t, other)
		if slices.Equal(trace.Accs[target], honest.Accs[target]) {
			t.Fatalf("%s: the same result", s.name)
		}
		told := statementOf(t, p, trace)
		wantRejection(t, newLiar(t, p, told, trace, true).prove(), verify.CheckCells)
	}
}
