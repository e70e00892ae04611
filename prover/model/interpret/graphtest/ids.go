package graphtest

import (
	"math/rand/v2"

	"github.com/weisyn/wes/prover/graph"
)

// RandomIds makes a case of convolutions over ids: a Rescale of the sum of two embeddings, and
// a Reveal of another. The seeds cover ids along one to three axes, channels at any place,
// tables of one row and of prime sizes, repeated ids, and biases by position.
func RandomIds(seed uint64) *Case {
	b := &builder{rng: rand.New(rand.NewPCG(seed, 3)), c: &Case{Graph: &graph.Graph{}}}
	shape := make([]int, 1+b.rng.IntN(3))
	for a := range shape {
		shape[a] = 1 + b.rng.IntN(5)
	}
	rows := [2]int{1 + b.rng.IntN(40), 1 + b.rng.IntN(3)}
	for _, n := range rows {
		b.add(&graph.Input{Name: "ids", Shape: shape, Lo: 0, Hi: int64(n) - 1, Scale: 1})
		cells := make([]int32, graph.Elements(shape))
		for i := range cells {
			cells[i] = int32(b.rng.IntN(n))
		}
		b.c.Inputs = append(b.c.Inputs, cells)
	}
	channel := b.rng.IntN(len(shape) + 1)
	first := b.embed(channel, rows[:], []int{0, 1})
	second := b.embed(channel, rows[:1], []int{0})
	b.finishAt(first, second)
	return b.c
}

// embed sums embeddings of ids: a Rescale of several, a Reveal of one.
func (b *builder) embed(channel int, rows, inputs []int) int {
	out := 1 + b.rng.IntN(37)
	acc := graph.Accumulator{Channel: channel}
	bounds := make([]graph.Interval, len(inputs))
	for i, n := range rows {
		c := &graph.Conv{Weight: len(b.c.Weights), Channel: channel, Ids: true, InChannels: n, OutChannels: out, Groups: 1}
		w := make([]int32, c.WeightCount())
		for k := range w {
			w[k] = int32(b.rng.IntN(400)) - 150
		}
		b.c.Weights = append(b.c.Weights, w)
		acc.Terms = append(acc.Terms, graph.Term{Conv: c})
		bounds[i] = b.c.Info.Bounds[inputs[i]]
	}
	shape := append([]int{}, b.c.Info.Shapes[inputs[0]]...)
	shape = append(shape[:channel], append([]int{out}, shape[channel:]...)...)
	b.bias(&acc, shape)
	v, err := acc.Bound(bounds, b.c.Weights, out)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	acc.Lo, acc.Hi = v.Lo, v.Hi
	var op graph.Op = &graph.Reveal{Acc: acc}
	if len(inputs) > 1 {
		b.c.Graph.Tables = append(b.c.Graph.Tables, b.table(graph.ShiftRight(acc.Lo, 2), graph.ShiftRight(acc.Hi, 2)))
		op = &graph.Rescale{Acc: acc, Shift: []int{2}}
	}
	if !b.add(op, inputs...) {
		panic("BUG: no such embedding")
	}
	return len(b.c.Graph.Nodes) - 1
}
