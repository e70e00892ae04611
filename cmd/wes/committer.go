package main

import (
	"context"
	"fmt"
	"os"

	"github.com/weisyn/wes/gpu/msm"
	"github.com/weisyn/wes/gpu/msm/icicle"
	"github.com/weisyn/wes/gpu/msm/remote"
	"github.com/weisyn/wes/gpu/worker"
	"github.com/weisyn/wes/prover"
	"github.com/weisyn/wes/prover/pipeline"
)

var _ prover.Committer = (*msm.Committer)(nil)

// Where commitments are made.
const (
	deviceAuto   = "auto"   // a GPU that works, else the CPU
	deviceCPU    = "cpu"    // this process
	deviceICICLE = "icicle" // ICICLE in a child, on whatever device it has
)

// openCommitter returns nil for the CPU of this process. It must be closed.
func openCommitter(ctx context.Context, device string) (*msm.Committer, error) {
	switch device {
	case deviceCPU:
		return nil, nil
	case deviceAuto:
		if icicle.Distribution == "" {
			return nil, nil
		}
	case deviceICICLE:
		if icicle.Distribution == "" {
			_, err := icicle.Open(ctx, icicle.Options{})
			return nil, fmt.Errorf("--device %s: %w", device, err)
		}
	default:
		return nil, fmt.Errorf("--device %q is unknown: it is %s, %s or %s", device, deviceAuto, deviceCPU, deviceICICLE)
	}
	return probeCommitter(ctx, device)
}

// probeCommitter asks a child what it has, and keeps it if that serves.
func probeCommitter(ctx context.Context, device string) (*msm.Committer, error) {
	child := worker.NewSupervisor(worker.Options{Env: icicleEnvironment()}, worker.Backoff{})
	findings := icicle.ProbeChild(ctx, child, icicle.Options{})
	last := findings[len(findings)-1]
	switch {
	case last.Status != icicle.Found && device == deviceICICLE:
		child.Close()
		return nil, &pipeline.Fault{Stage: prover.StageCommit, Err: fmt.Errorf("--device %s: %s: %s", device, last.Subject, last.Why)}
	case last.Subject != icicle.SubjectCUDA && device == deviceAuto:
		return nil, child.Close()
	}
	return msm.NewCommitter(remote.New(child, icicle.Distribution, msm.NewCPU())), nil
}

// icicleEnvironment is what of this process's environment ICICLE reads.
func icicleEnvironment() (env []string) {
	for _, name := range []string{"ICICLE_BACKEND_INSTALL_DIR", "ICICLE_LICENSE"} {
		if value, set := os.LookupEnv(name); set {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// openEngine makes the engine of a name in a child.
func openEngine(ctx context.Context, name string) (msm.Engine, error) {
	if name != icicle.Distribution {
		return nil, fmt.Errorf("%w: this program has no engine %q", msm.ErrUnavailable, name)
	}
	return icicle.Open(ctx, icicle.Options{})
}
