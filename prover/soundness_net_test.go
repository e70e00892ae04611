package prover

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/layer"
	"github.com/weisyn/wes/prover/model/interpret/graphtest"
)

// net builds small graphs node by node: weights and inputs are random, bounds and tables
// are derived. Tables reach some hundred rows beyond the bounds, so that an execution with
// lies in it can go on.
type net struct {
	tb  testing.TB
	rng *rand.Rand
	c   *graphtest.Case
}

const tableMargin = 600

func newNet(tb testing.TB) *net {
	return &net{tb: tb, rng: rand.New(rand.NewPCG(7, 7)), c: &graphtest.Case{Graph: &graph.Graph{}}}
}

func (n *net) add(op graph.Op, inputs ...int) int {
	n.tb.Helper()
	g := n.c.Graph
	g.Nodes = append(g.Nodes, graph.Node{Name: graph.KindName(op), Op: op, Inputs: inputs})
	info, err := g.Check() // misses the outputs, which come last
	if info == nil {
		n.tb.Fatal(err)
	}
	n.c.Info = info
	return len(g.Nodes) - 1
}

func (n *net) input(shape ...int) int {
	n.tb.Helper()
	t := n.add(&graph.Input{Name: "x", Shape: shape, Lo: -50, Hi: 50, Scale: 1})
	cells := make([]int32, graph.Elements(shape))
	for i := range cells {
		cells[i] = int32(n.rng.IntN(101)) - 50
	}
	n.c.Inputs = append(n.c.Inputs, cells)
	return t
}

// conv is a convolution of a tensor along an axis of channels, with weights in [-3, 3].
func (n *net) conv(x, channel, out, groups int, spatial ...graph.Window) graph.Term {
	c := &graph.Conv{Weight: len(n.c.Weights), Channel: channel, InChannels: n.c.Info.Shapes[x][channel], OutChannels: out, Groups: groups, Spatial: spatial}
	w := make([]int32, c.WeightCount())
	for i := range w {
		w[i] = int32(n.rng.IntN(7)) - 3
	}
	n.c.Weights = append(n.c.Weights, w)
	return graph.Term{Conv: c}
}

// matmul contracts the last axis.
func (n *net) matmul(x, out int) graph.Term {
	return n.conv(x, len(n.c.Info.Shapes[x])-1, out, 1)
}

func (n *net) accumulator(terms []graph.Term, bias graph.Constant, channel int, inputs []int) graph.Accumulator {
	n.tb.Helper()
	acc := graph.Accumulator{Terms: terms, Bias: bias, Channel: channel}
	bounds := make([]graph.Interval, len(inputs))
	for i, t := range inputs {
		bounds[i] = n.c.Info.Bounds[t]
	}
	b, err := acc.Bound(bounds, n.c.Weights, n.channels(&acc, inputs))
	if err != nil {
		n.tb.Fatal(err)
	}
	acc.Lo, acc.Hi = b.Lo, b.Hi
	return acc
}

// channels is the length of an accumulator's channel axis.
func (n *net) channels(acc *graph.Accumulator, inputs []int) int {
	t := acc.Terms[0]
	if t.Conv != nil {
		return t.Conv.OutChannels
	}
	x, axis := inputs[0], acc.Channel
	if t.Product != nil {
		if axis = slices.Index(t.Product.Left, acc.Channel); axis < 0 {
			x, axis = inputs[len(acc.Terms)], slices.Index(t.Product.Right, acc.Channel)
		}
	}
	return n.c.Info.Shapes[x][axis]
}

func clamp(q int64) int64 { return min(max(q, 0), 127) }

// rescale adds a Rescale; without a function it clamps to [0, 127].
func (n *net) rescale(acc graph.Accumulator, shift []int, function func(q int64) int64, inputs ...int) int {
	n.tb.Helper()
	if function == nil {
		function = clamp
	}
	op := &graph.Rescale{Acc: acc, Shift: shift, Table: len(n.c.Graph.Tables)}
	lo := min(0, graph.ShiftRight(acc.Lo, op.MinShift())) - tableMargin
	hi := max(0, graph.ShiftRight(acc.Hi, op.MinShift())) + tableMargin
	values := make([]int32, hi-lo+1)
	for i := range values {
		values[i] = int32(function(lo + int64(i)))
	}
	n.c.Graph.Tables = append(n.c.Graph.Tables, graph.NewTable(lo, values))
	return n.add(op, inputs...)
}

