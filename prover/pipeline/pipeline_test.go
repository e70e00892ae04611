package pipeline

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weisyn/wes/prover"
	"github.com/weisyn/wes/prover/layer"
	"github.com/weisyn/wes/prover/model"
	"github.com/weisyn/wes/prover/model/emit"
	"github.com/weisyn/wes/prover/model/tensor"
	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/verify"
)

const models = "../../testdata/models/"

// shipped is a model of the repository with its sample input.
func shipped(t testing.TB, name string) Source {
	t.Helper()
	data, err := os.ReadFile(models + name + ".onnx")
	if err != nil {
		t.Fatal(err)
	}
	return Source{ONNX: data, Inputs: readJSON(t, models+name+".input.json"), Transcript: transcript.SHA256}
}

func readJSON(t testing.TB, path string) []tensor.Tensor {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	tensors, err := tensor.ParseJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	return tensors
}

func run(t testing.TB, l *Line, s Source, e Engine) (*Outcome, *Report) {
	t.Helper()
	o, r, err := l.Run(t.Context(), s, e, Request{Inputs: s.Inputs})
	if err != nil {
		t.Fatal(err)
	}
	return o, r
}

func TestShippedModelsProveAndVerify(t *testing.T) {
	for _, name := range []string{"iris_mlp", "digits_mlp", "digits_lenet", "lenet5_28", "breast_cancer_logreg", "iris_rf", "bert_tiny", "gpt2_small"} {
		t.Run(name, func(t *testing.T) {
			s := shipped(t, name)
			o, r := run(t, new(Line), s, EngineInterpreter)
			v, err := Verify(Claim{Model: o.Model, Proof: o.Proof, Inputs: s.Inputs, Output: o.Outputs})
			if err != nil {
				t.Fatal(err)
			}
			if v.Digest != o.Digest || v.Summary.MACs != r.MACs || r.MACs == 0 {
				t.Errorf("digest %x of %x, %d multiply-accumulates of %d", v.Digest, o.Digest, v.Summary.MACs, r.MACs)
			}
			if r.Top1 != 1 || r.Cosine < 0.995 {
				t.Errorf("top answers agree in %v of the lines, cosine %v", r.Top1, r.Cosine)
			}
		})
	}
}

func TestStagesAreReportedInOrder(t *testing.T) {
	var stages []prover.Stage
	s := shipped(t, "iris_mlp")
	seen := map[prover.Stage]bool{}
	reports := make(chan prover.Stage, 1<<16)
	l := Line{Progress: func(s prover.Stage, _, _ int) { reports <- s }}
	run(t, &l, s, EngineInterpreter)
	close(reports)
	for s := range reports {
		if !seen[s] {
			seen[s] = true
			stages = append(stages, s)
		}
	}
	want := []prover.Stage{
		StageImport, StageLower, prover.StageWeights, StageExecute,
		prover.StageCommit, prover.StageLookup, prover.StageContract, prover.StageOpen, StageVerify,
	}
	if len(stages) != len(want) {
		t.Fatalf("stages %v, want %v", stages, want)
	}
	for i := range want {
		if stages[i] != want[i] {
			t.Errorf("stage %d is %s, want %s", i, stages[i], want[i])
		}
	}
}

func TestEveryPartOfASourceIsInItsKey(t *testing.T) {
	base := func() Source { return shipped(t, "iris_mlp") }
	reference := base()
	changes := map[string]func(*Source){
		"file":       func(s *Source) { s.ONNX = append(bytes.Clone(s.ONNX), 0) },
		"options":    func(s *Source) { s.Options.WeightBits = 9 },
		"ranges":     func(s *Source) { s.Options.InputRange = map[string]float64{"input": 3} },
		"transcript": func(s *Source) { s.Transcript = transcript.Poseidon2 },
		"like":       func(s *Source) { s.Like = []byte("model") },
		"cell":       func(s *Source) { s.Inputs[0].Data[3] += 0.5 },
		"name":       func(s *Source) { s.Inputs[0].Name = "x" },
		"shape":      func(s *Source) { s.Inputs[0].Shape = []int{8, 8} },
		"samples":    func(s *Source) { s.Samples = s.Inputs },
	}
	keys := map[[32]byte]string{reference.key(): "none"}
	for name, change := range changes {
		s := base()
		change(&s)
		if other, same := keys[s.key()]; same {
			t.Errorf("changes %q and %q give the same key", name, other)
		}
		keys[s.key()] = name
	}
	calibrated := base()
	calibrated.Samples = base().Inputs
	key := calibrated.key()
	calibrated.Inputs[0].Data[3] += 0.5
	if calibrated.key() != key {
		t.Error("an input that does not calibrate changes the key")
	}
}

func TestClaimsThatDoNotHoldNameTheirCheck(t *testing.T) {
	s := shipped(t, "iris_mlp")
	o, _ := run(t, new(Line), s, EngineInterpreter)
	other := readJSON(t, models+"iris_mlp.input.json")
	other[0].Data[0] /= 2
	far := readJSON(t, models+"iris_mlp.input.json")
	far[0].Data[0] = 1e9
	wrong := readJSON(t, models+"iris_mlp.input.json")
	wrong[0].Name = "output"
	for _, c := range []struct {
		name   string
		change func(*Claim)
		want   verify.Check
	}{
		{"input", func(c *Claim) { c.Inputs = other }, verify.CheckInputs},
		{"input out of range", func(c *Claim) { c.Inputs = far }, verify.CheckInputs},
		{"output", func(c *Claim) { c.Output = wrong }, verify.CheckOutputs},
		{"no output", func(c *Claim) { c.Output = []tensor.Tensor{} }, verify.CheckOutputs},
		{"nothing", func(c *Claim) { c.Proof = nil }, CheckEncoding},
		{"more", func(c *Claim) { c.Proof = append(bytes.Clone(c.Proof), 0) }, CheckEncoding},
	} {
		claim := Claim{Model: o.Model, Proof: o.Proof, Inputs: s.Inputs}
		c.change(&claim)
		_, err := Verify(claim)
		var r *verify.Rejection
		if !errors.As(err, &r) || r.Check != c.want {
			t.Errorf("%s: %v, want a rejection by %q", c.name, err, c.want)
		}
	}
}

