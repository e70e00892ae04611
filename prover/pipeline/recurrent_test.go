package pipeline

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weisyn/wes/prover/model/onnx/onnxtest"
	"github.com/weisyn/wes/prover/model/tensor"
	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/verify"
)

// sequences are random numbers in [−2, 2].
func sequences(k onnxtest.Recurrent) []tensor.Tensor {
	r := rand.New(rand.NewPCG(1, 2))
	x := tensor.Tensor{Name: "x", Shape: []int{k.Batch, k.Steps, k.Features}}
	for range k.Batch * k.Steps * k.Features {
		x.Data = append(x.Data, min(max(r.NormFloat64(), -2), 2))
	}
	return []tensor.Tensor{x}
}

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
			s := Source{ONNX: data, Inputs: sequences(k), Transcript: transcript.SHA256}
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

// TestMoreStepsNeedNoMoreCommitments: a model that is bound to longer sequences reads the same rows.
func TestMoreStepsNeedNoMoreCommitments(t *testing.T) {
	for _, op := range []string{"LSTM", "GRU", "RNN"} {
		var first *Outcome
		for _, steps := range []int{6, 9} {
			k := onnxtest.Recurrent{Op: op, Batch: 2, Steps: steps, Features: 4, Hidden: 8, Classes: 3}
			data, err := k.Build(1).Marshal()
			if err != nil {
				t.Fatal(err)
			}
			s := Source{ONNX: data, Inputs: sequences(k), Transcript: transcript.SHA256}
			if first != nil {
				s.Like = first.Model
			}
			o, _ := run(t, new(Line), s, EngineInterpreter)
			if first == nil {
				first = o
				continue
			}
			a, b := modelOf(t, first), modelOf(t, o)
			if !slices.Equal(a.Rows, b.Rows) {
				t.Errorf("%s: %d rows for 6 steps, %d for 9, or others", op, len(a.Rows), len(b.Rows))
			}
		}
	}
}

func modelOf(t *testing.T, o *Outcome) *verify.Model {
	t.Helper()
	m, err := verify.DecodeModel(o.Model)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
