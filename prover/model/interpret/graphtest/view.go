package graphtest

import (
	"slices"

	"github.com/weisyn/wes/prover/graph"
)

// max adds the maximum of two slices of x, or of x and a selection of it with repeated
// borders, as pools are made.
func (b *builder) max(x int) bool {
	shape := b.c.Info.Shapes[x]
	axis := b.rng.IntN(len(shape))
	channel := b.channel(shape)
	n := shape[axis]
	other := x
	var ok bool
	if b.rng.IntN(2) == 0 && n > 1 {
		step := 1 + b.rng.IntN(2)
		length := (n-2)/step + 1
		ok = b.add(&graph.Slice{Axis: axis, Start: 0, Step: step, Len: length}, x)
		x = len(b.c.Graph.Nodes) - 1
		ok = ok && b.add(&graph.Slice{Axis: axis, Start: 1, Step: step, Len: length}, other)
	} else {
		index := make([]int, n)
		for i := range index {
			index[i] = min(i+1, n-1)
		}
		ok = b.add(&graph.Select{Axis: axis, Index: index}, x)
	}
	return ok && b.add(&graph.Max{Channel: channel}, x, len(b.c.Graph.Nodes)-1)
}

// view adds a random operator without rounding.
func (b *builder) view(x int) bool {
	shape := b.c.Info.Shapes[x]
	axis := b.rng.IntN(len(shape))
	n := shape[axis]
	switch b.rng.IntN(9) {
	case 0:
		s := &graph.Slice{Axis: axis, Start: b.rng.IntN(n), Step: b.rng.IntN(7) - 3, Len: 1 + b.rng.IntN(n)}
		return b.add(s, x)
	case 1:
		return b.add(&graph.Pad{Axis: axis, Before: b.rng.IntN(3), After: b.rng.IntN(3)}, x)
	case 2:
		index := make([]int, 1+b.rng.IntN(n+2))
		for i := range index {
			index[i] = b.rng.IntN(n)
		}
		return b.add(&graph.Select{Axis: axis, Index: index}, x)
	case 3:
		return b.add(&graph.Broadcast{Axis: axis, N: 1 + b.rng.IntN(4)}, x)
	case 4:
		w := b.window(axis, n)
		if b.rng.IntN(2) == 0 {
			w = graph.Window{Axis: axis, Kernel: n, Stride: 1, Dilation: 1, Out: 1}
		}
		return b.add(&graph.SumWindow{Window: w}, x)
	case 5:
		return b.scale(x)
	case 6:
		return b.add(&graph.Transpose{Perm: b.rng.Perm(len(shape))}, x)
	case 7:
		return b.reshape(x)
	}
	for t := range b.c.Graph.Nodes {
		other := slices.Clone(b.c.Info.Shapes[t])
		if t != x && len(other) == len(shape) {
			if other[axis] = n; slices.Equal(other, shape) {
				return b.add(&graph.Concat{Axis: axis}, x, t, x)
			}
		}
	}
	return false
}

func (b *builder) scale(x int) bool {
	shape := slices.Clone(b.c.Info.Shapes[x])
	for a := range shape {
		if b.rng.IntN(2) == 0 {
			shape[a] = 1
		}
	}
	coef := graph.Constant{Shape: shape, Data: make([]int64, graph.Elements(shape))}
	limit := int64(1) << (1 + b.rng.IntN(16))
	for i := range coef.Data {
		coef.Data[i] = b.rng.Int64N(2*limit) - limit
	}
	return b.add(&graph.Scale{Coef: coef}, x)
}

// reshape merges two neighbouring axes, or splits one off.
func (b *builder) reshape(x int) bool {
	shape := b.c.Info.Shapes[x]
	if len(shape) > 2 && b.rng.IntN(2) == 0 {
		a := b.rng.IntN(len(shape) - 1)
		merged := append(slices.Clone(shape[:a]), shape[a]*shape[a+1])
		return b.add(&graph.Reshape{Shape: append(merged, shape[a+2:]...)}, x)
	}
	if len(shape) > 4 {
		return false
	}
	a := b.rng.IntN(len(shape))
	for d := 2; d <= shape[a]; d++ {
		if shape[a]%d == 0 {
			split := append(slices.Clone(shape[:a]), d, shape[a]/d)
			return b.add(&graph.Reshape{Shape: append(split, shape[a+1:]...)}, x)
		}
	}
	return false
}
