package model

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
)

// network builds float graphs for tests.
type network struct {
	t testing.TB
	g float.Graph
	r *rand.Rand
}

func newNetwork(t testing.TB, seed uint64, inputs ...[]int) *network {
	n := &network{t: t, r: rand.New(rand.NewPCG(seed, 7))}
	for i, s := range inputs {
		n.g.Inputs = append(n.g.Inputs, float.Value{Name: fmt.Sprintf("x%d", i), Shape: s})
	}
	return n
}

func (n *network) add(op float.Op, in ...float.ValueID) float.ValueID {
	n.t.Helper()
	var shapes [][]int
	for _, id := range in {
		shapes = append(shapes, n.g.ShapeOf(id))
	}
	shape, err := op.InferShape(shapes)
	if err != nil {
		n.t.Fatalf("%s of %v: %v", op.Kind(), shapes, err)
	}
	id := float.ValueID(n.g.Values())
	n.g.Nodes = append(n.g.Nodes, float.Node{Name: fmt.Sprintf("%s%d", op.Kind(), id), Op: op, Inputs: in, Output: id, Shape: shape})
	return id
}

func (n *network) output(id float.ValueID) {
	n.tail(id, nil)
}

func (n *network) tail(id float.ValueID, op float.Op) {
	n.g.Outputs = append(n.g.Outputs, float.Output{Name: fmt.Sprintf("y%d", len(n.g.Outputs)), Value: id, Tail: op, Shape: n.g.ShapeOf(id)})
}

func (n *network) random(count int, scale float64) []float32 {
	v := make([]float32, count)
	for i := range v {
		v[i] = float32(n.r.NormFloat64() * scale)
	}
	return v
}

func (n *network) constant(scale float64, shape ...int) float.Tensor {
	return float.Tensor{Shape: shape, Data: n.random(graph.Elements(shape), scale)}
}

func square(k, stride, pad int) float.Window {
	return float.Window{Kernel: []int{k, k}, Strides: []int{stride, stride}, Dilations: []int{1, 1}, PadBegin: []int{pad, pad}, PadEnd: []int{pad, pad}}
}

func (n *network) conv(x float.ValueID, out, k, stride, pad, group int) float.ValueID {
	in := n.g.ShapeOf(x)[1]
	fan := in / group * k * k
	return n.add(&float.Conv{
		Window: square(k, stride, pad), Out: out, In: in, Group: group,
		W: n.random(out*fan, 1/math.Sqrt(float64(fan))), B: n.random(out, 0.3),
	}, x)
}

func (n *network) matMul(x float.ValueID, out int) float.ValueID {
	s := n.g.ShapeOf(x)
	k := s[len(s)-1]
	return n.add(&float.MatMul{K: k, N: out, W: n.random(k*out, 1/math.Sqrt(float64(k))), B: n.random(out, 0.3)}, x)
}

// samples are standard normal inputs.
func (n *network) samples(count int) [][]float.Tensor {
	s := make([][]float.Tensor, count)
	for i := range s {
		for _, in := range n.g.Inputs {
			s[i] = append(s[i], n.constant(1, in.Shape...))
		}
	}
	return s
}

func (n *network) lower(o Options) *Lowered {
	n.t.Helper()
	low, err := Lower(context.Background(), &n.g, n.samples(6), o)
	if err != nil {
		n.t.Fatal(err)
	}
	return low
}

func count[T graph.Op](low *Lowered) int {
	n := 0
	for i := range low.Graph.Nodes {
		if _, ok := low.Graph.Nodes[i].Op.(T); ok {
			n++
		}
	}
	return n
}

// close requires every output to stay within a fraction of its largest value.
func (n *network) close(low *Lowered, fraction float64) {
	n.t.Helper()
	for _, a := range low.Report.Outputs {
		if a.MaxAbs > fraction*a.Largest {
			n.t.Errorf("output %s is off by %g of %g", a.Output, a.MaxAbs, a.Largest)
		}
	}
}
