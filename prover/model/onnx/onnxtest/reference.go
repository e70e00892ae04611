package onnxtest

import (
	"fmt"
	"math"
	"slices"

	"github.com/weisyn/wes/prover/model/onnx"
)

// Tensor is a tensor of numbers or integers.
type Tensor struct {
	Shape []int
	Data  []float64
}

// Run evaluates a model on its input, operator by operator: sums in float64, every result in float32. It
// returns the first output.
func Run(m *onnx.Model, x Tensor) Tensor {
	e := &evaluator{values: map[string]Tensor{m.Graph.Inputs[0].Name: x}, types: map[string]onnx.DataType{}}
	for i := range m.Graph.Initializers {
		e.constant(&m.Graph.Initializers[i])
	}
	for i := range m.Graph.Nodes {
		n := &m.Graph.Nodes[i]
		y := e.node(n)
		for i, v := range y.Data {
			y.Data[i] = float64(float32(v))
		}
		e.values[n.Outputs[0]] = y
	}
	return e.values[m.Graph.Outputs[0].Name]
}

type evaluator struct {
	values map[string]Tensor
	types  map[string]onnx.DataType // of initializers
}

func (e *evaluator) constant(t *onnx.Tensor) {
	c := Tensor{Shape: []int{}, Data: make([]float64, t.Len())}
	for _, d := range t.Dims {
		c.Shape = append(c.Shape, int(d))
	}
	for i := range c.Data {
		if t.Type == onnx.Float32 {
			c.Data[i] = float64(t.Floats[i])
		} else {
			c.Data[i] = float64(t.Ints[i])
		}
	}
	e.values[t.Name], e.types[t.Name] = c, t.Type
}

func (e *evaluator) node(n *onnx.Node) Tensor {
	in := make([]Tensor, len(n.Inputs))
	for i, name := range n.Inputs {
		in[i] = e.values[name]
	}
	switch n.Op {
	case "QuantizeLinear":
		return quantize(in[0], in[1], in[2], e.types[n.Inputs[2]])
	case "DequantizeLinear":
		return dequantize(in, intAttr(n, "axis", 1))
	case "Conv", "ConvInteger", "QLinearConv":
		return e.conv(n, in)
	case "MatMul", "MatMulInteger", "QLinearMatMul", "Gemm":
		return e.matMul(n, in)
	case "Relu":
		return each(in[0], func(v float64) float64 { return max(v, 0) })
	case "Sigmoid":
		return each(in[0], func(v float64) float64 { return 1 / (1 + math.Exp(-v)) })
	case "Cast":
		return each(in[0], func(v float64) float64 { return v })
	case "Flatten":
		return Tensor{[]int{in[0].Shape[0], len(in[0].Data) / in[0].Shape[0]}, slices.Clone(in[0].Data)}
	case "Add":
		return pair(in[0], in[1], func(x, y float64) float64 { return x + y })
	case "Mul":
		return pair(in[0], in[1], func(x, y float64) float64 { return x * y })
	case "MaxPool":
		return pool(in[0], 2, func(acc, v float64) float64 { return max(acc, v) }, 1)
	case "AveragePool":
		return pool(in[0], 2, func(acc, v float64) float64 { return acc + v }, 4)
	case "GlobalAveragePool":
		k := in[0].Shape[2]
		return pool(in[0], k, func(acc, v float64) float64 { return acc + v }, float64(k*k))
	case "Concat":
		return joinChannels(in[0], in[1])
	case "Transpose":
		return exchange(in[0])
	case "Softmax":
		return softmax(in[0])
	}
	panic(fmt.Sprintf("BUG: no reference of %s", n.Op))
}

func intAttr(n *onnx.Node, name string, missing int) int {
	if a := n.Attr(name); a != nil {
		return int(a.Int)
	}
	return missing
}

func each(x Tensor, f func(v float64) float64) Tensor {
	y := Tensor{x.Shape, make([]float64, len(x.Data))}
	for i, v := range x.Data {
		y.Data[i] = f(v)
	}
	return y
}

// pair applies f to two tensors of which the second broadcasts.
func pair(x, y Tensor, f func(x, y float64) float64) Tensor {
	out := each(x, func(v float64) float64 { return v })
	for i := range out.Data {
		rest, j, step := i, 0, 1
		for a := 1; a <= len(y.Shape); a++ {
			d := x.Shape[len(x.Shape)-a]
			if n := y.Shape[len(y.Shape)-a]; n > 1 {
				j += rest % d * step
				step *= n
			}
			rest /= d
		}
		out.Data[i] = f(x.Data[i], y.Data[j])
	}
	return out
}

func quantize(x, scale, zero Tensor, typ onnx.DataType) Tensor {
	lo, hi := -128.0, 127.0
	if typ == onnx.Uint8 {
		lo, hi = 0, 255
	}
	return each(x, func(v float64) float64 {
		q := math.RoundToEven(float64(float32(v)/float32(scale.Data[0]))) + zero.Data[0]
		return min(max(q, lo), hi)
	})
}

// dequantize reads x, its scales and zero points.
func dequantize(in []Tensor, axis int) Tensor {
	x, scale := in[0], in[1]
	y := each(x, func(v float64) float64 { return v })
	n, inner := len(scale.Data), 1
	if n > 1 {
		inner = size(x.Shape[axis+1:])
	}
	for i := range y.Data {
		c, zero := i/inner%n, 0.0
		if len(in) > 2 {
			zero = in[2].Data[c]
		}
		y.Data[i] = float64(float32(y.Data[i]-zero) * float32(scale.Data[c]))
	}
	return y
}

