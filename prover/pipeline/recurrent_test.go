package pipeline

import (
	"math/rand/v2"
	"testing"

	"github.com/weisyn/wes/prover/model/onnx/onnxtest"
	"github.com/weisyn/wes/prover/model/tensor"
	"github.com/weisyn/wes/prover/transcript"
)

// TestRecurrentModelsProveAndVerify: classifiers of sequences as PyTorch exports them.
func TestRecurrentModelsProveAndVerify(t *testing.T) {
	for _, k := range []onnxtest.Recurrent{
		{Op: "LSTM", Batch: 4, Steps: 10, Features: 6, Hidden: 16, Classes: 5},
		{Op: "GRU", Batch: 4, Steps: 10, Features: 6, Hidden: 12, Classes: 5, Bidirectional: true},
		{Op: "RNN", Batch: 1, Steps: 10, Features: 6, Hidden: 8, Classes: 5, EveryStep: true},
	} {
		t.Run(k.Op, func(t *testing.T) {
			data, err := k.Build(1).Marshal()
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(1, 2))
			x := tensor.Tensor{Name: "x", Shape: []int{k.Batch, k.Steps, k.Features}}
			for range k.Batch * k.Steps * k.Features {
				x.Data = append(x.Data, min(max(r.NormFloat64(), -2), 2))
			}
			s := Source{ONNX: data, Inputs: []tensor.Tensor{x}, Transcript: transcript.SHA256}
			o, report := run(t, new(Line), s, EngineInterpreter)
			v, err := Verify(Claim{Model: o.Model, Proof: o.Proof, Inputs: s.Inputs, Output: o.Outputs})
			if err != nil {
				t.Fatal(err)
			}
			if v.Digest != o.Digest || report.Top1 != 1 || report.Cosine < 0.9999 {
				t.Errorf("digest %x of %x, top answers agree in %v of the lines, cosine %v", v.Digest, o.Digest, report.Top1, report.Cosine)
			}
			o.Outputs[0].Data[3] += 1
			if _, err := Verify(Claim{Model: o.Model, Proof: o.Proof, Inputs: s.Inputs, Output: o.Outputs}); err == nil {
				t.Error("a changed output is accepted")
			}
		})
	}
}
