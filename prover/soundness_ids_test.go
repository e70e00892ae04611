package prover

import (
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/verify"
)

// ids is a public input of ids below n, and an embedding of them.
func (n *net) ids(rows int, shape ...int) int {
	t := n.add(&graph.Input{Name: "ids", Shape: shape, Lo: 0, Hi: int64(rows) - 1, Scale: 1})
	cells := make([]int32, graph.Elements(shape))
	for i := range cells {
		cells[i] = int32(n.rng.IntN(rows))
	}
	cells[0] = 0
	n.c.Inputs = append(n.c.Inputs, cells)
	return t
}

func (n *net) embed(rows, channel, out int) graph.Term {
	c := &graph.Conv{Weight: len(n.c.Weights), Channel: channel, Ids: true, InChannels: rows, OutChannels: out, Groups: 1}
	w := make([]int32, c.WeightCount())
	for i := range w {
		w[i] = int32(n.rng.IntN(400)) - 100
	}
	n.c.Weights = append(n.c.Weights, w)
	return graph.Term{Conv: c}
}

// idScenes are embeddings of public ids.
func idScenes() []scene {
	embedding := func(name string, rows, channel, out int, shape ...int) scene {
		return scene{name, func(n *net) int {
			x := n.ids(rows, shape...)
			return n.linear(n.embed(rows, channel, out), channel, 1, x)
		}}
	}
	return []scene{
		embedding("embedding", 11, 2, 5, 2, 3),
		embedding("embedding with channels first", 13, 0, 4, 5),
		embedding("embedding with two shapes of channels", 7, 1, 21, 3),
		{"embedding with positions", func(n *net) int {
			a, b := n.ids(9, 1, 4), n.ids(2, 1, 4)
			bias := graph.Constant{Shape: []int{1, 4, 3}, Data: make([]int64, 12)}
			for i := range bias.Data {
				bias.Data[i] = n.rng.Int64N(80) - 40
			}
			in := []int{a, b}
			acc := n.accumulator([]graph.Term{n.embed(9, 2, 3), n.embed(2, 2, 3)}, bias, 2, in)
			return n.rescale(acc, []int{1}, nil, in...)
		}},
	}
}

// TestEmbeddingOfOtherIdsIsRejected guards rule 4: an embedding of ids that are not those of the
// statement, true in everything else.
func TestEmbeddingOfOtherIdsIsRejected(t *testing.T) {
	for _, s := range idScenes() {
		t.Run(s.name, func(t *testing.T) {
			c, _ := s.make(t)
			p, honest := prepare(t, c, transcript.SHA256), execute(t, c)
			for cell := range c.Inputs[0] {
				trace := executeWith(t, c, in(c.Graph.Inputs()[0], func(v []int32) { v[cell] = (v[cell] + 1) % int32(c.Info.Bounds[0].Hi+1) }))
				told := statementOf(t, p, trace)
				told.Inputs = statementOf(t, p, honest).Inputs
				wantRejection(t, newLiar(t, p, told, trace, true).prove(), verify.CheckCells)
			}
		})
	}
}

// TestIdsOutOfRangeAreRejected guards rule 8: an id without a row.
func TestIdsOutOfRangeAreRejected(t *testing.T) {
	c, _ := idScenes()[0].make(t)
	p, trace := prepare(t, c, transcript.SHA256), execute(t, c)
	result, err := Prove(t.Context(), p, Job{}, trace, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []int32{-1, 11, 1 << 30} {
		s := *result.Statement
		s.Inputs = [][]int32{append([]int32{id}, s.Inputs[0][1:]...)}
		wantRejection(t, verify.Verify(p.Model, &s, result.Proof), verify.CheckInputs)
	}
}
