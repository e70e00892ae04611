package prover

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model"
	"github.com/weisyn/wes/prover/model/float"
	"github.com/weisyn/wes/prover/model/interpret/graphtest"
	"github.com/weisyn/wes/prover/transcript"
)

// textNet builds a float network of token ids.
type textNet struct {
	tb  testing.TB
	g   float.Graph
	rng *rand.Rand
}

func (n *textNet) add(op float.Op, in ...float.ValueID) float.ValueID {
	n.tb.Helper()
	var shapes [][]int
	for _, id := range in {
		shapes = append(shapes, n.g.ShapeOf(id))
	}
	shape, err := op.InferShape(shapes)
	if err != nil {
		n.tb.Fatal(err)
	}
	id := float.ValueID(n.g.Values())
	n.g.Nodes = append(n.g.Nodes, float.Node{Name: fmt.Sprint(op.Kind(), id), Op: op, Inputs: in, Output: id, Shape: shape})
	return id
}

func (n *textNet) random(count int, spread float64) []float32 {
	v := make([]float32, count)
	for i := range v {
		v[i] = float32(n.rng.NormFloat64() * spread)
	}
	return v
}

func (n *textNet) dense(x float.ValueID, out int) float.ValueID {
	s := n.g.ShapeOf(x)
	k := s[len(s)-1]
	return n.add(&float.MatMul{K: k, N: out, W: n.random(k*out, 1/math.Sqrt(float64(k))), B: n.random(out, 0.1)}, x)
}

// textCase is a decoder of one block, lowered: embeddings, a causal softmax, norms of both kinds,
// residuals and a GELU.
func textCase(tb testing.TB) *graphtest.Case {
	tb.Helper()
	const length, width, rows = 3, 4, 7
	n := &textNet{tb: tb, rng: rand.New(rand.NewPCG(3, 3))}
	n.g.Inputs = []float.Value{{Name: "ids", Shape: []int{1, length}, Type: 7, Limit: rows}}
	x := n.add(&float.Embedding{Rows: rows, Width: width, Table: n.random(rows*width, 1)}, 0)
	h := n.add(&float.Norm{Epsilon: 1e-5, Centered: true}, x)
	keep := float.Tensor{Shape: []int{1, length, length}, Data: []float32{1, 0, 0, 1, 1, 0, 1, 1, 1}}
	k := n.add(&float.Transpose{Perm: []int{0, 2, 1}}, n.dense(h, width))
	scores := n.add(&float.Product{K: width}, n.dense(h, width), k)
	mixed := n.add(&float.Product{K: length}, n.add(&float.Softmax{Axis: 2, Keep: keep}, scores), n.dense(h, width))
	x = n.add(&float.Add{}, x, n.dense(mixed, width))
	h = n.add(&float.Gelu{}, n.dense(n.add(&float.Norm{Epsilon: 1e-5}, x), 5))
	x = n.add(&float.Add{}, x, n.dense(h, width))
	y := n.dense(n.add(&float.Norm{Epsilon: 1e-5, Centered: true}, x), 3)
	n.g.Outputs = []float.Output{{Name: "y", Value: y, Shape: n.g.ShapeOf(y)}}
	var samples [][]float.Tensor
	for range 4 {
		s := float.NewTensor([]int{1, length})
		for i := range s.Data {
			s.Data[i] = float32(n.rng.IntN(rows))
		}
		samples = append(samples, []float.Tensor{s})
	}
	low, err := model.Lower(tb.Context(), &n.g, samples, model.Options{ActivationBits: 6})
	if err != nil {
		tb.Fatal(err)
	}
	return &graphtest.Case{Graph: low.Graph, Info: low.Info, Weights: low.Weights, Inputs: [][]int32{{1, 5, 2}}}
}

// TestLieInOneStepOfATextModelIsRejected guards rules 4, 5 and 6 for what text operators are made
// of: in every step of softmaxes, norms, products and functions one cell is off by one, with all
// that follows made consistent with it.
func TestLieInOneStepOfATextModelIsRejected(t *testing.T) {
	c := textCase(t)
	p := prepare(t, c, transcript.SHA256)
	told := 0
	for target := range c.Graph.Nodes {
		switch c.Graph.Nodes[target].Op.(type) {
		case *graph.Rescale, *graph.Max:
		default:
			continue
		}
		last := graph.Elements(c.Info.Shapes[target]) - 1
		for _, d := range [][]int32{{1, -1}, {-1, 1}}[target%2] {
			trace := executeWith(t, c, in(target, func(v []int32) { v[last] += d }))
			if trace == nil {
				continue
			}
			told++
			t.Run(fmt.Sprint(target, " ", c.Graph.Nodes[target].Name, " ", d), func(t *testing.T) {
				mustReject(t, p, statementOf(t, p, trace), trace, nil)
			})
			break // the other way leaves a table, or is told of the next step
		}
	}
	if told < 20 {
		t.Errorf("only %d lies told", told)
	}
}
