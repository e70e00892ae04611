package model

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/weisyn/wes/prover"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
	"github.com/weisyn/wes/prover/model/interpret"
	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/verify"
)

// mostCells bounds the values of a random network.
const mostCells = 400

// randomNetwork is a network over every operator of the float graph, of the given number of
// steps. Its outputs are all values that nothing reads, and one at random, which may be an
// input or a view.
func randomNetwork(t testing.TB, seed uint64, steps int) *network {
	shapes := [][]int{{1, 4, 5, 6}, {2, 3, 4, 4}, {2, 4, 7}, {3, 6}, {1, 2, 8, 3}, {5}}
	n := newNetwork(t, seed)
	first := shapes[n.r.IntN(len(shapes))]
	n.g.Inputs = append(n.g.Inputs, float.Value{Name: "x0", Shape: first})
	if n.r.IntN(2) == 0 {
		n.g.Inputs = append(n.g.Inputs, float.Value{Name: "x1", Shape: first})
	}
	for range steps {
		n.step(float.ValueID(n.r.IntN(n.g.Values())))
	}
	uses := countUses(&n.g)
	for id, u := range uses {
		if u == 0 && id >= len(n.g.Inputs) {
			n.randomOutput(float.ValueID(id))
		}
	}
	n.randomOutput(float.ValueID(n.r.IntN(n.g.Values())))
	return n
}

func (n *network) randomOutput(id float.ValueID) {
	if rank := len(n.g.ShapeOf(id)); rank > 0 {
		switch n.r.IntN(4) {
		case 0:
			n.tail(id, &float.Softmax{Axis: n.r.IntN(rank)})
			return
		case 1:
			n.tail(id, &float.ArgMax{Axis: n.r.IntN(rank), KeepDims: n.r.IntN(2) == 0})
			return
		}
	}
	n.output(id)
}

// step adds one operator that accepts x, or a few that belong together.
func (n *network) step(x float.ValueID) {
	s := n.g.ShapeOf(x)
	spatial := len(s) - 2
	switch k := n.r.IntN(18); {
	case k < 3 && (spatial == 1 || spatial == 2):
		n.randomConv(x)
	case k == 3 && (spatial == 1 || spatial == 2):
		n.add(&float.MaxPool{Window: n.window(s)}, x)
	case k == 4 && (spatial == 1 || spatial == 2):
		n.add(&float.AveragePool{Window: n.window(s), CountIncludePad: n.r.IntN(2) == 0, Uncounted: make([]int, spatial)}, x)
	case k < 6 && len(s) > 0:
		n.matMul(x, 1+n.r.IntN(7))
	case k == 6 && len(s) > 0:
		n.add(n.mean(len(s)), x)
	case k == 7 && len(s) > 0:
		n.add(&float.Transpose{Perm: n.r.Perm(len(s))}, x)
	case k == 8 && len(s) > 0:
		n.add(n.part(s), x)
	case k == 9 && len(s) > 0 && graph.Elements(s) < mostCells/2:
		p := &float.Pad{}
		for range s {
			p.Begin, p.End = append(p.Begin, n.r.IntN(2)), append(p.End, n.r.IntN(2))
		}
		if out, _ := p.InferShape([][]int{s}); graph.Elements(out) < mostCells {
			n.add(p, x)
		}
	case k == 10:
		n.add(&float.Reshape{Shape: n.factors(graph.Elements(s))}, x)
	case k == 11 && len(s) > 0:
		n.join(x)
	case k == 12:
		n.broadcast(x)
	case k == 13:
		n.add(&float.AddConst{C: n.constant(0.5, n.fitting(s)...)}, x)
	case k == 14:
		n.add(&float.MulConst{C: n.constant(0.8, n.fitting(s)...)}, x)
	case k < 17:
		n.add(n.function(), x)
	default:
		n.addAlike(x)
	}
}

