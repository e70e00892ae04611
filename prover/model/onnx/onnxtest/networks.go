package onnxtest

import "github.com/weisyn/wes/prover/model/onnx"

// Network is a quantised network with the shape of its input x. Numbers of the input have unit variance.
type Network struct {
	Name  string
	Shape []int
	Build func(b *Builder) []byte
}

// Networks are a perceptron, a convolutional network with residual and joined branches, a pool of integers
// and one head of attention.
func Networks() []Network {
	return []Network{
		{"mlp", []int{8, 24}, mlp},
		{"cnn", []int{1, 3, 12, 12}, cnn},
		{"attention", []int{2, 6, 16}, attention},
	}
}

func mlp(b *Builder) []byte {
	x := b.Input("x", []int{8, 24}, b.Grid(3, false))
	x = b.Dense(x, 40, true, b.Grid(3, true))
	x = b.Dense(x, 32, true, b.Grid(3, true))
	return b.Finish(b.Dense(x, 50, false, b.Grid(3, false)))
}

func cnn(b *Builder) []byte {
	x := b.Input("x", []int{1, 3, 12, 12}, b.Grid(3, false))
	x = b.Conv(x, 8, 3, 1, 1, 1, true, b.Grid(3, true))
	y := b.Conv(x, 8, 3, 1, 1, 8, true, b.Grid(2, true))
	y = b.Conv(y, 8, 1, 1, 0, 1, false, b.Grid(2, false))
	x = b.Add(x, y, true, b.Grid(4, true))
	z := Activation{b.Node("MaxPool", []onnx.Attribute{Ints("kernel_shape", 2, 2), Ints("strides", 2, 2)}, x.Name), []int{1, 8, 6, 6}, x.Grid}
	p := b.Unary("AveragePool", x, []int{1, 8, 6, 6}, b.Grid(3, true), Ints("kernel_shape", 2, 2), Ints("strides", 2, 2))
	joined := b.Node("Concat", []onnx.Attribute{Int("axis", 1)}, b.Dequantize(z), b.Dequantize(p))
	x = b.Quantize(joined, []int{1, 16, 6, 6}, b.Grid(4, true))
	x = b.Conv(x, 32, 3, 2, 1, 1, false, b.Grid(3, false))
	x = b.Unary("Sigmoid", x, x.Shape, b.Grid(1, true))
	x = b.Unary("GlobalAveragePool", x, []int{1, 32, 1, 1}, b.Grid(1, true))
	flat := Activation{b.Node("Flatten", nil, x.Name), []int{1, 32}, x.Grid}
	return b.Finish(b.Dense(flat, 40, false, b.Grid(2, false)))
}

func attention(b *Builder) []byte {
	x := b.Input("x", []int{2, 6, 16}, b.Grid(3, false))
	q, k := b.Dense(x, 12, false, b.Grid(3, false)), b.Dense(x, 12, false, b.Grid(3, false))
	v := b.Dense(x, 12, false, b.Grid(3, false))
	kt := b.Node("Transpose", []onnx.Attribute{Ints("perm", 0, 2, 1)}, b.Dequantize(k))
	s := b.Quantize(b.Node("MatMul", nil, b.Dequantize(q), kt), []int{2, 6, 6}, b.Grid(10, false))
	half := b.Node("Mul", nil, b.Dequantize(s), b.Floats(nil, 0.25))
	p := b.Quantize(b.Node("Softmax", []onnx.Attribute{Int("axis", 2)}, half), []int{2, 6, 6}, Grid{Type: onnx.Uint8, Scale: 1.0 / 256})
	y := b.Quantize(b.Node("MatMul", nil, b.Dequantize(p), b.Dequantize(v)), []int{2, 6, 12}, b.Grid(2, false))
	return b.Finish(b.Dense(y, 16, false, b.Grid(2, false)))
}
