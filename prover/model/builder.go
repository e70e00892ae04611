package model

import (
	"slices"

	"github.com/weisyn/wes/prover/graph"
)

// builder collects the nodes of an integer graph with what is known of their tensors.
type builder struct {
	nodes   []graph.Node
	shapes  [][]int
	bounds  []graph.Interval
	channel []int       // axis that a proof stores lowest
	weights [][][]int32 // by node: weights of its convolutions, from the pool
	pool    weightPool
	tables  tableSet
	uses    []*tableEntry // by node: table of a rescale
}

func newBuilder() builder { return builder{pool: newWeightPool()} }

func (b *builder) add(n graph.Node, shape []int, bound graph.Interval, channel int) int {
	b.nodes = append(b.nodes, n)
	b.shapes = append(b.shapes, shape)
	b.bounds = append(b.bounds, bound)
	b.channel = append(b.channel, channel)
	b.weights = append(b.weights, nil)
	b.uses = append(b.uses, nil)
	return len(b.nodes) - 1
}

// read says which weights the convolutions of a node have.
func (b *builder) read(t int, weights [][]int32) {
	for _, w := range weights {
		b.weights[t] = append(b.weights[t], b.pool.intern(w))
	}
}

func with(shape []int, axis, length int) []int {
	out := slices.Clone(shape)
	out[axis] = length
	return out
}

// axisView adds a view of t that gives one axis another length.
func (b *builder) axisView(name string, op graph.Op, t, axis, length int, bound graph.Interval) int {
	return b.add(graph.Node{Name: name, Op: op, Inputs: []int{t}}, with(b.shapes[t], axis, length), bound, b.channel[t])
}

func (b *builder) slice(name string, t int, s graph.Slice) int {
	if s.Start == 0 && s.Step == 1 && s.Len == b.shapes[t][s.Axis] {
		return t
	}
	return b.axisView(name, &s, t, s.Axis, s.Len, b.bounds[t])
}

func (b *builder) selectAt(name string, t, axis int, index []int) int {
	return b.axisView(name, &graph.Select{Axis: axis, Index: index}, t, axis, len(index), b.bounds[t])
}

func (b *builder) broadcast(name string, t, axis, length int) int {
	if b.shapes[t][axis] == length {
		return t
	}
	return b.axisView(name, &graph.Broadcast{Axis: axis, N: length}, t, axis, length, b.bounds[t])
}

func (b *builder) pad(name string, t, axis, before, after int) int {
	if before == 0 && after == 0 {
		return t
	}
	v := b.bounds[t]
	return b.axisView(name, &graph.Pad{Axis: axis, Before: before, After: after}, t, axis, b.shapes[t][axis]+before+after,
		graph.Interval{Lo: min(v.Lo, 0), Hi: max(v.Hi, 0)})
}

func (b *builder) sumWindow(name string, t int, w graph.Window) int {
	v, k := b.bounds[t], int64(w.Kernel)
	return b.axisView(name, &graph.SumWindow{Window: w}, t, w.Axis, w.Out, graph.Interval{Lo: k * min(v.Lo, 0), Hi: k * max(v.Hi, 0)})
}

func (b *builder) scaleBy(name string, t int, coef graph.Constant) int {
	v := b.bounds[t]
	lo, hi := slices.Min(coef.Data), slices.Max(coef.Data)
	bound := graph.Interval{Lo: min(lo*v.Lo, lo*v.Hi, hi*v.Lo, hi*v.Hi), Hi: max(lo*v.Lo, lo*v.Hi, hi*v.Lo, hi*v.Hi)}
	return b.add(graph.Node{Name: name, Op: &graph.Scale{Coef: coef}, Inputs: []int{t}}, b.shapes[t], bound, b.channel[t])
}

