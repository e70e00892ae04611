package pipeline

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/weisyn/wes/prover"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model"
	"github.com/weisyn/wes/prover/model/tensor"
	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/verify"
)

// The stages that this package adds to those of package prover, in order; Weights comes
// after Lower, the stages of a proof between Execute and Verify.
const (
	StageImport  prover.Stage = "import"
	StageLower   prover.Stage = "lower"
	StageExecute prover.Stage = "execute"
	StageVerify  prover.Stage = "verify"
)

// Line carries what all requests share. The zero value has no cache, executes on the
// interpreter, commits on the CPU and reports to nobody.
type Line struct {
	Cache     *Cache
	Runtime   Runtime
	Committer prover.Committer
	Progress  prover.Progress
}

func (l *Line) options() prover.Options {
	return prover.Options{Committer: l.Committer, Progress: l.Progress}
}

// committer names where commitments are made.
func (l *Line) committer() string {
	if l.Committer == nil {
		return "cpu"
	}
	return l.Committer.Name()
}

// Source is a model and how to make a program of it.
type Source struct {
	ONNX []byte
	// Inputs bind the shapes that the model leaves open.
	Inputs []tensor.Tensor
	// Samples calibrate; when there are none, Inputs do.
	Samples    []tensor.Tensor
	Options    model.Options
	Transcript transcript.Kind
	// Like is the model file of a program of the same model for other shapes. Both get the same
	// weights, as far as the layout of rows does not depend on shapes, and share their commitments.
	Like []byte
}

// Program is a model ready to be executed and proved.
type Program struct {
	*prover.Prepared
	Summary Summary
	Took    time.Duration // of Prepare
	Cached  bool          // it was read, not made
	// NotCached is why a program that was made is not in the cache, nil if it is or if there
	// is no cache.
	NotCached error
}

// Summary describes how a program was made. It travels in the model file, where it is the
// word of whoever made that: the model's digest does not bind it.
type Summary struct {
	Model       string       `json:"model"`
	Description string       `json:"description,omitempty"`
	MACs        int64        `json:"macs"`
	Params      int64        `json:"params"`
	Calibration string       `json:"calibration"` // CalibrationSamples or CalibrationInput
	Lowering    model.Report `json:"lowering"`
	Weights     string       `json:"weights"` // prover.Prepared.WeightsDigest
}

// Describe names a program, for whoever gets its package.
func (p *Program) Describe(name, description string) error {
	p.Summary.Model, p.Summary.Description = name, description
	report, err := json.Marshal(p.Summary)
	if err != nil {
		return fmt.Errorf("describe model: %w", err)
	}
	p.Model.Report = report
	return nil
}

// What a model was calibrated on.
const (
	CalibrationSamples = "samples"
	CalibrationInput   = "input"
)

// Accuracy is the loss of lowering over all outputs and all calibration samples.
type Accuracy struct {
	MaxAbs  float64 `json:"max_abs_error"`
	MeanAbs float64 `json:"mean_abs_error"`
	Top1    float64 `json:"top1_agreement"` // fraction of lines with the same largest cell
	Cosine  float64 `json:"cosine"`         // between float and integer values, of the worst output
}

// Accuracy sums up what lowering measured.
func (p *Program) Accuracy() Accuracy {
	a := Accuracy{Cosine: 1}
	var cells, lines, same float64
	for i, o := range p.Summary.Lowering.Outputs {
		n := float64(graph.Elements(p.Model.Graph.Outputs[i].Shape))
		a.MaxAbs, a.Cosine = max(a.MaxAbs, o.MaxAbs), min(a.Cosine, o.Cosine)
		a.MeanAbs += n * o.MeanAbs
		cells += n
		lines += float64(o.Lines)
		same += float64(o.Top1)
	}
	a.MeanAbs /= cells
	a.Top1 = same / lines
	return a
}

// Request is one execution to prove.
type Request struct {
	Inputs []tensor.Tensor
	Job    prover.Job
}

// Outcome is a proof that was verified, with the files that carry it.
type Outcome struct {
	Digest [32]byte
	Model  []byte // for whoever verifies: the model file
	Proof  []byte
	// OutputBytes is how many bytes of Proof are cells of outputs.
	OutputBytes int
	Output      []byte // JSON, the body of an Open Inference Protocol v2 response
	Outputs     []tensor.Tensor
	Tails       []graph.Tail // of each output: what was computed outside the proof
	Took        Took
}

// Took says how long the parts of Prove took.
type Took struct {
	Execute time.Duration
	Stages  prover.Timings
	Prove   time.Duration // from input to encoded proof, Execute included
	Load    time.Duration // of the model file, by the verifier
	Verify  time.Duration // of the encoded proof
}

// Fault is an error that no other input would have avoided: a bug, a machine without
// memory, a runtime that died.
type Fault struct {
	Stage prover.Stage
	Err   error
}

// Error names the stage.
func (f *Fault) Error() string { return fmt.Sprintf("%s: %v", f.Stage, f.Err) }

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.Err }

// CheckJob refuses a job whose parts are too long for a statement.
func CheckJob(j prover.Job) error {
	for _, part := range []struct{ name, text string }{{"job", j.ID}, {"payee", j.Payee}, {"chain", j.Chain}} {
		if len(part.text) > verify.MaxText {
			return fmt.Errorf("%s of %d bytes exceeds %d", part.name, len(part.text), verify.MaxText)
		}
	}
	return nil
}
