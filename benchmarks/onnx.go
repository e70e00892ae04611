package benchmarks

import (
	"context"
	"fmt"

	"github.com/weisyn/wes/benchmarks/architectures"
	"github.com/weisyn/wes/benchmarks/report"
	runtime "github.com/weisyn/wes/gpu/onnx"
)

// executedModels are what the suite onnx runs.
func executedModels(o *Options) []model {
	list := []model{shipped(o, "digits_mlp", "MLP 64-64-32-10", 1, 64), shipped(o, "lenet5_28", "LeNet-5, 28×28", 1, 1, 28, 28)}
	if o.Quick {
		return list
	}
	list = append(list, shipped(o, "resnet20_cifar", "ResNet-20, 32×32", 1, 3, 32, 32))
	for _, n := range architectures.Networks() {
		list = append(list, generated(o, n, ""))
	}
	return list
}

func onnxCases(o *Options) []Case {
	var cases []Case
	for _, provider := range []string{runtime.CPU, runtime.CUDA} {
		for _, m := range executedModels(o) {
			r := report.Result{Case: m.name, Title: m.title, Series: provider, Engine: provider}
			cases = append(cases, Case{result: r, open: func(ctx context.Context, r *report.Result) (*trial, error) {
				return openExecution(ctx, o, m, r)
			}})
		}
	}
	return cases
}

func (o *Options) openRuntime(ctx context.Context, provider string) (*runtime.Client, error) {
	if library, err := runtime.Locate(); err == nil && provider == runtime.CUDA {
		if path, err := runtime.CUDAProvider(library); err != nil {
			return nil, fmt.Errorf("%w on CUDA: no file %s: set %s to a GPU build of ONNX Runtime that has it", runtime.ErrUnavailable, path, runtime.LibraryVariable)
		}
	}
	c, err := runtime.Open(ctx, runtime.Options{Provider: provider, Command: o.Worker})
	if err != nil {
		return nil, err
	}
	o.runtime = c.Version()
	return c, nil
}

func openExecution(ctx context.Context, o *Options, m model, r *report.Result) (*trial, error) {
	data, err := m.onnx()
	if err != nil {
		return nil, err
	}
	s, err := openSession(ctx, o, r.Engine, data, m.input)
	if err != nil {
		return nil, err
	}
	r.Input = newDigest().bytes(data, randomTensor(o.Seed, m.input)).String()
	r.Parameters = map[string]int64{"macs": s.macs, "batch": int64(m.input[0])}
	once := []report.Reading{{Metric: "start", Unit: report.Seconds, Value: s.start}, {Metric: "load", Unit: report.Seconds, Value: s.load}}
	return &trial{run: s.run, close: s.close, once: once}, nil
}
