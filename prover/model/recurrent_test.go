package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weisyn/wes/prover/model/float"
	"github.com/weisyn/wes/prover/model/onnx"
)

// classifier is a recurrent operator whose last state, or all states, a product reads.
type classifier struct {
	op                                    string
	steps, inputs, hidden, classes        int
	all, outside bool
}

func (k *classifier) model(seed uint64) *onnx.Model {
	r := rand.New(rand.NewPCG(seed, 1))
	gates := int(map[string]int{"LSTM": 4, "GRU": 3, "RNN": 1}[k.op])
	tensor := func(name string, scale float64, dims ...int64) onnx.Tensor {
		t := onnx.Tensor{Name: name, Type: onnx.Float32, Dims: dims}
		n := int64(1)
		for _, d := range dims {
			n *= d
		}
		t.Floats = make([]float32, n)
		for i := range t.Floats {
			t.Floats[i] = float32(r.NormFloat64() * scale)
		}
		return t
	}
	info := func(name string, dims ...int) onnx.ValueInfo {
		v := onnx.ValueInfo{Name: name, Type: onnx.Float32, HasShape: true}
		for _, d := range dims {
			v.Dims = append(v.Dims, onnx.Dim{Known: true, Value: int64(d)})
		}
		return v
	}
	h, g := int64(k.hidden), int64(gates*k.hidden)
	root := 1 / math.Sqrt(float64(k.hidden))
	b := tensor("b", root, 1, 2*g)
	if k.op == "LSTM" {
		for i := range h {
			b.Floats[2*h+i] += 1 // the usual start: remember
		}
	}
	m := &onnx.Model{IRVersion: 8, Opsets: []onnx.Opset{{Version: 14}}}
	m.Graph = onnx.Graph{
		Name: "g", Inputs: []onnx.ValueInfo{info("x", k.steps, 1, k.inputs)},
		Initializers: []onnx.Tensor{
			tensor("w", 1/math.Sqrt(float64(k.inputs)), 1, g, int64(k.inputs)), tensor("r", 1.5*root, 1, g, h), b,
			tensor("v", 2*root, h, int64(k.classes)), {Name: "last", Type: onnx.Int64, Ints: []int64{-1}},
		},
		Nodes: []onnx.Node{
			{Op: k.op, Name: "cell", Inputs: []string{"x", "w", "r", "b"}, Outputs: []string{"y", "h"}, Attrs: []onnx.Attribute{
				{Name: "hidden_size", Type: onnx.AttrInt, Int: h},
			}},
			{Op: "MatMul", Name: "scores", Inputs: []string{"h", "v"}, Outputs: []string{"s"}},
		},
		Outputs: []onnx.ValueInfo{{Name: "s", Type: onnx.Float32}},
	}
	if k.outside {
		m.Graph.Nodes[0].Attrs = append(m.Graph.Nodes[0].Attrs, onnx.Attribute{Name: "linear_before_reset", Type: onnx.AttrInt, Int: 1})
	}
	if k.all {
		m.Graph.Nodes[1].Inputs[0] = "y"
	}
	return m
}

func TestX(t *testing.T) {
	for _, k := range []classifier{
		{"LSTM", 10, 8, 16, 10, false, false},
		{"LSTM", 10, 8, 16, 10, true, false},
		{"LSTM", 50, 8, 16, 10, false, false},
		{"LSTM", 50, 8, 16, 10, true, false},
		{"GRU", 10, 8, 16, 10, false, false},
		{"GRU", 10, 8, 16, 10, true, false},
		{"GRU", 50, 8, 16, 10, false, false},
		{"GRU", 50, 8, 16, 10, true, false},
		{"GRU", 50, 8, 16, 10, true, true},
		{"RNN", 10, 8, 16, 10, false, false},
		{"RNN", 50, 8, 16, 10, true, false},
		{"LSTM", 50, 8, 64, 10, true, false},
	} {
		for _, bits := range []int{8, 10, 12} {
		    for _, shift := range []int{12,14} {
			g, err := float.Import(k.model(1), float.Options{})
			if err != nil {
				t.Fatal(err)
			}
			n := &network{t: t, r: rand.New(rand.NewPCG(2, 7)), g: *g}
			low, err := Lower(t.Context(), g, n.samples(16), Options{ActivationBits: bits, MaxShift: shift})
			if err != nil {
				fmt.Println(k, bits, shift, err)
				continue
			}
			a := low.Report.Outputs[0]
			fmt.Println(k, bits, shift, fmt.Sprintf("%.6f top1 %v max %.4f of %.3f", a.Cosine, a.Top1, a.MaxAbs, a.Largest), len(low.Graph.Nodes), len(low.Graph.Tables))
			}
		}
	}
}
