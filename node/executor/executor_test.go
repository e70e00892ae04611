package executor

import (
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node/proofs"
	"github.com/weisyn/wes/prover/model/tensor"
	"github.com/weisyn/wes/prover/pipeline"
)

const models = "../../testdata/models/"

// world is a deployed model with an input that fits.
type world struct {
	pkg   []byte
	key   []byte
	model chain.Hash
	input []byte
}

func deployed(t *testing.T, name string) *world {
	t.Helper()
	onnx, err := os.ReadFile(models + name + ".onnx")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(models + name + ".input.json")
	if err != nil {
		t.Fatal(err)
	}
	inputs, err := tensor.ParseJSON(raw)
	if err != nil {
		t.Fatal(err)
	}
	p, err := new(pipeline.Line).Prepare(t.Context(), pipeline.Source{ONNX: onnx, Inputs: inputs})
	if err != nil {
		t.Fatal(err)
	}
	cells, _, err := tensor.QuantizeAll(p.Model.Graph, inputs, false)
	if err != nil {
		t.Fatal(err)
	}
	return &world{pipeline.EncodePackage(p), proofs.EncodeModel(p.Model), p.Model.Digest(), proofs.EncodeInput(cells)}
}

func (w *world) inference(prove bool) Inference {
	return Inference{
		Program: "model", Package: func() ([]byte, error) { return w.pkg, nil }, Key: sha256.Sum256(w.key), Input: w.input,
		Job: proofs.JobOf(chain.Hash{1}, chain.Hash{2}, chain.Hash{3}), Prove: prove,
	}
}

func TestProofHoldsOnTheLedger(t *testing.T) {
	w := deployed(t, "digits_mlp")
	x := New(Config{})
	defer x.Close()
	r, err := x.Infer(t.Context(), w.inference(true), nil)
	if err != nil {
		t.Fatal(err)
	}
	claim := chain.Claim{
		Kind: chain.JobInfer, Key: chain.VerifyingKey{Hash: sha256.Sum256(w.key), Len: uint32(len(w.key))},
		Chain: chain.Hash{1}, Job: chain.Hash{2}, Payee: chain.Hash{3}, Model: w.model,
		Input: sha256.Sum256(w.input), Output: sha256.Sum256(r.Output), Proof: sha256.Sum256(r.Proof),
	}
	evidence := &chain.Evidence{Key: w.key, Input: w.input, Output: r.Output, Proof: r.Proof}
	v := proofs.New(proofs.Config{})
	if ok, err := v.Verify(&claim, evidence); !ok || err != nil {
		t.Fatalf("%v, %v", ok, err)
	}
	claim.Payee = chain.Hash{4}
	if ok, _ := v.Verify(&claim, evidence); ok {
		t.Error("the proof pays somebody else too")
	}
	plain, err := x.Infer(t.Context(), w.inference(false), nil)
	if err != nil || string(plain.Output) != string(r.Output) || plain.Proof != nil {
		t.Errorf("without a proof: %v", err)
	}
}

func TestJobsShareAProgram(t *testing.T) {
	w := deployed(t, "iris_mlp")
	x := New(Config{Cache: &pipeline.Cache{Dir: filepath.Join(t.TempDir(), "cache")}, Programs: 1})
	defer x.Close()
	var reads sync.Map
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			q := w.inference(i%2 == 0)
			q.Package = func() ([]byte, error) { reads.Store(i, true); return w.pkg, nil }
			if _, err := x.Infer(t.Context(), q, func(string, int, int) {}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	n := 0
	reads.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("the package was read %d times", n)
	}
}

func TestFailuresHaveReasons(t *testing.T) {
	w := deployed(t, "iris_mlp")
	for name, c := range map[string]struct {
		change func(*Inference)
		limits pipeline.Limits
		want   Reason
	}{
		"input":       {func(q *Inference) { q.Input = []byte{0xff} }, pipeline.Limits{}, BadInput},
		"empty input": {func(q *Inference) { q.Input = nil }, pipeline.Limits{}, BadInput},
		"package":     {func(q *Inference) { q.Package = func() ([]byte, error) { return []byte("?"), nil } }, pipeline.Limits{}, BadProgram},
		"key":         {func(q *Inference) { q.Key = chain.Hash{9} }, pipeline.Limits{}, KeyMismatch},
		"size":        {func(*Inference) {}, pipeline.Limits{Units: 1}, TooLarge},
		"no package":  {func(q *Inference) { q.Package = func() ([]byte, error) { return nil, os.ErrNotExist } }, pipeline.Limits{}, Failed},
	} {
		t.Run(name, func(t *testing.T) {
			x := New(Config{Limits: c.limits})
			defer x.Close()
			q := w.inference(true)
			c.change(&q)
			_, err := x.Infer(t.Context(), q, nil)
			var f *Failure
			if !errors.As(err, &f) || f.Reason != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestInspectionSaysWhatFits(t *testing.T) {
	w := deployed(t, "iris_mlp")
	x := New(Config{})
	defer x.Close()
	i, err := x.Inspect(w.pkg)
	if err != nil {
		t.Fatal(err)
	}
	if i.Key != sha256.Sum256(w.key) || i.Digest != w.model || i.Units == 0 || i.Memory == 0 {
		t.Errorf("%+v", i)
	}
	for _, payload := range [][]byte{i.Sample(), w.input} {
		if input, err := i.Input(payload); err != nil || string(input) != string(payload) {
			t.Errorf("the input of a model is its payload: %v", err)
		}
	}
	if _, err := i.Input(append(i.Sample(), 1)); err == nil {
		t.Error("a longer input fits")
	}
}
