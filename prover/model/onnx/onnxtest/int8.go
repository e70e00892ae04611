// Package onnxtest writes models as other tools do: classifiers of sequences, and models that were quantised to eight
// bits, which it evaluates operator by operator as ONNX defines them, for tests that compare importers and executors.
package onnxtest

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/weisyn/wes/prover/model/onnx"
)

// Form is how a file writes a quantised layer.
type Form int

const (
	// QDQ is an operator on numbers between DequantizeLinear and QuantizeLinear.
	QDQ Form = iota
	// QLinear is an operator on integers with scales: QLinearConv, QLinearMatMul.
	QLinear
	// Integer is an operator on integers without scales, ConvInteger or MatMulInteger, behind which a
	// Cast and a Mul make numbers.
	Integer
)

// Forms are all of them.
var Forms = []Form{QDQ, QLinear, Integer}

// String is the name of a form.
func (f Form) String() string { return [...]string{"QDQ", "QLinear", "Integer"}[f] }

// Builder writes a model. Random weights keep activations near unit variance.
type Builder struct {
	Model onnx.Model
	Form  Form
	Exact bool // scales are powers of two and accumulators odd, so that no rounding meets a half
	// Narrow makes weights of seven bits: ONNX Runtime adds products of uint8 and int8 in pairs that saturate at
	// 16 bits on processors without VNNI.
	Narrow bool
	rng    *rand.Rand
	count  int
}

// Grid is what the cells of a quantised activation stand for.
type Grid struct {
	Type  onnx.DataType // Int8 or Uint8
	Scale float32
	Zero  int64
}

// Activation is an activation by the name of its integers, with its shape.
type Activation struct {
	Name  string
	Shape []int
	Grid  Grid
}

// New starts a model with random weights of a seed.
func New(form Form, seed uint64) *Builder {
	b := &Builder{Form: form, rng: rand.New(rand.NewPCG(seed, 11))}
	b.Model.IRVersion, b.Model.Opsets, b.Model.Graph.Name = 8, []onnx.Opset{{Version: 13}}, "int8"
	return b
}

// Marshal is the file.
func (b *Builder) Marshal() []byte {
	data, err := b.Model.Marshal()
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return data
}

func (b *Builder) name(prefix string) string {
	b.count++
	return fmt.Sprintf("%s%d", prefix, b.count)
}

func dims(shape []int) []int64 {
	out := make([]int64, len(shape))
	for i, d := range shape {
		out[i] = int64(d)
	}
	return out
}

// Node appends a node with one output.
func (b *Builder) Node(op string, attrs []onnx.Attribute, in ...string) string {
	out := b.name("v")
	b.Model.Graph.Nodes = append(b.Model.Graph.Nodes, onnx.Node{Name: out + "_" + op, Op: op, Inputs: in, Outputs: []string{out}, Attrs: attrs})
	return out
}

// Ints is an attribute of integers.
func Ints(name string, v ...int64) onnx.Attribute {
	return onnx.Attribute{Name: name, Type: onnx.AttrInts, Ints: v}
}

// Int is an attribute of one integer.
func Int(name string, v int64) onnx.Attribute {
	return onnx.Attribute{Name: name, Type: onnx.AttrInt, Int: v}
}

// Floats adds an initializer of floats.
func (b *Builder) Floats(shape []int, v ...float32) string {
	t := onnx.Tensor{Name: b.name("c"), Type: onnx.Float32, Dims: dims(shape), Floats: v}
	b.Model.Graph.Initializers = append(b.Model.Graph.Initializers, t)
	return t.Name
}

// Integers adds an initializer of integers.
func (b *Builder) Integers(typ onnx.DataType, shape []int, v ...int64) string {
	t := onnx.Tensor{Name: b.name("c"), Type: typ, Dims: dims(shape), Ints: v}
	b.Model.Graph.Initializers = append(b.Model.Graph.Initializers, t)
	return t.Name
}

// Value declares an input or output.
func Value(name string, typ onnx.DataType, shape []int) onnx.ValueInfo {
	v := onnx.ValueInfo{Name: name, Type: typ, HasShape: true}
	for _, d := range shape {
		v.Dims = append(v.Dims, onnx.Dim{Value: int64(d), Known: true})
	}
	return v
}

// Grid draws a grid for numbers that are mostly below spread, of one sign if positive.
func (b *Builder) Grid(spread float64, positive bool) Grid {
	g := Grid{Type: onnx.Int8, Scale: float32(spread * (0.8 + 0.4*b.rng.Float64()) / 127)}
	switch {
	case positive && b.rng.IntN(2) == 0:
		g.Zero, g.Scale = math.MinInt8, g.Scale/2
	case positive:
		g.Type, g.Scale = onnx.Uint8, g.Scale/2
	case b.rng.IntN(2) == 0:
		g.Type, g.Zero = onnx.Uint8, 120+b.rng.Int64N(16)
	}
	if b.Exact {
		g.Scale = powerOfTwo(g.Scale)
	}
	return g
}

func powerOfTwo(v float32) float32 {
	return float32(math.Exp2(math.Round(math.Log2(float64(v)))))
}

// steps adds scale and zero point of a grid.
func (b *Builder) steps(g Grid) []string {
	return []string{b.Floats(nil, g.Scale), b.Integers(g.Type, nil, g.Zero)}
}

// Input declares an input of floats that is quantised to a grid.
func (b *Builder) Input(name string, shape []int, g Grid) Activation {
	b.Model.Graph.Inputs = append(b.Model.Graph.Inputs, Value(name, onnx.Float32, shape))
	return b.Quantize(name, shape, g)
}

// Quantize quantises numbers.
func (b *Builder) Quantize(x string, shape []int, g Grid) Activation {
	return Activation{b.Node("QuantizeLinear", nil, append([]string{x}, b.steps(g)...)...), shape, g}
}

// Dequantize is an activation as numbers.
func (b *Builder) Dequantize(x Activation) string {
	return b.Node("DequantizeLinear", nil, append([]string{x.Name}, b.steps(x.Grid)...)...)
}

// Output declares numbers as an output of the model.
func (b *Builder) Output(x string, shape []int) {
	b.Model.Graph.Outputs = append(b.Model.Graph.Outputs, Value(x, onnx.Float32, shape))
}

// Finish makes an activation the model's only output, as numbers.
func (b *Builder) Finish(x Activation) []byte {
	b.Output(b.Dequantize(x), x.Shape)
	return b.Marshal()
}
