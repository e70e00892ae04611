package pipeline

import (
	"math/rand/v2"
	"testing"

	"github.com/weisyn/wes/prover/model/onnx/onnxtest"
	"github.com/weisyn/wes/prover/model/tensor"
	"github.com/weisyn/wes/prover/transcript"
)

// TestInt8ModelsProveAndVerify: networks that other tools have quantised, in the forms that they are written in.
func TestInt8ModelsProveAndVerify(t *testing.T) {
	for i, net := range onnxtest.Networks() {
		form := onnxtest.Forms[i%len(onnxtest.Forms)]
		t.Run(net.Name+"/"+form.String(), func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			x := tensor.Tensor{Name: "x", Shape: net.Shape}
			n := 1
			for _, d := range net.Shape {
				n *= d
			}
			for range n {
				x.Data = append(x.Data, min(max(r.NormFloat64(), -2), 2))
			}
			s := Source{ONNX: net.Build(onnxtest.New(form, 1)), Inputs: []tensor.Tensor{x}, Transcript: transcript.SHA256}
			o, _ := run(t, new(Line), s, EngineInterpreter)
			v, err := Verify(Claim{Model: o.Model, Proof: o.Proof, Inputs: s.Inputs, Output: o.Outputs})
			if err != nil {
				t.Fatal(err)
			}
			if v.Digest != o.Digest {
				t.Errorf("digest %x of %x", v.Digest, o.Digest)
			}
			o.Outputs[0].Data[3] += 1
			if _, err := Verify(Claim{Model: o.Model, Proof: o.Proof, Inputs: s.Inputs, Output: o.Outputs}); err == nil {
				t.Error("a changed output is accepted")
			}
		})
	}
}