// broken is a runtime that fails where it is told to.
type broken struct{ open, load, run error }

func (b broken) Open(context.Context) (Device, error) { return b, b.open }
func (b broken) Name() string                         { return "broken" }
func (b broken) NativeConv() bool                     { return true }
func (b broken) Close() error                         { return nil }

func (b broken) Load(context.Context, *emit.Program) (emit.Session, error) { return b, b.load }
func (b broken) Run(context.Context, [][]byte) ([][]byte, error)           { return nil, b.run }

func TestAutoFallsBackAndAnOrderDoesNot(t *testing.T) {
	cause := errors.New("out of steam")
	s := shipped(t, "iris_mlp")
	for _, r := range []broken{{open: cause}, {load: cause}, {run: cause}} {
		l := Line{Runtime: r}
		p, err := l.Prepare(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		p.Summary.MACs = 1e12
		x, err := l.Attach(t.Context(), p, EngineAuto)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Prove(t.Context(), p, x, Request{Inputs: s.Inputs}); err != nil {
			t.Fatal(err)
		}
		if x.Engine != EngineInterpreter || !strings.Contains(x.Why, cause.Error()) {
			t.Errorf("engine %s because %q", x.Engine, x.Why)
		}
		if _, _, err := l.Run(t.Context(), s, EngineONNXRuntime, Request{Inputs: s.Inputs}); !errors.Is(err, cause) {
			t.Errorf("order of the broken runtime: %v", err)
		}
	}
	if _, _, err := new(Line).Run(t.Context(), s, EngineONNXRuntime, Request{Inputs: s.Inputs}); !errors.Is(err, ErrNoRuntime) {
		t.Errorf("order without a runtime: %v", err)
	}
}

func TestEstimatedCellsAreNearThoseOfTheLayout(t *testing.T) {
	for _, name := range []string{"iris_mlp", "digits_mlp", "digits_lenet", "lenet5_28"} {
		s := shipped(t, name)
		fg, err := Import(s.ONNX, s.Inputs)
		if err != nil {
			t.Fatal(err)
		}
		samples, err := model.Samples(fg, s.Inputs)
		if err != nil {
			t.Fatal(err)
		}
		low, err := model.Lower(t.Context(), fg, samples, model.Options{})
		if err != nil {
			t.Fatal(err)
		}
		system, err := layer.NewSystem(low.Graph, low.Info)
		if err != nil {
			t.Fatal(err)
		}
		cells := int64(0)
		for _, slot := range system.Slots {
			if slot.Kind != layer.SlotCount {
				cells += 1 << slot.Vars
			}
		}
		if got := committed(fg); got < cells/3 || got > 2*cells {
			t.Errorf("%s: %d cells are estimated, %d are laid out", name, got, cells)
		}
	}
}

func TestInspectionListsWhatIsUnsupported(t *testing.T) {
	i, err := Inspect(bytes.ReplaceAll(shipped(t, "iris_rf").ONNX, []byte("BRANCH_LEQ"), []byte("BRANCH_ANY")), 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(i.Unsupported) != 1 || i.Unsupported[0].Op != "ai.onnx.ml.TreeEnsembleClassifier" || i.Refusal() == nil {
		t.Errorf("unsupported: %v", i.Unsupported)
	}
	if i, err = Inspect(shipped(t, "digits_mlp").ONNX, 3); err != nil {
		t.Fatal(err)
	}
	if i.Refusal() != nil || i.MACs != 3*(64*64+64*32+32*10) || len(i.Layers) == 0 {
		t.Errorf("inspection: %+v", i)
	}
	e, err := i.Estimate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if e.ProveS <= 0 || e.MemoryBytes <= 0 || e.ProbeCells <= 0 {
		t.Errorf("estimate: %+v", e)
	}
}

func TestLongJobsAreRefused(t *testing.T) {
	s := shipped(t, "iris_mlp")
	r := Request{Inputs: s.Inputs, Job: prover.Job{Payee: strings.Repeat("x", verify.MaxText+1)}}
	if _, _, err := new(Line).Run(t.Context(), s, EngineInterpreter, r); err == nil || !strings.Contains(err.Error(), "payee") {
		t.Errorf("error %v", err)
	}
}

func TestWriteFilesIsAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	files := []File{{"a", []byte("1")}, {"no/such/folder", []byte("2")}}
	if err := WriteFiles(dir, files); err == nil {
		t.Error("a file without a folder was written")
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
	files[1].Name = "b"
	for range 2 {
		if err := WriteFiles(dir, files); err != nil {
			t.Fatal(err)
		}
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*"))
	hidden, _ := filepath.Glob(filepath.Join(dir, ".*"))
	if len(left) != 2 || len(hidden) != 0 {
		t.Errorf("%v and %v are left", left, hidden)
	}
}
