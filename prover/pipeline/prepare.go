package pipeline

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weisyn/wes/prover"
	"github.com/weisyn/wes/prover/model"
	"github.com/weisyn/wes/prover/model/float"
	"github.com/weisyn/wes/prover/model/onnx"
	"github.com/weisyn/wes/prover/model/tensor"
	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/verify"
)

// Prepare makes the program of a model, or reads it from the cache.
func (l *Line) Prepare(ctx context.Context, s Source) (*Program, error) {
	start := time.Now()
	if s.Transcript == 0 {
		s.Transcript = transcript.SHA256
	}
	k := s.key()
	if p := l.Cache.load(k); p != nil {
		p.Took = time.Since(start)
		return p, nil
	}
	p, err := l.prepare(ctx, s)
	if err != nil {
		return nil, err
	}
	p.NotCached = l.Cache.store(k, p.Prepared)
	p.Took = time.Since(start)
	return p, nil
}

func (l *Line) prepare(ctx context.Context, s Source) (*Program, error) {
	options := l.options()
	if s.Like != nil {
		like, known, err := readLike(s.Like)
		if err != nil {
			return nil, fmt.Errorf("like: %w", err)
		}
		s.Options.Like, options.Known = like, known
	}
	low, summary, err := l.lower(ctx, s)
	if err != nil {
		return nil, err
	}
	prepared, err := prover.Prepare(ctx, low.Graph, low.Weights, s.Transcript, nil, options)
	if err != nil {
		return nil, fmt.Errorf("prepare model: %w", err)
	}
	summary.Weights = hex.EncodeToString(prepared.WeightsDigest[:])
	if prepared.Model.Report, err = json.Marshal(summary); err != nil {
		return nil, &Fault{StageLower, err}
	}
	return &Program{Prepared: prepared, Summary: *summary}, nil
}

// readLike is what a model file says of its calibration, and its commitments.
func readLike(file []byte) (*model.Calibration, *prover.Known, error) {
	m, err := verify.DecodeModel(file)
	if err != nil {
		return nil, nil, err
	}
	var summary Summary
	if err := json.Unmarshal(m.Report, &summary); err != nil {
		return nil, nil, fmt.Errorf("%w: its report: %v", verify.ErrModel, err)
	}
	digest, err := hex.DecodeString(summary.Weights)
	if err != nil || len(digest) != 32 {
		return nil, nil, fmt.Errorf("%w: its report names no weights", verify.ErrModel)
	}
	return &summary.Lowering.Calibration, &prover.Known{Weights: [32]byte(digest), Rows: m.Rows}, nil
}

// lower imports and lowers a model. Without samples its inputs calibrate; without inputs too,
// pseudo-random ones do.
func (l *Line) lower(ctx context.Context, s Source) (*model.Lowered, *Summary, error) {
	done := l.stage(StageImport)
	bound := s.Inputs
	if len(bound) == 0 {
		bound = s.Samples
	}
	fg, err := Import(s.ONNX, bound)
	if err != nil {
		return nil, nil, err
	}
	done()
	summary := &Summary{Model: fg.Name, MACs: fg.MACs(), Params: fg.Params(), Calibration: CalibrationSamples}
	if len(s.Samples) == 0 {
		summary.Calibration, s.Samples = CalibrationInput, s.Inputs
	}
	var samples [][]float.Tensor
	if len(s.Samples) > 0 {
		if samples, err = model.Samples(fg, s.Samples); err != nil {
			return nil, nil, fmt.Errorf("calibrate: %w", err)
		}
	}
	done = l.stage(StageLower)
	low, err := model.Lower(ctx, fg, samples, s.Options)
	if err != nil {
		return nil, nil, err
	}
	done()
	summary.Lowering = low.Report
	return low, summary, nil
}

// stage reports the begin of a stage; the function it returns reports its end.
func (l *Line) stage(s prover.Stage) (done func()) {
	if l.Progress == nil {
		return func() {}
	}
	l.Progress(s, 0, 1)
	return func() { l.Progress(s, 1, 1) }
}

// Import reads an ONNX file and binds the shapes it leaves open to those of inputs; without
// inputs, a batch that it leaves open is 1.
func Import(data []byte, inputs []tensor.Tensor) (*float.Graph, error) {
	m, err := onnx.Parse(data, onnx.Limits{})
	if err != nil {
		return nil, err
	}
	var opt float.Options
	if len(inputs) > 0 {
		if opt.Shapes, err = bind(m, inputs); err != nil {
			return nil, err
		}
	}
	return float.Import(m, opt)
}

// bind finds the shape of every input of a model.
func bind(m *onnx.Model, inputs []tensor.Tensor) (map[string][]int, error) {
	want := freeInputs(m)
	if len(want) == 1 && len(inputs) == 1 && inputs[0].Name == "" {
		return map[string][]int{want[0]: inputs[0].Shape}, nil
	}
	shapes := map[string][]int{}
	for _, t := range inputs {
		if !slices.Contains(want, t.Name) {
			return nil, fmt.Errorf("%w: the model has no input %q; it wants %s", tensor.ErrInput, t.Name, quoted(want))
		}
		if shapes[t.Name] != nil {
			return nil, fmt.Errorf("%w: input %q occurs twice", tensor.ErrInput, t.Name)
		}
		shapes[t.Name] = t.Shape
	}
	for _, name := range want {
		if shapes[name] == nil {
			return nil, fmt.Errorf("%w: no input %q; the model wants %s", tensor.ErrInput, name, quoted(want))
		}
	}
	return shapes, nil
}

// freeInputs lists the inputs that no initializer fixes.
func freeInputs(m *onnx.Model) []string {
	var names []string
	for _, in := range m.Graph.Inputs {
		fixed := slices.ContainsFunc(m.Graph.Initializers, func(t onnx.Tensor) bool { return t.Name == in.Name })
		if !fixed {
			names = append(names, in.Name)
		}
	}
	return names
}

func quoted(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(q, ", ")
}