func (n *network) function() float.Op {
	return []float.Op{
		&float.Relu{}, &float.LeakyRelu{Alpha: 0.3}, &float.Clip{Lo: -0.5, Hi: 1}, &float.Clip{Lo: 0.25, Hi: float32(math.Inf(1))},
		&float.Sigmoid{}, &float.Tanh{}, &float.LeakyRelu{Alpha: -0.5},
	}[n.r.IntN(7)]
}

// window is one that fits, with pads smaller than its kernel.
func (n *network) window(s []int) float.Window {
	var w float.Window
	for _, d := range s[2:] {
		k := 1 + n.r.IntN(min(d, 3))
		dilation := 1
		if 2*(k-1)+1 <= d {
			dilation += n.r.IntN(2)
		}
		pad := func() int {
			if dilation > 1 || d < k {
				return 0
			}
			return n.r.IntN(k)
		}
		w.Kernel, w.Strides, w.Dilations = append(w.Kernel, k), append(w.Strides, 1+n.r.IntN(2)), append(w.Dilations, dilation)
		w.PadBegin, w.PadEnd = append(w.PadBegin, pad()), append(w.PadEnd, pad())
	}
	return w
}

func (n *network) randomConv(x float.ValueID) {
	s := n.g.ShapeOf(x)
	group := 1
	if n.r.IntN(3) == 0 {
		group = s[1]
	}
	out := group * (1 + n.r.IntN(4))
	if group > 1 {
		out = group * (1 + n.r.IntN(2))
	}
	w := n.window(s)
	fan := s[1] / group * graph.Elements(w.Kernel)
	op := &float.Conv{Window: w, Out: out, In: s[1], Group: group, W: n.random(out*fan, 1/math.Sqrt(float64(fan))), B: n.random(out, 0.3)}
	if shape, err := op.InferShape([][]int{s}); err == nil && graph.Elements(shape) < mostCells {
		n.add(op, x)
	}
}

func (n *network) mean(rank int) float.Op {
	m := &float.MeanAxes{KeepDims: n.r.IntN(2) == 0}
	for a := range rank {
		if n.r.IntN(2) == 0 {
			m.Axes = append(m.Axes, a)
		}
	}
	if len(m.Axes) == 0 {
		m.Axes = []int{rank - 1}
	}
	return m
}

func (n *network) part(s []int) float.Op {
	p := &float.Slice{}
	for _, d := range s {
		start, step := n.r.IntN(d), 1+n.r.IntN(2)
		most := (d-1-start)/step + 1
		if n.r.IntN(3) == 0 {
			most, step = start/step+1, -step
		}
		p.Starts, p.Steps, p.Sizes = append(p.Starts, start), append(p.Steps, step), append(p.Sizes, 1+n.r.IntN(most))
	}
	return p
}

// factors is a random shape of that many cells.
func (n *network) factors(cells int) []int {
	var s []int
	for cells > 1 && len(s) < 3 {
		d := 1 + n.r.IntN(cells)
		for cells%d != 0 {
			d--
		}
		s = append(s, d)
		cells /= d
	}
	return append(s, cells)
}

// fitting is the shape of a constant that broadcasts into s.
func (n *network) fitting(s []int) []int {
	c := slices.Clone(s)
	for i := range c {
		if n.r.IntN(2) == 0 {
			c[i] = 1
		}
	}
	return c
}

// join concatenates a value with another of a fitting shape, or with itself.
func (n *network) join(x float.ValueID) {
	s := n.g.ShapeOf(x)
	if graph.Elements(s) >= mostCells/2 {
		return
	}
	axis := n.r.IntN(len(s))
	y := x
	for id := range n.g.Values() {
		o := n.g.ShapeOf(float.ValueID(id))
		if len(o) == len(s) && graph.Elements(o) < mostCells/2 && slices.Equal(o[:axis], s[:axis]) && slices.Equal(o[axis+1:], s[axis+1:]) {
			y = float.ValueID(id)
		}
	}
	n.add(&float.Concat{Axis: axis}, x, y)
}

