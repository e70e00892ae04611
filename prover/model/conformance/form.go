package conformance

import (
	"slices"

	"github.com/weisyn/wes/prover/model/onnx"
)

// form says which operands of a case are inputs of the network that is tested. The files of
// a case have all operands as inputs, but networks hold shapes, axes, weights and the like as
// constants, and some operators are proved only with those.
type form int

const (
	formGiven      form = iota // all operands are inputs
	formIntegers               // integer operands after the first are constants
	formParameters             // all operands after the first are constants
	formConstant               // all operands are constants: the result is folded
)

// free are the values that stay inputs.
func (f form) free(inputs []*onnx.Tensor) []*onnx.Tensor {
	var free []*onnx.Tensor
	for i, t := range inputs {
		if f == formGiven || f < formConstant && i == 0 || f == formIntegers && t.Type.IsFloat() {
			free = append(free, t)
		}
	}
	return free
}

// bound is a model with the other operands as initializers. In formConstant it has an input
// of its own for every output, which is added to it, for a network needs inputs: zeros there leave the
// folded result.
func (e *example) bound(f form) (m *onnx.Model, inputs []*onnx.Tensor) {
	copied := *e.model
	m, inputs = &copied, f.free(e.inputs)
	g := &m.Graph
	g.Initializers, g.Inputs = slices.Clone(g.Initializers), slices.Clone(g.Inputs)
	for _, t := range e.inputs {
		if !slices.Contains(inputs, t) {
			g.Initializers = append(g.Initializers, *t)
			g.Inputs = slices.DeleteFunc(g.Inputs, func(v onnx.ValueInfo) bool { return v.Name == t.Name })
		}
	}
	if f == formConstant {
		inputs = e.addZeros(g)
	}
	return m, inputs
}

// firstOutput is the case without its other outputs.
func (e *example) firstOutput() *example {
	m := *e.model
	m.Graph.Outputs = m.Graph.Outputs[:1]
	first := *e
	first.model, first.outputs = &m, e.outputs[:1]
	return &first
}

// addZeros replaces every output by its sum, in float32, with an input of zeros.
func (e *example) addZeros(g *onnx.Graph) []*onnx.Tensor {
	var zeros []*onnx.Tensor
	g.Nodes, g.Outputs = slices.Clone(g.Nodes), slices.Clone(g.Outputs)
	for i, want := range e.outputs {
		name := g.Outputs[i].Name
		zero := &onnx.Tensor{Name: name + "/zero", Type: onnx.Float32, Dims: want.Dims, Floats: make([]float32, want.Len())}
		zeros = append(zeros, zero)
		info := onnx.ValueInfo{Name: zero.Name, Type: onnx.Float32, HasShape: true}
		for _, d := range want.Dims {
			info.Dims = append(info.Dims, onnx.Dim{Known: true, Value: d})
		}
		g.Inputs = append(g.Inputs, info)
		g.Nodes = append(
			g.Nodes,
			onnx.Node{Op: "Cast", Inputs: []string{name}, Outputs: []string{name + "/float"}, Attrs: []onnx.Attribute{
				{Name: "to", Type: onnx.AttrInt, Int: int64(onnx.Float32)},
			}},
			onnx.Node{Op: "Add", Inputs: []string{name + "/float", zero.Name}, Outputs: []string{name + "/sum"}},
		)
		g.Outputs[i] = onnx.ValueInfo{Name: name + "/sum", Type: onnx.Float32}
	}
	return zeros
}
