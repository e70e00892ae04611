package main

import (
	"context"

	"github.com/weisyn/wes/benchmarks"
	"github.com/weisyn/wes/gpu/msm"
	"github.com/weisyn/wes/gpu/msm/icicle"
	"github.com/weisyn/wes/gpu/msm/remote"
	"github.com/weisyn/wes/gpu/worker"
)

// benchEngines are the CPU and ICICLE. ICICLE's own CPU device is a test double, whose name
// in reports keeps it from being taken for a GPU.
func benchEngines(ctx context.Context) []benchmarks.Engine {
	cpu := benchmarks.Engine{Name: "cpu", Open: func(context.Context) (msm.Engine, error) { return msm.NewCPU(), nil }}
	if icicle.Distribution == "" {
		return []benchmarks.Engine{cpu, {Name: "icicle", Open: func(ctx context.Context) (msm.Engine, error) {
			return icicle.Open(ctx, icicle.Options{})
		}}}
	}
	return []benchmarks.Engine{cpu, {Name: icicleName(ctx), Open: func(context.Context) (msm.Engine, error) {
		return remote.New(icicleChild(), icicle.Distribution, msm.NewCPU()), nil
	}}}
}

func icicleChild() *worker.Supervisor {
	return worker.NewSupervisor(worker.Options{Env: icicleEnvironment()}, worker.Backoff{})
}

func icicleName(ctx context.Context) string {
	child := icicleChild()
	defer child.Close()
	for _, f := range icicle.ProbeChild(ctx, child, icicle.Options{}) {
		if f.Subject == icicle.SubjectCUDA && f.Status == icicle.Found {
			return icicle.Distribution + " on CUDA"
		}
	}
	return icicle.Distribution + " on its CPU device"
}
