// Package graphtest makes random integer graphs that pass every check, for tests that
// compare executors.
package graphtest

import (
	"math/rand/v2"
	"strconv"

	"github.com/weisyn/wes/prover/graph"
)

// Case is a checked graph with weights that fit it and inputs in its domain.
type Case struct {
	Graph   *graph.Graph
	Info    *graph.Info
	Weights graph.Weights
	Inputs  [][]int32
}

// Random makes the case of a seed. Together the seeds cover every operator, ranks 2 to 5,
// batches, channel-first and channel-last tensors, groups, strides, dilations, uneven
// padding, all kinds of tables, shifts per channel, and accumulators from a few bits to
// beyond 2^40.
func Random(seed uint64) *Case {
	b := &builder{rng: rand.New(rand.NewPCG(seed, 1)), c: &Case{Graph: &graph.Graph{}}}
	b.input()
	for range 4 + b.rng.IntN(6) {
		b.step()
	}
	b.finish()
	return b.c
}

type builder struct {
	rng *rand.Rand
	c   *Case
}

// input adds an input in one of the layouts of networks, with random cells among which the
// ends of the domain are frequent.
func (b *builder) input() {
	dim := func(n int) int { return 1 + b.rng.IntN(n) }
	shape := [][]int{
		{dim(2), dim(6), 2 + dim(7), 2 + dim(7)},
		{dim(3), dim(8), 2 + dim(9)},
		{dim(3), dim(40)},
		{dim(2), dim(5), dim(16)},
		{1, dim(4), 2 + dim(3), 2 + dim(3), 2 + dim(3)},
	}[b.rng.IntN(5)]
	lo, hi := int64(-127), int64(127)
	switch b.rng.IntN(6) {
	case 0:
		lo, hi = 0, 255
	case 1:
		lo, hi = -1<<15, 1<<15-1
	case 2:
		lo, hi = 3, 3+b.rng.Int64N(100)
	}
	b.add(&graph.Input{Name: "x" + strconv.Itoa(len(b.c.Inputs)), Shape: shape, Lo: lo, Hi: hi, Scale: 1})
	cells := make([]int32, graph.Elements(shape))
	for i := range cells {
		switch b.rng.IntN(4) {
		case 0:
			cells[i] = int32(lo)
		case 1:
			cells[i] = int32(hi)
		default:
			cells[i] = int32(lo + b.rng.Int64N(hi-lo+1))
		}
	}
	b.c.Inputs = append(b.c.Inputs, cells)
}

// step tries random operators until one fits the graph.
func (b *builder) step() {
	for range 50 {
		if b.try(b.source()) {
			return
		}
	}
}

// source is a random tensor, the newest more often than others.
func (b *builder) source() int {
	last := len(b.c.Graph.Nodes) - 1
	if b.rng.IntN(3) > 0 {
		return last
	}
	return b.rng.IntN(last + 1)
}

func (b *builder) try(x int) bool {
	shape := b.c.Info.Shapes[x]
	if n := graph.Elements(shape); n > 1<<14 {
		return false
	}
	switch b.rng.IntN(8) {
	case 0, 1, 2:
		return b.rescale(x)
	case 3:
		return b.max(x)
	case 4:
		if len(b.c.Inputs) < 2 {
			b.input()
			return true
		}
	}
	return b.view(x)
}

// add appends a node if the graph stays valid. Outputs come last: Check derives shapes and
// bounds before it misses them.
func (b *builder) add(op graph.Op, inputs ...int) bool {
	g := b.c.Graph
	g.Nodes = append(g.Nodes, graph.Node{Name: "n" + strconv.Itoa(len(g.Nodes)), Op: op, Inputs: inputs})
	info, _ := g.Check()
	if info == nil {
		g.Nodes = g.Nodes[:len(g.Nodes)-1]
		return false
	}
	b.c.Info = info
	return true
}

// finish reveals one more accumulator and checks the whole.
func (b *builder) finish() {
	g := b.c.Graph
	last := len(g.Nodes) - 1
	outputs := []int{last}
	if acc, inputs, ok := b.accumulator(last); ok && b.add(&graph.Reveal{Acc: *acc}, inputs...) {
		outputs = append(outputs, last+1)
	}
	for _, t := range outputs {
		g.Outputs = append(g.Outputs, graph.Output{Name: "y", Tensor: t, Shape: b.c.Info.Shapes[t], Scale: 1})
	}
	if _, err := g.Check(); err != nil {
		panic("BUG: " + err.Error())
	}
	b.c.Weights = b.c.Weights[:len(b.readers())]
	if err := g.CheckWeights(b.c.Info, b.c.Weights); err != nil {
		panic("BUG: " + err.Error())
	}
}

// readers are the first readers of each weight so far.
func (b *builder) readers() []*graph.Conv {
	var first []*graph.Conv
	for i := range b.c.Graph.Nodes {
		for _, c := range graph.Convs(b.c.Graph.Nodes[i].Op) {
			if c.Weight == len(first) {
				first = append(first, c)
			}
		}
	}
	return first
}
