package architectures

import (
	"fmt"
	"math"

	"github.com/weisyn/wes/prover/model/onnx"
)

// labels is the number of classes that a tagger of sequences gives to each step.
const labels = 10

// LSTM tags each step of one sequence: layers of so many units, which read as many features, and a
// classifier, as PyTorch exports them.
func LSTM(layers, units, steps int) Network {
	name := fmt.Sprintf("lstm_%dx%d_%d", layers, units, steps)
	return Network{name, fmt.Sprintf("LSTM, %d layers of %d, %d steps", layers, units, steps), []int{1, steps, units}, 0, false, func(seed uint64) *onnx.Model {
		b := newBuilder(name, seed, 1, steps, units)
		x := b.node("Transpose", []onnx.Attribute{ints("perm", 1, 0, 2)}, "input")
		for i := range layers {
			x = b.lstm(fmt.Sprintf("lstm%d", i), x, units)
		}
		x = b.node("Transpose", []onnx.Attribute{ints("perm", 1, 0, 2)}, x)
		y := b.node("MatMul", nil, x, b.normal("tags", 2/math.Sqrt(float64(units)), units, labels))
		return b.finish(y, 1, steps, labels)
	}}
}

// lstm is one direction, with weights that spread somewhat more than PyTorch's do at first, so that states move.
func (b *builder) lstm(name, x string, units int) string {
	root := 1 / math.Sqrt(float64(units))
	y := b.node("LSTM", []onnx.Attribute{integer("hidden_size", int64(units))}, x,
		b.normal(name+".w", root, 1, 4*units, units), b.normal(name+".r", 1.5*root, 1, 4*units, units), b.normal(name+".b", root, 1, 8*units))
	return b.node("Squeeze", nil, y, b.integers(name+".direction", 1))
}
