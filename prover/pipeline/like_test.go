package pipeline

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/weisyn/wes/prover"
	"github.com/weisyn/wes/prover/model"
	"github.com/weisyn/wes/prover/model/onnx"
	"github.com/weisyn/wes/prover/model/tensor"
	"github.com/weisyn/wes/prover/transcript"
)

// openText is a text model of any batch and length: embeddings, a layer, a norm, a layer.
func openText(t *testing.T) []byte {
	t.Helper()
	open := func(name string, typ onnx.DataType, dims ...onnx.Dim) onnx.ValueInfo {
		return onnx.ValueInfo{Name: name, Type: typ, HasShape: true, Dims: append([]onnx.Dim{{Param: "batch"}, {Param: "length"}}, dims...)}
	}
	g := onnx.Graph{
		Name: "text", Inputs: []onnx.ValueInfo{open("ids", onnx.Int64)},
		Outputs: []onnx.ValueInfo{open("y", onnx.Float32, onnx.Dim{Value: 3, Known: true})},
	}
	weights := func(name string, dims ...int64) string {
		w := onnx.Tensor{Name: name, Type: onnx.Float32, Dims: dims, Floats: make([]float32, 1)}
		for _, d := range dims {
			w.Floats = make([]float32, len(w.Floats)*int(d))
		}
		for i := range w.Floats {
			w.Floats[i] = float32((i*7+len(name))%11-5) / 10
		}
		g.Initializers = append(g.Initializers, w)
		return name
	}
	node := func(op, out string, in ...string) string {
		g.Nodes = append(g.Nodes, onnx.Node{Name: out, Op: op, Inputs: in, Outputs: []string{out}})
		return out
	}
	x := node("MatMul", "h", node("Gather", "e", weights("table", 20, 8), "ids"), weights("w1", 8, 6))
	x = node("LayerNormalization", "n", x, weights("scale", 6), weights("shift", 6))
	node("MatMul", "y", x, weights("w2", 6, 3))
	m := onnx.Model{IRVersion: 8, Opsets: []onnx.Opset{{Version: 17}}, Graph: g}
	data, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func tokens(batch, length int) []tensor.Tensor {
	x := tensor.Tensor{Name: "ids", Shape: []int{batch, length}, Data: make([]float64, batch*length)}
	for i := range x.Data {
		x.Data[i] = float64(i * 3 % 20)
	}
	return []tensor.Tensor{x}
}

// TestBindingsOfAModelShareCommitments prepares a model for another batch and length like the first:
// nothing is committed again, and both prove.
func TestBindingsOfAModelShareCommitments(t *testing.T) {
	data := openText(t)
	first := Source{ONNX: data, Inputs: tokens(1, 4), Transcript: transcript.SHA256}
	o, _ := run(t, new(Line), first, EngineInterpreter)
	p, err := new(Line).Prepare(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	for _, inputs := range [][]tensor.Tensor{tokens(1, 9), tokens(3, 4), tokens(2, 1)} {
		t.Run(fmt.Sprint(inputs[0].Shape), func(t *testing.T) {
			committed := false
			line := &Line{Progress: func(s prover.Stage, _, _ int) { committed = committed || s == prover.StageWeights }}
			s := Source{ONNX: data, Inputs: inputs, Transcript: transcript.SHA256, Like: o.Model}
			q, err := line.Prepare(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			if committed || q.WeightsDigest != p.WeightsDigest || !slices.Equal(q.Model.Rows, p.Model.Rows) {
				t.Errorf("commitments were made: %v; weights %x of %x", committed, q.WeightsDigest[:4], p.WeightsDigest[:4])
			}
			run(t, line, s, EngineInterpreter)
		})
	}
}

func TestLikeOfAnotherModelIsRefused(t *testing.T) {
	x := tensor.Tensor{Name: "x", Shape: []int{2, 5, 6}, Data: make([]float64, 60)}
	x.Data[3] = 1
	other, _ := run(t, new(Line), Source{ONNX: attention(t), Inputs: []tensor.Tensor{x}}, EngineInterpreter)
	_, err := new(Line).Prepare(t.Context(), Source{ONNX: openText(t), Inputs: tokens(1, 4), Like: other.Model})
	if !errors.Is(err, model.ErrOptions) {
		t.Errorf("%v, want a refusal of the options", err)
	}
	if _, err := new(Line).Prepare(t.Context(), Source{ONNX: openText(t), Inputs: tokens(1, 4), Like: []byte("?")}); err == nil {
		t.Error("a file that is no model is taken")
	}
}
