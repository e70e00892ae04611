package graphtest

import (
	"math/rand/v2"

	"github.com/weisyn/wes/prover/graph"
)

// RandomTrees makes a case of decision trees over keys of numbers: as they are, and with their sum with
// other trees over the same input, rescaled, and in a product with constant weights. The seeds cover all
// tests, cells that equal thresholds, zeros of both signs, trees of one leaf, leaves without votes, and
// base values.
func RandomTrees(seed uint64) *Case {
	b := &builder{rng: rand.New(rand.NewPCG(seed, 4)), c: &Case{Graph: &graph.Graph{}}}
	shape := []int{1 + b.rng.IntN(5), 1 + b.rng.IntN(4)}
	targets := 1 + b.rng.IntN(4)
	b.mustAdd(&graph.Input{Name: "x", Shape: shape, Lo: -graph.MaxKey, Hi: graph.MaxKey, Keys: true, Scale: 1})
	cells := make([]int32, graph.Elements(shape))
	for i := range cells {
		cells[i] = b.key()
	}
	b.c.Inputs = append(b.c.Inputs, cells)
	b.mustAdd(b.forest(shape[1], targets), 0)
	b.mustAdd(b.forest(shape[1], targets), 0)
	conv := &graph.Conv{Channel: 1, InChannels: targets, OutChannels: 1 + b.rng.IntN(7), Groups: 1}
	w := make([]int32, conv.WeightCount())
	for i := range w {
		w[i] = int32(b.rng.IntN(200)) - 100
	}
	b.c.Weights = graph.Weights{w}
	acc := graph.Accumulator{Channel: 1, Terms: []graph.Term{{Conv: conv}}}
	b.trees(&acc, &graph.Reveal{}, 1)
	acc = graph.Accumulator{Channel: 1, Terms: []graph.Term{{Mult: 3}, {Mult: -1}}}
	b.trees(&acc, &graph.Rescale{Shift: []int{1}}, 1, 2)
	b.finishAt(1, 3, 4)
	return b.c
}

// trees adds an accumulator of trees.
func (b *builder) trees(acc *graph.Accumulator, op graph.Op, inputs ...int) {
	var bounds []graph.Interval
	for _, t := range inputs {
		bounds = append(bounds, b.c.Info.Bounds[t])
	}
	channels := b.c.Info.Shapes[1][1]
	if c := acc.Terms[0].Conv; c != nil {
		channels = c.OutChannels
	}
	v, err := acc.Bound(bounds, b.c.Weights, channels)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	acc.Lo, acc.Hi = v.Lo, v.Hi
	switch op := op.(type) {
	case *graph.Reveal:
		op.Acc = *acc
	case *graph.Rescale:
		op.Acc = *acc
		b.c.Graph.Tables = append(b.c.Graph.Tables, b.table(min(0, graph.ShiftRight(acc.Lo, 1)), max(0, graph.ShiftRight(acc.Hi, 1))))
	}
	b.mustAdd(op, inputs...)
}

// key is that of one of few numbers.
func (b *builder) key() int32 {
	numbers := []float32{0, 1, -1, 1.5, -2e-40, 3e38, -3e38, 0.1}
	return graph.Key(numbers[b.rng.IntN(len(numbers))])
}

func (b *builder) forest(features, targets int) *graph.Trees {
	op := &graph.Trees{Targets: targets}
	if b.rng.IntN(2) == 0 {
		for range targets {
			op.Base = append(op.Base, int64(b.rng.IntN(100)-50))
		}
	}
	for range 1 + b.rng.IntN(5) {
		op.Trees = append(op.Trees, b.grow(nil, features, targets, b.rng.IntN(6)))
	}
	return op
}

// grow appends a tree to nodes.
func (b *builder) grow(nodes graph.Tree, features, targets, depth int) graph.Tree {
	at := len(nodes)
	if depth == 0 || at > 0 && b.rng.IntN(5) == 0 {
		var leaf graph.TreeNode
		for t := range targets {
			if b.rng.IntN(4) > 0 {
				leaf.Votes = append(leaf.Votes, graph.Vote{Target: t, Weight: int64(b.rng.IntN(300) - 100)})
			}
		}
		return append(nodes, leaf)
	}
	n := graph.TreeNode{Test: graph.AtMost, Feature: b.rng.IntN(features), Key: b.key()}
	if b.rng.IntN(4) == 0 {
		n.Test = graph.EqualTo
	}
	nodes = b.grow(append(nodes, n), features, targets, depth-1)
	nodes[at].Else = len(nodes)
	return b.grow(nodes, features, targets, depth-1)
}
