package graphtest

import (
	"math/rand/v2"

	"github.com/weisyn/wes/prover/graph"
)

// RandomProduct makes a case of products of two tensors: a Rescale, and a Reveal of a product
// with its result. The seeds cover batches, several axes of rows and of columns, axes in any
// order, operands that are inputs, committed and views, prime lengths and
// lengths of one, sums of several terms, biases and shifts per channel.
func RandomProduct(seed uint64) *Case {
	b := &builder{rng: rand.New(rand.NewPCG(seed, 2)), c: &Case{Graph: &graph.Graph{}}}
	first := b.product(-1)
	second := b.product(first)
	b.finishAt(first, second)
	return b.c
}

// product multiplies two new tensors, or left and a new one. It returns the product's node: a
// Rescale, or a Reveal when left is given.
func (b *builder) product(left int) int {
	length := func() int { return []int{1, 1, 2, 3, 4, 5, 7, 11}[b.rng.IntN(8)] }
	p := &graph.Product{}
	var leftShape, out []int
	if left < 0 {
		for range 2 + b.rng.IntN(3) {
			leftShape = append(leftShape, length())
		}
	} else {
		leftShape = b.c.Info.Shapes[left]
	}
	contracted := b.rng.IntN(len(leftShape))
	p.Length = leftShape[contracted]
	rightAxes, rightShape := []int{graph.Contracted}, []int{p.Length}
	for i, d := range leftShape {
		if i == contracted {
			p.Left = append(p.Left, graph.Contracted)
			continue
		}
		p.Left = append(p.Left, len(out))
		if b.rng.IntN(3) == 0 {
			rightAxes, rightShape = append(rightAxes, len(out)), append(rightShape, d)
		}
		out = append(out, d)
	}
	for range b.rng.IntN(3) {
		rightAxes, rightShape = append(rightAxes, len(out)), append(rightShape, length())
		out = append(out, rightShape[len(rightShape)-1])
	}
	if len(out) == 0 {
		rightAxes, rightShape, out = append(rightAxes, 0), append(rightShape, 1), []int{1}
	}
	order, place := b.rng.Perm(len(rightAxes)), b.rng.Perm(len(out))
	shape := make([]int, len(order))
	for i, k := range order {
		p.Right, shape[i] = append(p.Right, rightAxes[k]), rightShape[k]
	}
	for _, axes := range [][]int{p.Left, p.Right} {
		for i, a := range axes {
			if a != graph.Contracted {
				axes[i] = place[a]
			}
		}
	}
	placed := make([]int, len(out))
	for a, d := range out {
		placed[place[a]] = d
	}
	x, y := left, b.operand(shape)
	if left < 0 {
		x = b.operand(leftShape)
	}
	return b.sumOfProduct(p, x, y, placed, left >= 0)
}

// operand is a new tensor: an input, a committed one, or a view.
func (b *builder) operand(shape []int) int {
	b.sized(shape)
	x := len(b.c.Graph.Nodes) - 1
	switch b.rng.IntN(4) {
	case 0:
		b.mustAdd(&graph.Slice{Axis: 0, Start: shape[0] - 1, Step: -1, Len: shape[0]}, x)
	case 1, 2:
		table := clamp(-40, 40, b.c.Graph)
		b.mustAdd(&graph.Rescale{
			Acc:   graph.Accumulator{Channel: b.rng.IntN(len(shape)), Lo: -120, Hi: 120, Terms: []graph.Term{{Mult: 3}}},
			Shift: []int{2}, Table: table,
		}, x)
	}
	return len(b.c.Graph.Nodes) - 1
}

// clamp adds the table of a clamp of quotients up to 1000 to a graph.
func clamp(lo, hi int32, g *graph.Graph) int {
	values := make([]int32, 2001)
	for i := range values {
		values[i] = min(max(int32(i)-1000, lo), hi)
	}
	g.Tables = append(g.Tables, graph.NewTable(-1000, values))
	return len(g.Tables) - 1
}

// sized adds an input of a shape with random cells in [-40, 40].
func (b *builder) sized(shape []int) {
	b.mustAdd(&graph.Input{Name: "x", Shape: shape, Lo: -40, Hi: 40, Scale: 1})
	cells := make([]int32, graph.Elements(shape))
	for i := range cells {
		cells[i] = int32(b.rng.IntN(81)) - 40
	}
	b.c.Inputs = append(b.c.Inputs, cells)
}

func (b *builder) mustAdd(op graph.Op, inputs ...int) int {
	if !b.add(op, inputs...) {
		_, err := (&graph.Graph{Tables: b.c.Graph.Tables, Nodes: append(b.c.Graph.Nodes, graph.Node{Op: op, Inputs: inputs})}).Check()
		panic("BUG: " + err.Error())
	}
	return len(b.c.Graph.Nodes) - 1
}

// sumOfProduct adds a Rescale or Reveal over a product, some with a residual, a second
// product or a bias.
func (b *builder) sumOfProduct(p *graph.Product, x, y int, out []int, reveal bool) int {
	acc := graph.Accumulator{Channel: b.rng.IntN(len(out)), Terms: []graph.Term{{Product: p, Mult: 1 + b.rng.Int64N(3)}}}
	inputs := []int{x}
	if b.rng.IntN(3) == 0 {
		inputs = append(inputs, b.operand(out))
		acc.Terms = append(acc.Terms, graph.Term{Mult: -7})
	}
	twice := b.rng.IntN(3) == 0
	if twice {
		inputs = append(inputs, x)
		acc.Terms = append(acc.Terms, graph.Term{Product: p, Mult: -b.rng.Int64N(4)})
	}
	inputs = append(inputs, y)
	if twice {
		inputs = append(inputs, y)
	}
	b.bias(&acc, out)
	bounds := make([]graph.Interval, len(inputs))
	for k, t := range inputs {
		bounds[k] = b.c.Info.Bounds[t]
	}
	v, err := acc.Bound(bounds, b.c.Weights, out[acc.Channel])
	if err != nil {
		panic("BUG: " + err.Error())
	}
	acc.Lo, acc.Hi = v.Lo, v.Hi
	if reveal {
		return b.mustAdd(&graph.Reveal{Acc: acc}, inputs...)
	}
	shift := 0
	for max(acc.Hi, -acc.Lo)>>shift > 900 {
		shift++
	}
	op := &graph.Rescale{Acc: acc, Shift: []int{shift}, Table: clamp(-50, 50, b.c.Graph)}
	if b.rng.IntN(2) == 0 {
		op.Shift = make([]int, out[acc.Channel])
		for c := range op.Shift {
			op.Shift[c] = shift + b.rng.IntN(3)
		}
	}
	return b.mustAdd(op, inputs...)
}

// finishAt makes tensors the outputs.
func (b *builder) finishAt(tensors ...int) {
	g := b.c.Graph
	for _, t := range tensors {
		g.Outputs = append(g.Outputs, graph.Output{Name: "y", Tensor: t, Shape: b.c.Info.Shapes[t], Scale: 1})
	}
	info, err := g.Check()
	if err == nil {
		err = g.CheckWeights(info, b.c.Weights)
	}
	if err != nil {
		panic("BUG: " + err.Error())
	}
	b.c.Info = info
}
