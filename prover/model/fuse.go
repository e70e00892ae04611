package model

import (
	"slices"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
)

// source is what a convolution reads: a tensor, and a scaling and shift by channel that its
// weights and bias take up.
type source struct {
	tensor int
	scale  float64
	gain   []float64 // by channel or one for all
	bias   []float64 // as gain; nil: none
}

// source finds the tensor behind a value. A scaled tensor is looked through, and a shifted
// one if the convolution reads no padding, which is zero behind the shift.
func (l *lowering) source(id float.ValueID, channel int, padded bool) (source, error) {
	lin := l.values[id].lin
	if lin != nil && lin.plain() &&
		lin.channel == channel && slices.Equal(lin.shape, l.net.ShapeOf(id)) {
		t := lin.terms[0]
		s := source{tensor: t.tensor, scale: t.scale, gain: t.gain}
		if lin.bias == nil {
			return s, nil
		}
		if k, ok := lin.perChannel(*lin.bias); ok && !padded {
			s.bias = k
			return s, nil
		}
	}
	t, scale, err := l.tensor(id)
	return source{tensor: t, scale: scale, gain: []float64{1}}, err
}

func (l *lowering) conv(n *float.Node, op *float.Conv) (value, error) {
	padded := slices.Max(op.PadBegin) > 0 || slices.Max(op.PadEnd) > 0
	src, err := l.source(n.Inputs[0], 1, padded)
	if err != nil {
		return value{}, err
	}
	size := graph.Elements(op.Kernel)
	per := op.In / op.Group
	w := make([]float32, len(op.W))
	bias := make([]float64, op.Out)
	for oc := range op.Out {
		bias[oc] = float64(op.B[oc])
		first := oc / (op.Out / op.Group) * per
		for k := range size {
			for ic := range per {
				v := float64(op.W[(oc*per+ic)*size+k])
				w[(oc*size+k)*per+ic] = float32(v * src.gain[(first+ic)%len(src.gain)])
				if src.bias != nil {
					bias[oc] += float64(v * src.bias[(first+ic)%len(src.bias)])
				}
			}
		}
	}
	c := &graph.Conv{Channel: 1, InChannels: op.In, OutChannels: op.Out, Groups: op.Group}
	for i := range op.Kernel {
		win := graph.Window{Axis: i + 2, Kernel: op.Kernel[i], Stride: op.Strides[i], Dilation: op.Dilations[i], Pad: op.PadBegin[i], Out: n.Shape[i+2]}
		if win.Kernel > 1 || win.Stride > 1 || win.Pad > 0 || win.Out != l.b.shapes[src.tensor][i+2] {
			c.Spatial = append(c.Spatial, win)
		}
	}
	lin := convolution(n.Name, src, c, w, bias, n.Shape)
	lin.terms[0].onGrid(op.Grid, src.gain, op.Out)
	return value{lin: lin}, nil
}

// convolution is the sum of one convolution and a bias by channel.
func convolution(name string, src source, c *graph.Conv, w []float32, bias []float64, shape []int) *linear {
	lin := &linear{
		name: name, shape: shape, channel: c.Channel,
		terms: []term{{tensor: src.tensor, scale: src.scale, gain: []float64{1}, conv: c, w: w}},
	}
	if slices.ContainsFunc(bias, func(v float64) bool { return v != 0 }) {
		c := perChannel(bias, len(shape), c.Channel)
		lin.bias = &c
	}
	return lin
}

func (l *lowering) matMul(n *float.Node, op *float.MatMul) (value, error) {
	rank := len(l.net.ShapeOf(n.Inputs[0]))
	src, err := l.source(n.Inputs[0], rank-1, false)
	if err != nil {
		return value{}, err
	}
	w := make([]float32, len(op.W))
	bias := make([]float64, op.N)
	for oc := range op.N {
		bias[oc] = float64(op.B[oc])
		for k := range op.K {
			v := float64(op.W[k*op.N+oc])
			w[oc*op.K+k] = float32(v * src.gain[k%len(src.gain)])
			if src.bias != nil {
				bias[oc] += float64(v * src.bias[k%len(src.bias)])
			}
		}
	}
	lin := l.flattened(n, op, src, w, bias)
	if lin == nil {
		c := &graph.Conv{Channel: rank - 1, InChannels: op.K, OutChannels: op.N, Groups: 1}
		lin = convolution(n.Name, src, c, w, bias, n.Shape)
	}
	lin.terms[0].onGrid(op.Grid, src.gain, op.N)
	return value{lin: lin}, nil
}

