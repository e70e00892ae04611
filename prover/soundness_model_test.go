package prover

import (
	"slices"
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/interpret/graphtest"
	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/verify"
)

// deployed is a chain of two layers of one shape with biases, shifts per channel and a
// maximum. change edits the model before it is finished.
func deployed(tb testing.TB, change func(c *graphtest.Case)) *graphtest.Case {
	tb.Helper()
	n := newNet(tb)
	x := n.input(2, 4)
	for i := range 2 {
		bias := graph.Constant{Shape: []int{1, 4}, Data: []int64{3, -4, 5, int64(i)}}
		acc := n.accumulator([]graph.Term{n.matmul(x, 4)}, bias, 1, []int{x})
		// Stated bounds that also hold for every changed model.
		acc.Lo, acc.Hi = -4000, 4000
		x = n.rescale(acc, []int{2, 3, 2, 3}, nil, x)
	}
	reveal := n.reveal(x)
	if change != nil {
		change(n.c)
	}
	return n.outputs(reveal)
}

func rescaleOf(c *graphtest.Case, node int) *graph.Rescale {
	return c.Graph.Nodes[node].Op.(*graph.Rescale)
}

// otherModels are the smallest changes of a model that its execution shows.
func otherModels(tb testing.TB) map[string]func(c *graphtest.Case) {
	c := deployed(tb, nil)
	used := graph.ShiftRight(execute(tb, c).Accs[1][0], rescaleOf(c, 1).Shift[0])
	return map[string]func(c *graphtest.Case){
		"one weight + 1":              func(c *graphtest.Case) { c.Weights[0][7]++ },
		"one weight - 1":              func(c *graphtest.Case) { c.Weights[1][2]-- },
		"one weight of the last + 1":  func(c *graphtest.Case) { c.Weights[2][11]++ },
		"one bias":                    func(c *graphtest.Case) { rescaleOf(c, 1).Acc.Bias.Data[2] += 4 },
		"one shift":                   func(c *graphtest.Case) { rescaleOf(c, 1).Shift[2] = 3 },
		"two layers swapped":          func(c *graphtest.Case) { c.Weights[0], c.Weights[1] = c.Weights[1], c.Weights[0] },
		"two channels swapped":        func(c *graphtest.Case) { swapChannels(c.Weights[0], 4) },
		"two biases swapped":          func(c *graphtest.Case) { b := rescaleOf(c, 2).Acc.Bias.Data; b[0], b[1] = b[1], b[0] },
		"one table entry":             func(c *graphtest.Case) { changeTable(c, used, used, 9) },
		"all table entries":           func(c *graphtest.Case) { changeTable(c, -200, 200, 1) },
		"relu without its saturation": func(c *graphtest.Case) { changeTable(c, -200, 0, -5) },
	}
}

func swapChannels(w []int32, size int) {
	for i := range size {
		w[i], w[size+i] = w[size+i], w[i]
	}
}

// changeTable adds d to the entries [lo, hi] of the first layer's table.
func changeTable(c *graphtest.Case, lo, hi int64, d int32) {
	t := &c.Graph.Tables[0]
	values := t.Values()
	for q := lo; q <= hi; q++ {
		values[q-t.Lo] += d
	}
	*t = graph.NewTable(t.Lo, values)
}

// TestProofsOfOtherModelsAreRejected guards rule 3 with honest proofs of another model,
// as they are and with this model's digest in the statement.
func TestProofsOfOtherModelsAreRejected(t *testing.T) {
	p := prepare(t, deployed(t, nil), transcript.SHA256)
	for name, change := range otherModels(t) {
		t.Run(name, func(t *testing.T) {
			c := deployed(t, change)
			other := prepare(t, c, transcript.SHA256)
			if other.Model.Digest() == p.Model.Digest() {
				t.Fatal("two models with one digest")
			}
			r, err := Prove(t.Context(), other, Job{ID: "job"}, execute(t, c), Options{})
			if err != nil {
				t.Fatal(err)
			}
			wantRejection(t, verify.Verify(p.Model, r.Statement, r.Proof), verify.CheckModel)
			r.Statement.Model = p.Model.Digest()
			wantRejection(t, verify.Verify(p.Model, r.Statement, r.Proof), verify.CheckLookup)
		})
	}
}

// TestExecutionsOfOtherModelsAreRejected guards rule 3 with a prover who executes another
// model and claims that it is this one, using its own weights or the committed ones at
// every step.
func TestExecutionsOfOtherModelsAreRejected(t *testing.T) {
	honest := deployed(t, nil)
	p := prepare(t, honest, transcript.SHA256)
	truth := execute(t, honest)
	for name, change := range otherModels(t) {
		t.Run(name, func(t *testing.T) {
			c := deployed(t, change)
			trace := execute(t, c)
			if slices.Equal(trace.Accs[len(trace.Accs)-1], truth.Accs[len(truth.Accs)-1]) {
				t.Fatal("the change changes nothing")
			}
			st := statementOf(t, p, trace)
			other := *p
			other.packed = p.Model.System().PackWeights(c.Weights)
			for _, forge := range []bool{false, true} {
				l := newLiar(t, p, st, trace, forge)
				wantRejection(t, l.prove(), verify.CheckLookup, verify.CheckCells)
				l = newLiar(t, &other, st, trace, forge)
				wantRejection(t, l.prove(), verify.CheckLookup, verify.CheckCells, verify.CheckCommitment)
				l = newLiar(t, &other, st, trace, forge)
				l.weights = p.packed
				wantRejection(t, l.prove(), verify.CheckLookup, verify.CheckCells, verify.CheckWeightRow)
			}
		})
	}
}