// broadcast adds a part of a value, with axes of length one, to the value.
func (n *network) broadcast(x float.ValueID) {
	s := n.g.ShapeOf(x)
	if len(s) == 0 {
		n.add(&float.Broadcast{Shape: []int{2, 3}}, n.add(&float.Reshape{Shape: []int{1, 1}}, x))
		return
	}
	m := n.mean(len(s)).(*float.MeanAxes)
	m.KeepDims = true
	wide := n.add(&float.Broadcast{Shape: s}, n.add(m, x))
	in := []float.ValueID{x, wide}
	if n.r.IntN(2) == 0 {
		slices.Reverse(in)
	}
	n.add(&float.Add{Subtract: n.r.IntN(2) == 0}, in...)
}

// addAlike adds another value of the shape of x to it, or x itself.
func (n *network) addAlike(x float.ValueID) {
	y := x
	for id := range n.g.Values() {
		if slices.Equal(n.g.ShapeOf(float.ValueID(id)), n.g.ShapeOf(x)) && n.r.IntN(2) == 0 {
			y = float.ValueID(id)
		}
	}
	n.add(&float.Add{Subtract: n.r.IntN(2) == 0}, x, y)
}

// largest is the largest magnitude of any value on the samples.
func (n *network) largest(samples [][]float.Tensor) float64 {
	most := 0.0
	for _, s := range samples {
		err := float.Walk(context.Background(), &n.g, s, func(_ float.ValueID, t float.Tensor) error {
			for _, v := range t.Data {
				most = max(most, math.Abs(float64(v)))
			}
			return nil
		})
		if err != nil {
			n.t.Fatal(err)
		}
	}
	return most
}

// Every rounding of a network of s steps, whose operators do not amplify much, adds at most
// about a step of its scale, 1/top of the largest value; weights and constants are as fine.
// So an output may be off by 1.5·s of them.
func TestRandomNetworksKeepTheFloatResult(t *testing.T) {
	const steps = 8
	for _, bits := range []int{8, 12} {
		for seed := range uint64(200) {
			n := randomNetwork(t, seed, steps)
			samples := n.samples(2)
			low, err := Lower(context.Background(), &n.g, samples, Options{ActivationBits: bits, WeightBits: 16, RevealBits: 16, Ranges: RangesMax})
			if err != nil {
				t.Errorf("seed %d: %v", seed, err)
				continue
			}
			bound := 1.5 * steps * n.largest(samples) / float64(low.Report.Options.top())
			for _, a := range low.Report.Outputs {
				if !(a.MaxAbs <= bound) {
					t.Errorf("%d bits, seed %d: output %s is off by %g of %g, bound %g", bits, seed, a.Output, a.MaxAbs, a.Largest, bound)
				}
			}
			n.stayInside(low)
		}
	}
}

func TestProofsOfRandomNetworksVerify(t *testing.T) {
	for seed := range uint64(16) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			n := randomNetwork(t, seed, 6)
			low := n.lower(Options{})
			var inputs [][]int32
			for _, i := range low.Graph.Inputs() {
				cells := make([]int32, graph.Elements(low.Info.Shapes[i]))
				for k := range cells {
					cells[k] = int32(n.r.IntN(255) - 127)
				}
				inputs = append(inputs, cells)
			}
			trace, err := interpret.Run(t.Context(), low.Graph, low.Info, low.Weights, inputs)
			if err != nil {
				t.Fatal(err)
			}
			p, err := prover.Prepare(t.Context(), low.Graph, low.Weights, transcript.SHA256, nil, prover.Options{})
			if err != nil {
				t.Fatal(err)
			}
			r, err := prover.Prove(t.Context(), p, prover.Job{ID: "job", Payee: "payee", Chain: "chain"}, trace, prover.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := verify.Verify(p.Model, r.Statement, r.Proof); err != nil {
				t.Fatal(err)
			}
		})
	}
}