func (b *builder) transpose(name string, t int, perm []int) int {
	shape := make([]int, len(perm))
	for i, p := range perm {
		shape[i] = b.shapes[t][p]
	}
	return b.add(graph.Node{Name: name, Op: &graph.Transpose{Perm: slices.Clone(perm)}, Inputs: []int{t}}, shape,
		b.bounds[t], slices.Index(perm, b.channel[t]))
}

// reshape adds a Reshape, looking through one that t already is. The channel axis stays
// where it is when the axes up to it do, and becomes the last one otherwise.
func (b *builder) reshape(name string, t int, shape []int) int {
	if _, ok := b.nodes[t].Op.(*graph.Reshape); ok {
		t = b.nodes[t].Inputs[0]
	}
	if len(shape) == 0 {
		shape = []int{1}
	}
	if slices.Equal(b.shapes[t], shape) {
		return t
	}
	channel := b.channel[t]
	if channel >= len(shape) || !slices.Equal(shape[:channel+1], b.shapes[t][:channel+1]) {
		channel = len(shape) - 1
	}
	return b.add(graph.Node{Name: name, Op: &graph.Reshape{Shape: slices.Clone(shape)}, Inputs: []int{t}}, slices.Clone(shape),
		b.bounds[t], channel)
}

// concat joins tensors, in parts where there are more of them than a node may have.
func (b *builder) concat(name string, tensors []int, axis int) int {
	for len(tensors) > graph.MaxInputs {
		var parts []int
		for part := range slices.Chunk(tensors, graph.MaxInputs) {
			parts = append(parts, b.concat(name, part, axis))
		}
		tensors = parts
	}
	shape := slices.Clone(b.shapes[tensors[0]])
	bound := b.bounds[tensors[0]]
	for _, t := range tensors[1:] {
		shape[axis] += b.shapes[t][axis]
		bound = graph.Interval{Lo: min(bound.Lo, b.bounds[t].Lo), Hi: max(bound.Hi, b.bounds[t].Hi)}
	}
	return b.add(graph.Node{Name: name, Op: &graph.Concat{Axis: axis}, Inputs: tensors}, shape, bound, b.channel[tensors[0]])
}

func (b *builder) max(name string, x, y int) int {
	v, w := b.bounds[x], b.bounds[y]
	return b.add(graph.Node{Name: name, Op: &graph.Max{Channel: b.channel[x]}, Inputs: []int{x, y}}, b.shapes[x],
		graph.Interval{Lo: max(v.Lo, w.Lo), Hi: max(v.Hi, w.Hi)}, b.channel[x])
}

// finish drops what no output needs, except inputs, and numbers tensors, weights and tables
// in order of appearance. number is the new number of every node, −1 if it is dropped.
func (b *builder) finish(outputs []graph.Output) (g *graph.Graph, w graph.Weights, number []int) {
	needed := make([]bool, len(b.nodes))
	for _, o := range outputs {
		needed[o.Tensor] = true
	}
	for i := len(b.nodes) - 1; i >= 0; i-- {
		if _, input := b.nodes[i].Op.(*graph.Input); input {
			needed[i] = true
		}
		if needed[i] {
			for _, t := range b.nodes[i].Inputs {
				needed[t] = true
			}
		}
	}
	g = &graph.Graph{}
	weights := newNumbering()
	number = make([]int, len(b.nodes))
	for i, n := range b.nodes {
		if !needed[i] {
			number[i] = -1
			continue
		}
		number[i] = len(g.Nodes)
		n.Inputs = slices.Clone(n.Inputs)
		for k, t := range n.Inputs {
			n.Inputs[k] = number[t]
		}
		for k, c := range graph.Convs(n.Op) {
			weights.number(c, b.weights[i][k])
		}
		if e := b.uses[i]; e != nil {
			n.Op.(*graph.Rescale).Table = e.number(g)
		}
		g.Nodes = append(g.Nodes, n)
	}
	g.Outputs = slices.Clone(outputs)
	for i := range g.Outputs {
		g.Outputs[i].Tensor = number[g.Outputs[i].Tensor]
	}
	return g, weights.weights, number
}
