// Package architectures writes well-known networks as ONNX models: the layer shapes of
// torchvision, with seeded random weights. What a proof costs depends on shapes, not on
// what a network has learnt.
package architectures

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/weisyn/wes/prover/model/onnx"
)

// opset is the operator version of the models.
const opset = 13

// builder adds nodes one after another; each method returns the name of its output.
type builder struct {
	graph onnx.Graph
	rng   *rand.Rand
	count int
}

func newBuilder(name string, seed uint64, input ...int) *builder {
	b := &builder{rng: rand.New(rand.NewPCG(seed, 0)), graph: onnx.Graph{Name: name}}
	b.graph.Inputs = []onnx.ValueInfo{value("input", input...)}
	return b
}

func value(name string, shape ...int) onnx.ValueInfo {
	v := onnx.ValueInfo{Name: name, Type: onnx.Float32, HasShape: true}
	for _, d := range shape {
		v.Dims = append(v.Dims, onnx.Dim{Value: int64(d), Known: true})
	}
	return v
}

func (b *builder) finish(output string, shape ...int) *onnx.Model {
	b.graph.Outputs = []onnx.ValueInfo{value(output, shape...)}
	return &onnx.Model{IRVersion: 8, ProducerName: "wes", Opsets: []onnx.Opset{{Version: opset}}, Graph: b.graph}
}

func (b *builder) node(op string, attrs []onnx.Attribute, inputs ...string) string {
	b.count++
	out := fmt.Sprintf("%s_%d", op, b.count)
	b.graph.Nodes = append(b.graph.Nodes, onnx.Node{Name: out, Op: op, Inputs: inputs, Outputs: []string{out}, Attrs: attrs})
	return out
}

func ints(name string, values ...int64) onnx.Attribute {
	return onnx.Attribute{Name: name, Type: onnx.AttrInts, Ints: values}
}

func integer(name string, v int64) onnx.Attribute {
	return onnx.Attribute{Name: name, Type: onnx.AttrInt, Int: v}
}

// weights adds an initialiser drawn from a normal distribution of variance 2/fanIn.
func (b *builder) weights(name string, fanIn int, dims ...int) string {
	return b.normal(name, math.Sqrt(2/float64(fanIn)), dims...)
}

// normal adds an initialiser drawn from a normal distribution.
func (b *builder) normal(name string, std float64, dims ...int) string {
	t := onnx.Tensor{Name: name, Type: onnx.Float32}
	n := 1
	for _, d := range dims {
		t.Dims = append(t.Dims, int64(d))
		n *= d
	}
	t.Floats = make([]float32, n)
	for i := range t.Floats {
		t.Floats[i] = float32(b.rng.NormFloat64() * std)
	}
	b.graph.Initializers = append(b.graph.Initializers, t)
	return name
}

// conv is a square convolution with bias; gain scales its weights.
func (b *builder) conv(x string, in, out, kernel, stride, groups int) string {
	name := fmt.Sprintf("conv%d", b.count+1)
	fanIn := in / groups * kernel * kernel
	w := b.weights(name+".weight", fanIn, out, in/groups, kernel, kernel)
	bias := b.weights(name+".bias", 200, out)
	k, s, p := int64(kernel), int64(stride), int64(kernel/2)
	return b.node("Conv", []onnx.Attribute{ints("kernel_shape", k, k), ints("strides", s, s), ints("pads", p, p, p, p), integer("group", int64(groups))}, x, w, bias)
}

func (b *builder) relu(x string) string { return b.node("Relu", nil, x) }

// relu6 is Clip with its bounds as inputs.
func (b *builder) relu6(x string) string {
	return b.node("Clip", nil, x, b.scalar("zero", 0), b.scalar("six", 6))
}

func (b *builder) scalar(name string, v float32) string {
	for _, t := range b.graph.Initializers {
		if t.Name == name {
			return name
		}
	}
	b.graph.Initializers = append(b.graph.Initializers, onnx.Tensor{Name: name, Type: onnx.Float32, Floats: []float32{v}})
	return name
}

func (b *builder) maxPool(x string, kernel, stride, pad int64) string {
	return b.node("MaxPool", []onnx.Attribute{ints("kernel_shape", kernel, kernel), ints("strides", stride, stride), ints("pads", pad, pad, pad, pad)}, x)
}

func (b *builder) linear(x string, in, out int) string {
	name := fmt.Sprintf("fc%d", b.count+1)
	w := b.weights(name+".weight", in, out, in)
	bias := b.weights(name+".bias", 200, out)
	return b.node("Gemm", []onnx.Attribute{integer("transB", 1)}, x, w, bias)
}

func (b *builder) flatten(x string) string {
	return b.node("Flatten", []onnx.Attribute{integer("axis", 1)}, x)
}
