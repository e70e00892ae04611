package onnxtest

import (
	"math"

	"github.com/weisyn/wes/prover/model/onnx"
)

// Recurrent is a classifier of sequences as PyTorch exports one: an input x of [batch, steps, features], an
// operator that starts from states of zeros, and scores y of what it says at the last step.
type Recurrent struct {
	Op            string // LSTM, GRU or RNN
	Batch         int
	Steps         int
	Features      int
	Hidden        int
	Classes       int
	Bidirectional bool
	EveryStep     bool // scores are of all steps: [batch, steps, classes]
}

// gates are the blocks of rows of the operator's weights.
func (r *Recurrent) gates() int {
	return map[string]int{"LSTM": 4, "GRU": 3, "RNN": 1}[r.Op]
}

// Build writes the model with random weights of a seed.
func (r *Recurrent) Build(seed uint64) *onnx.Model {
	b := New(QDQ, seed)
	b.Model.Graph.Name = "recurrent"
	b.Model.Graph.Inputs = []onnx.ValueInfo{Value("x", onnx.Float32, []int{r.Batch, r.Steps, r.Features})}
	h := b.cell(r, b.Node("Transpose", []onnx.Attribute{Ints("perm", 1, 0, 2)}, "x"))
	directions, shape := 1, []int{r.Batch, r.Classes}
	if r.Bidirectional {
		directions = 2
		h = b.Node("Transpose", []onnx.Attribute{Ints("perm", 0, 2, 1, 3)}, h)
		h = b.Node("Reshape", nil, h, b.Integers(onnx.Int64, []int{3}, 0, 0, -1))
	} else {
		h = b.Node("Squeeze", nil, h, b.Integers(onnx.Int64, []int{1}, 1))
	}
	h = b.Node("Transpose", []onnx.Attribute{Ints("perm", 1, 0, 2)}, h)
	if r.EveryStep {
		shape = []int{r.Batch, r.Steps, r.Classes}
	} else {
		h = b.Node("Gather", []onnx.Attribute{Int("axis", 1)}, h, b.Integers(onnx.Int64, nil, -1))
	}
	width := directions * r.Hidden
	y := b.Node("MatMul", nil, h, b.normal(2/math.Sqrt(float64(width)), width, r.Classes))
	y = b.Node("Add", nil, y, b.normal(0.1, r.Classes))
	b.Output(y, shape)
	return &b.Model
}

// cell adds the operator. An LSTM starts as one that remembers; a GRU resets behind its product.
func (b *Builder) cell(r *Recurrent, x string) string {
	directions := 1
	attrs := []onnx.Attribute{Int("hidden_size", int64(r.Hidden))}
	if r.Bidirectional {
		directions = 2
		attrs = append(attrs, onnx.Attribute{Name: "direction", Type: onnx.AttrString, String: "bidirectional"})
	}
	if r.Op == "GRU" {
		attrs = append(attrs, Int("linear_before_reset", 1))
	}
	rows, root := r.gates()*r.Hidden, 1/math.Sqrt(float64(r.Hidden))
	in := []string{
		x, b.normal(1/math.Sqrt(float64(r.Features)), directions, rows, r.Features),
		b.normal(1.5*root, directions, rows, r.Hidden), b.normal(root, directions, 2*rows), "",
	}
	if r.Op == "LSTM" {
		bias := b.Model.Graph.Initializers[len(b.Model.Graph.Initializers)-1].Floats
		for i := range directions * r.Hidden {
			bias[i/r.Hidden*2*rows+2*r.Hidden+i%r.Hidden]++
		}
	}
	zero := b.Node("Expand", nil, b.Floats(nil, 0), b.Integers(onnx.Int64, []int{3}, int64(directions), int64(r.Batch), int64(r.Hidden)))
	if in = append(in, zero); r.Op == "LSTM" {
		in = append(in, zero)
	}
	return b.Node(r.Op, attrs, in...)
}

// normal adds random numbers.
func (b *Builder) normal(scale float64, shape ...int) string {
	v := make([]float32, size(shape))
	for i := range v {
		v[i] = float32(b.rng.NormFloat64() * scale)
	}
	return b.Floats(shape, v...)
}
