package benchmarks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weisyn/wes/benchmarks/report"
	runtime "github.com/weisyn/wes/gpu/onnx"
	"github.com/weisyn/wes/prover/model/float"
	"github.com/weisyn/wes/prover/model/onnx"
)

// session is a float model loaded in ONNX Runtime, in a child process of its own.
type session struct {
	metric  string
	client  *runtime.Client
	session *runtime.Session
	input   []byte // cells
	macs    int64
	start   float64 // seconds until the child passed its self-test
	load    float64 // seconds
	repeat  int     // calls in one run
}

// openFloat is the session that proofs are compared with, nil where ONNX Runtime is not
// installed.
func openFloat(ctx context.Context, o *Options, data []byte, input []int) (*session, error) {
	s, err := openSession(ctx, o, runtime.CPU, data, input)
	if errors.Is(err, runtime.ErrUnavailable) {
		return nil, nil
	}
	if err == nil {
		s.metric = "float_inference"
	}
	return s, err
}

func openSession(ctx context.Context, o *Options, provider string, data []byte, input []int) (_ *session, err error) {
	m, err := onnx.Parse(data, onnx.Limits{})
	if err != nil {
		return nil, err
	}
	g, err := float.Import(m, float.Options{Batch: input[0]})
	if err != nil {
		return nil, err
	}
	s := &session{metric: "inference", macs: g.MACs(), input: cells(randomTensor(o.Seed, input), input)}
	begin := time.Now()
	if s.client, err = o.openRuntime(ctx, provider); err != nil {
		return nil, err
	}
	s.start = time.Since(begin).Seconds()
	defer func() {
		if err != nil {
			err = errors.Join(err, s.client.Close())
		}
	}()
	begin = time.Now()
	out := m.Graph.Outputs[0]
	s.session, err = s.client.Load(ctx, data, []runtime.Value{{Name: m.Graph.Inputs[0].Name, Shape: input}}, []runtime.Value{{Name: out.Name, Shape: known(out.Dims, input[0])}})
	if err != nil {
		return nil, fmt.Errorf("float model: %w", err)
	}
	s.load = time.Since(begin).Seconds()
	return s, s.warm(ctx, o.shortest)
}

// warm runs twice, the second time to decide how many calls a run makes.
func (s *session) warm(ctx context.Context, shortest time.Duration) error {
	if err := s.execute(ctx); err != nil {
		return err
	}
	seconds, err := repeated(ctx, 1, s.execute)
	s.repeat = repeats(seconds, shortest)
	return err
}

func (s *session) execute(ctx context.Context) error {
	_, err := s.session.Run(ctx, [][]byte{s.input})
	return err
}

func (s *session) run(ctx context.Context, _ int) ([]report.Reading, error) {
	seconds, err := repeated(ctx, s.repeat, s.execute)
	return []report.Reading{{Metric: s.metric, Unit: report.Seconds, Value: seconds}}, err
}

func (s *session) close() error { return s.client.Close() }

// known is a declared shape with its symbolic dimensions set to the batch.
func known(dims []onnx.Dim, batch int) []int {
	shape := make([]int, len(dims))
	for i, d := range dims {
		shape[i] = batch
		if d.Known {
			shape[i] = int(d.Value)
		}
	}
	return shape
}
