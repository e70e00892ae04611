package pipeline

import (
	"testing"

	"github.com/weisyn/wes/prover/model/onnx"
	"github.com/weisyn/wes/prover/model/tensor"
	"github.com/weisyn/wes/prover/transcript"
)

// attention is a file of one head of attention, with a sigmoid in the softmax's place.
func attention(t *testing.T) []byte {
	t.Helper()
	info := func(name string, dims ...int64) onnx.ValueInfo {
		v := onnx.ValueInfo{Name: name, Type: onnx.Float32, HasShape: true}
		for _, d := range dims {
			v.Dims = append(v.Dims, onnx.Dim{Value: d, Known: true})
		}
		return v
	}
	g := onnx.Graph{Name: "attention", Inputs: []onnx.ValueInfo{info("x", 2, 5, 6)}, Outputs: []onnx.ValueInfo{info("y", 2, 5, 4)}}
	node := func(op, out string, in ...string) *onnx.Node {
		g.Nodes = append(g.Nodes, onnx.Node{Name: out, Op: op, Inputs: in, Outputs: []string{out}})
		return &g.Nodes[len(g.Nodes)-1]
	}
	for i, name := range []string{"q", "k", "v"} {
		w := onnx.Tensor{Name: "w" + name, Type: onnx.Float32, Dims: []int64{6, 4}, Floats: make([]float32, 24)}
		for j := range w.Floats {
			w.Floats[j] = float32((j*7+i*5)%11-5) / 10
		}
		g.Initializers = append(g.Initializers, w)
		node("MatMul", name, "x", w.Name)
	}
	node("Transpose", "kt", "k").Attrs = []onnx.Attribute{{Name: "perm", Type: onnx.AttrInts, Ints: []int64{0, 2, 1}}}
	node("MatMul", "s", "q", "kt")
	node("Sigmoid", "p", "s")
	node("MatMul", "y", "p", "v")
	m := onnx.Model{IRVersion: 8, Opsets: []onnx.Opset{{Version: 13}}, Graph: g}
	data, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestProductsOfActivationsProveAndVerify(t *testing.T) {
	x := tensor.Tensor{Name: "x", Shape: []int{2, 5, 6}, Data: make([]float64, 60)}
	for i := range x.Data {
		x.Data[i] = float64(i%13-6) / 6
	}
	s := Source{ONNX: attention(t), Inputs: []tensor.Tensor{x}, Transcript: transcript.SHA256}
	o, r := run(t, new(Line), s, EngineInterpreter)
	v, err := Verify(Claim{Model: o.Model, Proof: o.Proof, Inputs: s.Inputs, Output: o.Outputs})
	if err != nil {
		t.Fatal(err)
	}
	if want := int64(3*2*5*4*6 + 2*5*5*4 + 2*5*4*5); v.Digest != o.Digest || r.MACs != want {
		t.Errorf("digest %x of %x, %d multiply-accumulates, want %d", v.Digest, o.Digest, r.MACs, want)
	}
	o.Outputs[0].Data[7] += 1
	if _, err := Verify(Claim{Model: o.Model, Proof: o.Proof, Inputs: s.Inputs, Output: o.Outputs}); err == nil {
		t.Error("a changed output is accepted")
	}
}
