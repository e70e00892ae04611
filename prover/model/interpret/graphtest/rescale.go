package graphtest

import (
	"slices"

	"github.com/weisyn/wes/prover/graph"
)

// rescale adds a Rescale on a random accumulator over x with a random table.
func (b *builder) rescale(x int) bool {
	acc, inputs, ok := b.accumulator(x)
	if !ok {
		return false
	}
	shape := b.outShape(acc, x)
	shift := 0
	limit := []int64{1 << 6, 1 << 9, 1 << 12, 1 << 16}[b.rng.IntN(4)]
	for shift < graph.MaxShift && (acc.Hi-acc.Lo)>>shift > limit {
		shift++
	}
	op := &graph.Rescale{Acc: *acc, Shift: []int{shift}}
	if b.rng.IntN(2) == 0 {
		op.Shift = make([]int, shape[acc.Channel])
		for c := range op.Shift {
			op.Shift[c] = min(graph.MaxShift, shift+b.rng.IntN(3))
		}
	}
	lo, hi := graph.ShiftRight(acc.Lo, op.MinShift()), graph.ShiftRight(acc.Hi, op.MinShift())
	if hi-lo >= graph.MaxDomain {
		return false
	}
	op.Table = len(b.c.Graph.Tables)
	b.c.Graph.Tables = append(b.c.Graph.Tables, b.table(lo-b.rng.Int64N(3), hi+b.rng.Int64N(3)))
	if b.fits(op) && b.add(op, inputs...) {
		return true
	}
	b.c.Graph.Tables = b.c.Graph.Tables[:op.Table]
	return false
}

// fits says whether the weights, moved up to one shift, stay in their range.
func (b *builder) fits(op *graph.Rescale) bool {
	for _, c := range graph.Convs(op) {
		for _, w := range b.c.Weights[c.Weight] {
			if max(int64(w), -int64(w))<<(op.MaxShift()-op.MinShift()) >= graph.MaxWeight {
				return false
			}
		}
	}
	return true
}

// accumulator makes a random sum over x: convolutions, multiples, a bias.
func (b *builder) accumulator(x int) (acc *graph.Accumulator, inputs []int, ok bool) {
	b.c.Weights = b.c.Weights[:len(b.readers())]
	shape := b.c.Info.Shapes[x]
	acc = &graph.Accumulator{Channel: b.channel(shape)}
	if b.rng.IntN(6) > 0 {
		conv := b.conv(shape, acc.Channel)
		acc.Terms = append(acc.Terms, graph.Term{Conv: conv})
	} else {
		acc.Terms = append(acc.Terms, graph.Term{Mult: b.rng.Int64N(1<<9) - 1<<8})
	}
	inputs = []int{x}
	out := b.outShape(acc, x)
	for t := range b.c.Graph.Nodes {
		_, revealed := b.c.Graph.Nodes[t].Op.(*graph.Reveal)
		if !revealed && slices.Equal(b.c.Info.Shapes[t], out) && len(inputs) < 3 && b.rng.IntN(2) == 0 {
			acc.Terms = append(acc.Terms, graph.Term{Mult: b.rng.Int64N(1<<b.rng.IntN(20)+1) - 40})
			inputs = append(inputs, t)
		}
	}
	b.bias(acc, out)
	bounds := make([]graph.Interval, len(inputs))
	for k, t := range inputs {
		bounds[k] = b.c.Info.Bounds[t]
	}
	v, err := acc.Bound(bounds, b.c.Weights, out[acc.Channel])
	acc.Lo, acc.Hi = v.Lo, v.Hi
	return acc, inputs, err == nil
}

// channel is axis 1, as in convolutional networks, or the last one.
func (b *builder) channel(shape []int) int {
	if len(shape) > 2 && b.rng.IntN(3) > 0 {
		return 1
	}
	return len(shape) - 1 - b.rng.IntN(2)*(len(shape)-1)
}

func (b *builder) outShape(acc *graph.Accumulator, x int) []int {
	out := slices.Clone(b.c.Info.Shapes[x])
	if c := acc.Terms[0].Conv; c != nil {
		out[c.Channel] = c.OutChannels
		for _, w := range c.Spatial {
			out[w.Axis] = w.Out
		}
	}
	return out
}

// conv makes a convolution of a tensor of that shape with random weights.
func (b *builder) conv(shape []int, channel int) *graph.Conv {
	c := &graph.Conv{Weight: len(b.c.Weights), Channel: channel, InChannels: shape[channel], Groups: 1}
	for g := shape[channel]; g > 1; g-- {
		if shape[channel]%g == 0 && b.rng.IntN(4) == 0 {
			c.Groups = g
			break
		}
	}
	c.OutChannels = c.Groups * (1 + b.rng.IntN(6))
	if c.Groups == 1 && b.rng.IntN(4) == 0 {
		c.OutChannels = shape[channel]
	}
	for a, n := range shape {
		if a != channel && a > 0 && b.rng.IntN(3) > 0 {
			c.Spatial = append(c.Spatial, b.window(a, n))
		}
	}
	for _, first := range b.readers() {
		if b.rng.IntN(2) == 0 && c.FitsWeightsOf(first) {
			c.Weight = first.Weight // read again
			return c
		}
	}
	limit := []int64{1, 7, 127, 127, 127, 1 << 12, 1 << 19}[b.rng.IntN(7)]
	w := make([]int32, c.WeightCount())
	for i := range w {
		w[i] = int32(b.rng.Int64N(2*limit+1) - limit)
		if b.rng.IntN(4) == 0 {
			w[i] = int32(limit)
		}
	}
	b.c.Weights = append(b.c.Weights, w)
	return c
}

// window makes a window over an axis of n cells; now and then its output is shorter or
// longer than usual.
func (b *builder) window(axis, n int) graph.Window {
	w := graph.Window{Axis: axis, Kernel: 1 + b.rng.IntN(min(n, 4)), Stride: 1 + b.rng.IntN(2), Dilation: 1 + b.rng.IntN(2)}
	w.Pad = b.rng.IntN(w.Kernel + 1)
	reach := n + 2*w.Pad - (w.Kernel-1)*w.Dilation - 1
	w.Out = max(1, reach/w.Stride+1)
	switch b.rng.IntN(8) {
	case 0:
		w.Out += 1 + b.rng.IntN(2)
	case 1:
		w.Out = 1 + b.rng.IntN(w.Out)
	}
	return w
}

// bias gives the accumulator no bias, one per channel, or one of a random broadcast shape.
func (b *builder) bias(acc *graph.Accumulator, out []int) {
	kind := b.rng.IntN(3)
	if kind == 0 {
		return
	}
	shape := make([]int, len(out))
	for a := range shape {
		shape[a] = 1
		if a == acc.Channel || kind == 2 && b.rng.IntN(2) == 0 {
			shape[a] = out[a]
		}
	}
	acc.Bias = graph.Constant{Shape: shape, Data: make([]int64, graph.Elements(shape))}
	limit := int64(1) << (1 + b.rng.IntN(18))
	for i := range acc.Bias.Data {
		acc.Bias.Data[i] = b.rng.Int64N(2*limit) - limit
	}
}