// linear is a Rescale of one term that keeps most of the range.
func (n *net) linear(term graph.Term, channel, shift int, x int) int {
	n.tb.Helper()
	acc := n.accumulator([]graph.Term{term}, graph.Constant{}, channel, []int{x})
	return n.rescale(acc, []int{shift}, nil, x)
}

// commit stores a tensor as it is, up to clamping.
func (n *net) commit(x int) int {
	n.tb.Helper()
	return n.linear(graph.Term{Mult: 5}, len(n.c.Info.Shapes[x])-1, 2, x)
}

// reveal makes a product public, with bounds that no lie leaves.
func (n *net) reveal(x int) int {
	n.tb.Helper()
	term := n.matmul(x, 3)
	acc := graph.Accumulator{Terms: []graph.Term{term}, Channel: term.Conv.Channel, Lo: -1 << 45, Hi: 1 << 45}
	return n.add(&graph.Reveal{Acc: acc}, x)
}

// product is a Rescale of the product of two tensors, see graph.Product.
func (n *net) product(left, right []int, channel int, shift []int, x, y int) int {
	n.tb.Helper()
	in := []int{x, y}
	return n.rescale(n.accumulator([]graph.Term{n.times(left, right, 1, x)}, graph.Constant{}, channel, in), shift, nil, in...)
}

// times is mult times the product of x with another tensor.
func (n *net) times(left, right []int, mult int64, x int) graph.Term {
	length := n.c.Info.Shapes[x][slices.Index(left, graph.Contracted)]
	return graph.Term{Mult: mult, Product: &graph.Product{Left: left, Right: right, Length: length}}
}

// outputs ends the graph.
func (n *net) outputs(tensors ...int) *graphtest.Case {
	n.tb.Helper()
	g := n.c.Graph
	for _, t := range tensors {
		g.Outputs = append(g.Outputs, graph.Output{Name: "y", Tensor: t, Shape: n.c.Info.Shapes[t], Scale: 1})
	}
	info, err := g.Check()
	if err == nil {
		err = g.CheckWeights(info, n.c.Weights)
	}
	if err != nil {
		n.tb.Fatal(err)
	}
	return n.c
}

func window(axis, kernel, stride, dilation, pad, out int) graph.Window {
	return graph.Window{Axis: axis, Kernel: kernel, Stride: stride, Dilation: dilation, Pad: pad, Out: out}
}

// scene is a graph around one operator. build returns the tensor to lie about: the
// operator's output if that is committed, else that of the operator's consumer.
type scene struct {
	name  string
	build func(n *net) (target int)
}

// make finishes the scene's graph: the target goes on into a revealed product.
func (s scene) make(tb testing.TB) (c *graphtest.Case, target int) {
	tb.Helper()
	n := newNet(tb)
	target = s.build(n)
	return n.outputs(n.reveal(target)), target
}

// makePublic finishes the graph with the target as a second output.
func (s scene) makePublic(tb testing.TB) *graphtest.Case {
	tb.Helper()
	n := newNet(tb)
	target := s.build(n)
	return n.outputs(n.reveal(target), target)
}

// viewed is a scene for a view between two committed tensors.
func viewed(name string, shape []int, op graph.Op) scene {
	return scene{name, func(n *net) int {
		a := n.commit(n.input(shape...))
		return n.commit(n.add(op, a))
	}}
}

