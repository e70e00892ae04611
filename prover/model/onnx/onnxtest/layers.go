package onnxtest

import (
	"math"

	"github.com/weisyn/wes/prover/model/onnx"
)

// weights are integers of a layer, their scales and its bias.
type weights struct {
	shape []int
	axis  int // of output channels
	ints  []int64
	scale []float32 // by channel
	bias  []int64   // by channel, in steps of the input times steps of the weights
}

// weights draws those of a layer with fan inputs for an output.
func (b *Builder) weights(shape []int, axis, fan int, x Grid) *weights {
	n := shape[axis]
	w := &weights{shape: shape, axis: axis, scale: make([]float32, n), bias: make([]int64, n), ints: make([]int64, size(shape))}
	for i := range w.ints {
		w.ints[i] = b.rng.Int64N(255) - 127
		switch {
		case b.Exact:
			w.ints[i] = w.ints[i] / 2 * 2
		case b.Narrow:
			w.ints[i] /= 2
		}
	}
	step := 1 / (73 * math.Sqrt(float64(fan)))
	for c := range w.scale {
		w.scale[c] = float32(step * (0.5 + b.rng.Float64()))
		if b.Exact {
			w.scale[c] = powerOfTwo(float32(step))
		}
		w.bias[c] = int64(math.Round((b.rng.Float64() - 0.5) / float64(w.scale[c]*x.Scale)))
		if b.Exact {
			w.bias[c] = w.bias[c]/2*2 + 1
		}
	}
	return w
}

// scales adds the scales and zero points.
func (b *Builder) scales(w *weights) []string {
	return []string{b.Floats([]int{len(w.scale)}, w.scale...), b.Integers(onnx.Int8, []int{len(w.scale)}, make([]int64, len(w.scale))...)}
}

// numbers adds the weights as numbers.
func (b *Builder) numbers(w *weights) string {
	in := append([]string{b.Integers(onnx.Int8, w.shape, w.ints...)}, b.scales(w)...)
	return b.Node("DequantizeLinear", []onnx.Attribute{Int("axis", int64(w.axis))}, in...)
}

// products are the scales of sums: steps of the input times steps of the weights.
func (w *weights) products(x Grid) []float32 {
	s := make([]float32, len(w.scale))
	for c := range s {
		s[c] = w.scale[c] * x.Scale
	}
	return s
}

// biasNumbers adds the bias as numbers.
func (b *Builder) biasNumbers(w *weights, x Grid) string {
	n := []int{len(w.bias)}
	return b.Node("DequantizeLinear", []onnx.Attribute{Int("axis", 0)}, b.Integers(onnx.Int32, n, w.bias...), b.Floats(n, w.products(x)...))
}

// biasIn adds the bias in a shape that broadcasts, as floats.
func (b *Builder) biasIn(w *weights, x Grid, shape []int) string {
	v := w.products(x)
	for c := range v {
		v[c] *= float32(w.bias[c])
	}
	return b.Floats(shape, v...)
}

