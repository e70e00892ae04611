package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/weisyn/wes/gpu"
	"github.com/weisyn/wes/gpu/dispatch"
	"github.com/weisyn/wes/gpu/machine"
	"github.com/weisyn/wes/gpu/msm"
	"github.com/weisyn/wes/gpu/msm/icicle"
	"github.com/weisyn/wes/gpu/msm/remote"
	"github.com/weisyn/wes/gpu/worker"
	"github.com/weisyn/wes/prover"
	"github.com/weisyn/wes/prover/pipeline"
)

// committer makes commitments by ICICLE in a child, on a device that is reserved for it.
type committer struct {
	*msm.Committer
	machine *machine.Machine
	lease   *gpu.Lease // nil: ICICLE's CPU device
}

var _ prover.Committer = (*committer)(nil)

// committerMemory bounds from above what ICICLE takes of a device for commitments, in bytes:
// CUDA's context, 2^22 scalars at a time with their digits (package icicle), and generators.
const committerMemory = 2 << 30

// openCommitter returns nil for the CPU of this process. It must be closed. Other work of its machine
// is done by children with options o.
func openCommitter(ctx context.Context, device string, o worker.Options) (*committer, error) {
	look, err := wantsDevice(device, icicleUnlinked(ctx))
	if err != nil || !look {
		return nil, err
	}
	m, err := openMachine(ctx, true, o)
	if err != nil {
		return nil, &pipeline.Fault{Stage: prover.StageCommit, Err: err}
	}
	c, err := newCommitter(ctx, m, device)
	if c == nil {
		err = errors.Join(err, m.Close())
	}
	if err != nil {
		return nil, &pipeline.Fault{Stage: prover.StageCommit, Err: err}
	}
	return c, nil
}

// icicleUnlinked is the error of a build without ICICLE.
func icicleUnlinked(ctx context.Context) error {
	if icicle.Distribution != "" {
		return nil
	}
	_, err := icicle.Open(ctx, icicle.Options{})
	return err
}

// newCommitter reserves a device of m, which it then owns. Where there is none it returns nil,
// or an error if ICICLE was asked for and has no CPU device either.
func newCommitter(ctx context.Context, m *machine.Machine, device string) (*committer, error) {
	c, place := &committer{machine: m}, dispatch.CPU
	var err error
	switch c.lease, err = m.Acquire(ctx, committerMemory); {
	case err == nil:
		place = c.lease.Device().UUID
	case ctx.Err() != nil:
		return nil, err
	case device == deviceAuto:
		return nil, nil
	case !slices.ContainsFunc(m.Findings(), foundCPU):
		return nil, without(m, err)
	}
	child := worker.NewSupervisor(worker.Options{Env: append(icicleEnvironment(), dispatch.Visible(place)...)}, worker.Backoff{})
	c.Committer = msm.NewCommitter(remote.New(child, icicle.Distribution, msm.NewCPU()))
	return c, nil
}

func foundCPU(f gpu.Finding) bool { return f.Subject == icicle.SubjectCPU && f.Status == gpu.Found }

// without is the error of --device icicle where there is no device to have.
func without(m *machine.Machine, err error) error {
	if why := m.WithoutDevice(); why != nil {
		err = why
	}
	return fmt.Errorf("--device %s: %w", deviceICICLE, err)
}

// Close ends the child before it gives the device back.
func (c *committer) Close() error {
	err := c.Committer.Close()
	if c.lease != nil {
		c.lease.Release()
	}
	return errors.Join(err, c.machine.Close())
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