// scenes is the table of operators under test.
func scenes() []scene {
	same := []graph.Window{window(2, 3, 1, 1, 1, 4), window(3, 3, 1, 1, 1, 3)}
	convolution := func(name string, in, out, groups int, spatial ...graph.Window) scene {
		return scene{name, func(n *net) int {
			a := n.commit(n.input(1, in, 4, 3))
			return n.linear(n.conv(a, 1, out, groups, spatial...), 1, 3, a)
		}}
	}
	scenes := []scene{
		{"input", func(n *net) int { return n.commit(n.input(2, 5)) }},
		convolution("dense convolution", 2, 3, 1, same...),
		convolution("grouped convolution", 4, 6, 2, same...),
		convolution("depthwise convolution", 3, 3, 3, same...),
		convolution("strided convolution", 2, 3, 1, window(2, 2, 2, 1, 0, 2), window(3, 2, 2, 1, 1, 2)),
		convolution("dilated convolution", 2, 3, 1, window(2, 2, 1, 2, 0, 2), window(3, 2, 1, 2, 1, 3)),
		convolution("padded convolution", 2, 3, 1, window(2, 3, 1, 1, 2, 6), window(3, 1, 1, 1, 0, 3)),
		{"matrix product", func(n *net) int {
			a := n.commit(n.input(2, 5))
			return n.linear(n.matmul(a, 3), 1, 2, a)
		}},
		{"residual", func(n *net) int {
			a := n.commit(n.input(2, 5))
			in := []int{a, a}
			return n.rescale(n.accumulator([]graph.Term{n.matmul(a, 5), {Mult: 3}}, graph.Constant{}, 1, in), []int{2}, nil, in...)
		}},
		{"bias", func(n *net) int {
			a := n.commit(n.input(2, 3, 5))
			bias := graph.Constant{Shape: []int{1, 3, 5}, Data: make([]int64, 15)}
			for i := range bias.Data {
				bias.Data[i] = n.rng.Int64N(80) - 40
			}
			return n.rescale(n.accumulator([]graph.Term{n.matmul(a, 5)}, bias, 2, []int{a}), []int{2}, nil, a)
		}},
		{"shift per channel", func(n *net) int {
			a := n.commit(n.input(2, 5))
			return n.rescale(n.accumulator([]graph.Term{n.matmul(a, 3)}, graph.Constant{}, 1, []int{a}), []int{0, 2, 3}, nil, a)
		}},
		{"function without clamp", func(n *net) int {
			a := n.commit(n.input(2, 5))
			noise := func(q int64) int64 { return (q*q%101 + 101) % 101 }
			return n.rescale(n.accumulator([]graph.Term{{Mult: 3}}, graph.Constant{}, 1, []int{a}), []int{1}, noise, a)
		}},
		{"average pool", func(n *net) int {
			a := n.commit(n.input(1, 2, 4, 4))
			h := n.add(&graph.SumWindow{Window: window(2, 2, 2, 1, 0, 2)}, a)
			w := n.add(&graph.SumWindow{Window: window(3, 2, 2, 1, 0, 2)}, h)
			return n.linear(graph.Term{Mult: 1}, 1, 2, w)
		}},
		{"maximum", func(n *net) int {
			a := n.commit(n.input(1, 3, 4))
			even := n.add(&graph.Slice{Axis: 2, Step: 2, Len: 2}, a)
			odd := n.add(&graph.Slice{Axis: 2, Start: 1, Step: 2, Len: 2}, a)
			return n.add(&graph.Max{Channel: 1}, even, odd)
		}},
		{"maximum of maxima", func(n *net) int {
			a := n.commit(n.input(1, 3, 4))
			next := n.add(&graph.Select{Axis: 2, Index: []int{1, 2, 3, 3}}, a)
			m := n.add(&graph.Max{Channel: 1}, a, next)
			far := n.add(&graph.Select{Axis: 2, Index: []int{2, 3, 3, 3}}, m)
			return n.add(&graph.Max{Channel: 2}, m, far)
		}},
		{"concat", func(n *net) int {
			a := n.commit(n.input(2, 3))
			b := n.commit(n.add(&graph.Slice{Axis: 1, Start: 2, Step: -1, Len: 2}, a))
			return n.commit(n.add(&graph.Concat{Axis: 1}, a, b, a))
		}},
		viewed("slice", []int{2, 7}, &graph.Slice{Axis: 1, Start: 5, Step: -2, Len: 3}),
		viewed("pad", []int{2, 4}, &graph.Pad{Axis: 1, Before: 1, After: 2}),
		viewed("select", []int{3, 4}, &graph.Select{Axis: 0, Index: []int{2, 0, 0, 1, 2}}),
		viewed("broadcast", []int{1, 5}, &graph.Broadcast{Axis: 0, N: 3}),
		viewed("scale", []int{2, 3}, &graph.Scale{Coef: graph.Constant{Shape: []int{1, 3}, Data: []int64{1, 2, 3}}}),
		viewed("transpose", []int{2, 3, 4}, &graph.Transpose{Perm: []int{2, 0, 1}}),
		viewed("reshape", []int{3, 4}, &graph.Reshape{Shape: []int{2, 6}}),
		viewed("window sum", []int{2, 6}, &graph.SumWindow{Window: window(1, 3, 2, 1, 1, 3)}),
		{"revealed", func(n *net) int {
			a := n.commit(n.input(2, 3))
			return n.linear(n.matmul(a, 3), 1, 3, a)
		}},
		{"one cell", func(n *net) int { return n.commit(n.input(1, 1)) }},
		{"prime sizes", func(n *net) int {
			a := n.commit(n.input(3, 7, 5))
			return n.linear(n.conv(a, 1, 11, 1), 1, 4, a)
		}},
		{"two shapes of columns", func(n *net) int {
			a := n.commit(n.input(1, 19, 2))
			return n.linear(n.conv(a, 1, 21, 1), 1, 4, a)
		}},
	}
	return slices.Concat(scenes, productScenes(), idScenes(), wideScenes(), directScenes(), treeScenes(), sharedScenes())
}