// minus subtracts a zero point.
func minus(x, zero Tensor) Tensor {
	return each(x, func(v float64) float64 { return v - zero.Data[0] })
}

func (e *evaluator) conv(n *onnx.Node, in []Tensor) Tensor {
	pad, stride, group := int(n.Attr("pads").Ints[0]), int(n.Attr("strides").Ints[0]), intAttr(n, "group", 1)
	switch n.Op {
	case "Conv":
		return addChannels(convolve(in[0], in[1], pad, stride, group), in[2])
	case "ConvInteger":
		return convolve(minus(in[0], in[2]), in[1], pad, stride, group)
	}
	acc := addChannels(convolve(minus(in[0], in[2]), in[3], pad, stride, group), in[8])
	plane := acc.Shape[2] * acc.Shape[3]
	for i := range acc.Data {
		c := i / plane % acc.Shape[1]
		acc.Data[i] *= in[1].Data[0] * in[4].Data[c]
	}
	return quantize(acc, in[6], in[7], e.types[n.Inputs[7]])
}

func convolve(x, w Tensor, pad, stride, group int) Tensor {
	h, kernel, out, per := x.Shape[2], w.Shape[2], w.Shape[0], w.Shape[1]
	o := (h+2*pad-kernel)/stride + 1
	y := Tensor{[]int{x.Shape[0], out, o, o}, make([]float64, x.Shape[0]*out*o*o)}
	for i := range y.Data {
		q, p, c, b := i%o, i/o%o, i/o/o%out, i/o/o/out
		first := c / (out / group) * per
		for j := range per * kernel * kernel {
			dx, dy, ic := j%kernel, j/kernel%kernel, j/kernel/kernel
			row, col := p*stride+dy-pad, q*stride+dx-pad
			if row >= 0 && row < h && col >= 0 && col < h {
				y.Data[i] += x.Data[((b*x.Shape[1]+first+ic)*h+row)*h+col] * w.Data[c*per*kernel*kernel+j]
			}
		}
	}
	return y
}

func addChannels(x, b Tensor) Tensor {
	return pair(x, Tensor{[]int{len(b.Data), 1, 1}, b.Data}, func(x, y float64) float64 { return x + y })
}

func (e *evaluator) matMul(n *onnx.Node, in []Tensor) Tensor {
	switch n.Op {
	case "MatMul":
		return product(in[0], in[1])
	case "MatMulInteger":
		return product(minus(in[0], in[2]), in[1])
	case "Gemm":
		return pair(product(in[0], exchange(in[1])), in[2], func(x, y float64) float64 { return x + y })
	}
	acc := product(minus(in[0], in[2]), minus(in[3], in[5]))
	acc = each(acc, func(v float64) float64 { return v * in[1].Data[0] * in[4].Data[0] })
	return quantize(acc, in[6], in[7], e.types[n.Inputs[7]])
}

// product multiplies by one matrix, or matrix by matrix.
func product(x, y Tensor) Tensor {
	r := len(x.Shape)
	k, n := x.Shape[r-1], y.Shape[len(y.Shape)-1]
	rows := len(x.Data) / k
	out := Tensor{append(slices.Clone(x.Shape[:r-1]), n), make([]float64, rows*n)}
	for i := range out.Data {
		base := 0
		if len(y.Shape) > 2 {
			base = i / n / x.Shape[r-2] * k * n
		}
		for j := range k {
			out.Data[i] += x.Data[i/n*k+j] * y.Data[base+j*n+i%n]
		}
	}
	return out
}

// exchange exchanges the last two axes.
func exchange(x Tensor) Tensor {
	r := len(x.Shape)
	rows, cols := x.Shape[r-2], x.Shape[r-1]
	y := Tensor{slices.Clone(x.Shape), make([]float64, len(x.Data))}
	y.Shape[r-2], y.Shape[r-1] = cols, rows
	for i, v := range x.Data {
		b, p, q := i/(rows*cols), i/cols%rows, i%cols
		y.Data[(b*cols+q)*rows+p] = v
	}
	return y
}

// pool takes square windows of size k, k apart.
func pool(x Tensor, k int, join func(acc, v float64) float64, over float64) Tensor {
	o := x.Shape[2] / k
	y := Tensor{[]int{x.Shape[0], x.Shape[1], o, o}, make([]float64, x.Shape[0]*x.Shape[1]*o*o)}
	for i := range y.Data {
		q, p, c := i%o, i/o%o, i/o/o
		at := func(j int) float64 { return x.Data[(c*x.Shape[2]+p*k+j/k)*x.Shape[3]+q*k+j%k] }
		y.Data[i] = at(0)
		for j := 1; j < k*k; j++ {
			y.Data[i] = join(y.Data[i], at(j))
		}
		y.Data[i] /= over
	}
	return y
}

// joinChannels joins two tensors of one batch along the channels.
func joinChannels(x, y Tensor) Tensor {
	shape := slices.Clone(x.Shape)
	shape[1] += y.Shape[1]
	return Tensor{shape, slices.Concat(x.Data, y.Data)}
}

func softmax(x Tensor) Tensor {
	y := each(x, math.Exp)
	n := x.Shape[len(x.Shape)-1]
	for first := 0; first < len(y.Data); first += n {
		sum := 0.0
		for _, v := range y.Data[first:][:n] {
			sum += v
		}
		for i := range n {
			y.Data[first+i] /= sum
		}
	}
	return y
}