// Conv is a convolution of a square kernel over a plane, its bias and, if relu, a Relu, quantised to a grid.
func (b *Builder) Conv(x Activation, out, kernel, stride, pad, group int, relu bool, g Grid) Activation {
	in := x.Shape[1] / group
	w := b.weights([]int{out, in, kernel, kernel}, 0, in*kernel*kernel, x.Grid)
	p := int64(pad)
	attrs := []onnx.Attribute{Int("group", int64(group)), Ints("strides", int64(stride), int64(stride)), Ints("pads", p, p, p, p)}
	shape := []int{x.Shape[0], out, (x.Shape[2]+2*pad-kernel)/stride + 1, (x.Shape[3]+2*pad-kernel)/stride + 1}
	switch {
	case b.Form == QLinear && !relu && x.Grid.Type == g.Type:
		ops := append([]string{x.Name}, b.steps(x.Grid)...)
		ops = append(append(ops, b.Integers(onnx.Int8, w.shape, w.ints...)), b.scales(w)...)
		ops = append(append(ops, b.steps(g)...), b.Integers(onnx.Int32, []int{out}, w.bias...))
		return Activation{b.Node("QLinearConv", attrs, ops...), shape, g}
	case b.Form == Integer && x.Grid.Type == onnx.Uint8:
		y := b.Node("ConvInteger", attrs, x.Name, b.Integers(onnx.Int8, w.shape, w.ints...), b.steps(x.Grid)[1])
		y = b.Node("Cast", []onnx.Attribute{Int("to", int64(onnx.Float32))}, y)
		y = b.Node("Mul", nil, y, b.Floats([]int{1, out, 1, 1}, w.products(x.Grid)...))
		return b.end(b.Node("Add", nil, y, b.biasIn(w, x.Grid, []int{1, out, 1, 1})), shape, relu, g)
	}
	return b.end(b.Node("Conv", attrs, b.Dequantize(x), b.numbers(w), b.biasNumbers(w, x.Grid)), shape, relu, g)
}

// end quantises the result of a layer.
func (b *Builder) end(y string, shape []int, relu bool, g Grid) Activation {
	if relu {
		y = b.Node("Relu", nil, y)
	}
	return b.Quantize(y, shape, g)
}

// Dense is a matrix product over the last axis, its bias and, if relu, a Relu, quantised to a grid. The forms
// with integers have one scale for all columns, and that of QLinear no bias.
func (b *Builder) Dense(x Activation, out int, relu bool, g Grid) Activation {
	last := len(x.Shape) - 1
	k := x.Shape[last]
	shape := append(append([]int(nil), x.Shape[:last]...), out)
	if b.Form == QDQ {
		w := b.weights([]int{out, k}, 0, k, x.Grid)
		wide := []int{out}
		if last == 1 {
			attrs := []onnx.Attribute{Int("transB", 1)}
			return b.end(b.Node("Gemm", attrs, b.Dequantize(x), b.numbers(w), b.biasNumbers(w, x.Grid)), shape, relu, g)
		}
		t := b.Node("Transpose", []onnx.Attribute{Ints("perm", 1, 0)}, b.numbers(w))
		return b.end(b.Node("Add", nil, b.Node("MatMul", nil, b.Dequantize(x), t), b.biasIn(w, x.Grid, wide)), shape, relu, g)
	}
	w := b.weights([]int{k, out}, 1, k, x.Grid)
	for c := range w.scale {
		w.scale[c] = w.scale[0]
	}
	ints := b.Integers(onnx.Int8, w.shape, w.ints...)
	if b.Form == QLinear && !relu && !b.Exact && x.Grid.Type == g.Type {
		ops := append(append([]string{x.Name}, b.steps(x.Grid)...), ints, b.Floats(nil, w.scale[0]), b.Integers(onnx.Int8, nil, 0))
		return Activation{b.Node("QLinearMatMul", nil, append(ops, b.steps(g)...)...), shape, g}
	}
	y := b.Node("MatMulInteger", nil, x.Name, ints, b.steps(x.Grid)[1])
	y = b.Node("Cast", []onnx.Attribute{Int("to", int64(onnx.Float32))}, y)
	y = b.Node("Mul", nil, y, b.Floats(nil, w.scale[0]*x.Grid.Scale))
	return b.end(b.Node("Add", nil, y, b.biasIn(w, x.Grid, []int{out})), shape, relu, g)
}

// Add is the sum of two activations, quantised to a grid.
func (b *Builder) Add(x, y Activation, relu bool, g Grid) Activation {
	return b.end(b.Node("Add", nil, b.Dequantize(x), b.Dequantize(y)), x.Shape, relu, g)
}

// Unary is an operator on numbers whose result has a shape of its own, quantised to a grid.
func (b *Builder) Unary(op string, x Activation, shape []int, g Grid, attrs ...onnx.Attribute) Activation {
	return b.Quantize(b.Node(op, attrs, b.Dequantize(x)), shape, g)
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