// flattened is a product over all axes but the first of a tensor that a Reshape joined, as a
// convolution whose kernel covers the tensor, so that the proof needs no joined axes. w is
// [out][k], k in the order of the tensor.
func (l *lowering) flattened(n *float.Node, op *float.MatMul, src source, w []float32, bias []float64) *linear {
	if _, ok := l.b.nodes[src.tensor].Op.(*graph.Reshape); !ok || len(n.Shape) != 2 {
		return nil
	}
	src.tensor = l.b.nodes[src.tensor].Inputs[0]
	in := l.b.shapes[src.tensor]
	channel := l.b.channel[src.tensor]
	if len(in) < 3 || in[0] != n.Shape[0] || channel == 0 {
		return nil
	}
	c := &graph.Conv{Channel: channel, InChannels: in[channel], OutChannels: op.N, Groups: 1}
	shape := slices.Clone(in)
	for a := 1; a < len(in); a++ {
		if a != channel {
			shape[a] = 1
			if in[a] > 1 {
				c.Spatial = append(c.Spatial, graph.Window{Axis: a, Kernel: in[a], Stride: 1, Dilation: 1, Out: 1})
			}
		}
	}
	shape[channel] = op.N
	return convolution(n.Name, src, c, channelLast(w, op.N, in[1:], channel-1), bias, shape)
}

// channelLast moves an axis of every row of w, whose cells have the given shape, to the end.
func channelLast(w []float32, rows int, shape []int, axis int) []float32 {
	out := make([]float32, 0, len(w))
	outer, n, inner := graph.Elements(shape[:axis]), shape[axis], graph.Elements(shape[axis+1:])
	for r := range rows {
		row := w[r*outer*n*inner:][:outer*n*inner]
		for o := range outer {
			for i := range inner {
				for c := range n {
					out = append(out, row[(o*n+c)*inner+i])
				}
			}
		}
	}
	return out
}

func (l *lowering) addConst(n *float.Node, op *float.AddConst) (value, error) {
	lin, c, err := l.joinable(n, op.C)
	if err != nil {
		return value{}, err
	}
	lin.name = n.Name
	lin.addBias(c)
	return value{lin: lin}, nil
}

// joinable is the input of a node as a sum without functions that counts its cells so that
// the constant broadcasts to it.
func (l *lowering) joinable(n *float.Node, c float.Tensor) (*linear, constant, error) {
	id := n.Inputs[0]
	lin, err := l.sum(id, false)
	if err != nil {
		return nil, constant{}, err
	}
	k, ok := lin.fit(c, l.net.ShapeOf(id))
	if !ok {
		t, scale, err := l.tensor(id)
		if err != nil {
			return nil, k, err
		}
		lin = plain(n.Name, &l.b, t, scale)
		k, _ = lin.fit(c, l.net.ShapeOf(id))
	}
	return lin, k, nil
}

func (l *lowering) mulConst(n *float.Node, op *float.MulConst) (value, error) {
	id := n.Inputs[0]
	if v := l.values[id]; v.lin == nil && len(op.C.Data) == 1 {
		v.scale *= float64(op.C.Data[0])
		if v.scale >= minRange && v.scale <= 1/minRange {
			return v, nil
		}
	}
	lin, c, err := l.joinable(n, op.C)
	if err != nil {
		return value{}, err
	}
	lin.name = n.Name
	if lin.scale(c) {
		return value{lin: lin}, nil
	}
	return l.mulCells(n, op)
}

// mulCells multiplies by a constant that no weights can take up.
func (l *lowering) mulCells(n *float.Node, op *float.MulConst) (value, error) {
	t, scale, err := l.tensor(n.Inputs[0])
	if err != nil {
		return value{}, err
	}
	cells := constant{shape: op.C.Shape, data: make([]float64, len(op.C.Data))}
	for i, v := range op.C.Data {
		cells.data[i] = float64(v)
	}
	lin := plain(n.Name, &l.b, t, scale)
	lin.terms[0].cells = &cells
	return value{lin: lin}, nil
}

func (l *lowering) addValues(n *float.Node, op *float.Add) (value, error) {
	x, err := l.sum(n.Inputs[0], false)
	if err != nil {
		return value{}, err
	}
	y, err := l.sum(n.Inputs[1], false)
	if err != nil {
		return value{}, err
	}
	if op.Subtract {
		y.negate()
	}
	if l.onlySoftmaxes(n.Output) {
		l.hide(y, n.Inputs[1], n.Inputs[0])
		l.hide(x, n.Inputs[0], n.Inputs[1])
	}
	idY := n.Inputs[1]
	if y.hasConv() && !x.hasConv() {
		x, y, idY = y, x, n.Inputs[0]
	}
	if y, err = l.alike(y, x, idY, op.Subtract && idY == n.Inputs[1]); err != nil {
		return value{}, err
	}
	x.name = n.Name
	x.terms = append(x.terms, y.terms...)
	if y.bias != nil {
		x.addBias(*y.bias)
	}
	x.pooled = x.pooled || y.pooled
	return value{lin: x}, nil
}

// alike is a sum that counts cells and channels as another does: itself, or one times its
// tensor. That is so for a second product too: one scale makes the multiplier of only one exact.
func (l *lowering) alike(y, x *linear, id float.ValueID, negated bool) (*linear, error) {
	if slices.Equal(y.shape, x.shape) && y.channel == x.channel && !(x.hasProduct() && y.hasProduct()) {
		return y, nil
	}
	if negated {
		y.negate()
	}
	t, scale, err := l.tensor(id)
	if err != nil {
		return nil, err
	}
	y = plain(x.name, &l.b, l.b.reshape(x.name, t, x.shape), scale)
	y.channel = x.channel
	if negated {
		y.negate()
	}
	return y, nil
}
