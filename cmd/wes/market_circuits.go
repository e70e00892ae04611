package main

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/weisyn/wes/gpu/machine"
	"github.com/weisyn/wes/gpu/worker"
	"github.com/weisyn/wes/node/executor"
	"github.com/weisyn/wes/prover/circuit"
	"github.com/weisyn/wes/prover/circuit/service"
)

// circuits sets up and proves circuits of strangers in children, which a machine's dispatcher gives
// devices or the CPU.
type circuits struct {
	machine *machine.Machine
	setups  *worker.Supervisor
}

var _ executor.Circuits = (*circuits)(nil)

// newCircuits takes a machine, which stays its owner's. It must be closed.
func newCircuits(m *machine.Machine, o worker.Options) *circuits {
	return &circuits{m, worker.NewSupervisor(o, worker.Backoff{})}
}

// Close ends what runs.
func (c *circuits) Close() error { return c.setups.Close() }

// circuitOptions are those of children for circuits of strangers. gnark does not look at contexts: a
// job that is given up gets no time to end by itself.
func (p *workplace) circuitOptions() worker.Options {
	return worker.Options{Memory: int64(min(p.memory, 1<<62)), Grace: -1}
}

// openShelf is where circuits lie, nil where there is no place for them.
func (p *workplace) openShelf() (*executor.Shelf, error) {
	if p.dir == "" {
		return nil, nil
	}
	return executor.OpenShelf(filepath.Join(p.dir, "circuits"), 0)
}

// Setup implements executor.Circuits.
func (c *circuits) Setup(ctx context.Context, r circuit.SetupRequest, progress circuit.Progress) (*circuit.Package, error) {
	p, err := service.Setup(ctx, c.setups, r, progress)
	return p, ofCircuits(err)
}

// Prove implements executor.Circuits.
func (c *circuits) Prove(ctx context.Context, dir string, witness []byte, progress circuit.Progress) (*circuit.Result, error) {
	r, _, err := service.Prove(ctx, c.machine, service.ProveRequest{Dir: dir, Witness: witness, Progress: progress})
	return r, ofCircuits(err)
}

// ofCircuits gives failures of children the reasons that the market knows.
func ofCircuits(err error) error {
	var f *worker.Failure
	if !errors.As(err, &f) {
		return err
	}
	switch f.Reason {
	case service.ReasonUnsatisfied:
		return &executor.Failure{Reason: executor.Unsatisfied, Err: f.Err}
	case worker.ReasonInput:
		return &executor.Failure{Reason: executor.BadProgram, Err: f.Err}
	case worker.ReasonMemory:
		return &executor.Failure{Reason: executor.TooLarge, Err: f}
	}
	return err
}