// operatorCode is an operator's code in the encoding of a graph.
func operatorCode(op graph.Op) byte {
	g := graph.Graph{Nodes: []graph.Node{{Op: op}}}
	return g.Encode()[3]
}

// termCode is a term's code in the encoding of a graph, and what comes before it.
func termCode(term graph.Term) (head []byte, code byte) {
	g := graph.Graph{Nodes: []graph.Node{{Op: &graph.Reveal{Acc: graph.Accumulator{Terms: []graph.Term{term}}}}}}
	data := g.Encode()
	return data[:7], data[7]
}

// TestEveryLookupHasAScene fails when a column commits or looks up something that nothing lies
// about.
func TestEveryLookupHasAScene(t *testing.T) {
	slots, leaves := map[layer.SlotKind]bool{}, map[layer.LeafKind]bool{}
	for _, s := range scenes() {
		c, _ := s.make(t)
		system, err := layer.NewSystem(c.Graph, c.Info)
		if err != nil {
			t.Fatal(err)
		}
		for _, slot := range system.Slots {
			slots[slot.Kind] = true
		}
		for _, leaf := range system.Leaves {
			leaves[leaf.Kind] = true
		}
	}
	if len(slots) != int(layer.SlotCount)+1 || len(leaves) != int(layer.LeafMaximum)+1 {
		t.Errorf("kinds of slots %v and of lookups %v", slots, leaves)
	}
}

// TestEveryOperatorHasAScene fails when the integer graph gets an operator, or a kind of term
// of an accumulator, that nothing lies about.
func TestEveryOperatorHasAScene(t *testing.T) {
	have, terms := map[byte]bool{}, map[byte]bool{}
	for _, s := range scenes() {
		c, target := s.make(t)
		for i := range c.Graph.Nodes {
			have[operatorCode(c.Graph.Nodes[i].Op)] = true
		}
		if acc := graph.AccumulatorOf(c.Graph.Nodes[target].Op); acc != nil {
			for _, term := range acc.Terms {
				_, code := termCode(term)
				terms[code] = true
			}
		}
	}
	prefix, _ := termCode(graph.Term{})
	kinds := 0
	for code := byte(0); code < 126; code += 2 {
		_, err := graph.Decode(append(slices.Clone(prefix), code))
		if err != nil && strings.Contains(err.Error(), "no term") {
			continue
		}
		if kinds++; !terms[code] {
			t.Errorf("term %d has no scene", code/2)
		}
	}
	if kinds != 3 {
		t.Errorf("the encoding knows %d kinds of term", kinds)
	}
	head := slices.Clone((&graph.Graph{Nodes: []graph.Node{{Op: &graph.Reveal{}}}}).Encode()[:3])
	_, unknown := graph.Decode(append(slices.Clone(head), 126))
	known := 0
	for code := byte(2); code < 126; code += 2 {
		_, err := graph.Decode(append(slices.Clone(head), code))
		if isUnknownOperator(err) {
			continue
		}
		if known++; !have[code] {
			t.Errorf("operator %d has no scene", code/2)
		}
	}
	if known < 13 || !isUnknownOperator(unknown) {
		t.Fatalf("the encoding knows %d operators, and says %v of an unknown one", known, unknown)
	}
}

func isUnknownOperator(err error) bool {
	return err != nil && strings.Contains(err.Error(), "no operator")
}
