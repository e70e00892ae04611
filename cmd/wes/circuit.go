package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/weisyn/wes/gpu/groth16"
	"github.com/weisyn/wes/gpu/worker"
	"github.com/weisyn/wes/prover/circuit"
	"github.com/weisyn/wes/prover/circuit/service"
	"github.com/weisyn/wes/prover/pipeline"
)

var _ circuit.Accelerator = (*groth16.Device)(nil)

// The names of the files that proving a circuit writes.
const (
	circuitProofFile  = "proof.bin"
	circuitPublicFile = "public.json"
)

func newCircuit() *cobra.Command {
	c := group("prove", "Prove and verify gnark circuits: Groth16 and PLONK",
		newCircuitExample(), newCircuitSetup(), newCircuitProve(), newCircuitVerify(), newCircuitInspect(), newCircuitExport(),
		newCircuitDeploy(), newCircuitSubmit())
	c.Long = c.Short + `.

A circuit is compiled with gnark (github.com/consensys/gnark) and written with the constraint
system's WriteTo. A setup makes a package of it, a folder with the keys; with the package
witnesses are proved and proofs verified. Proofs are gnark's own: what is proved here,
gnark verifies, and the reverse.

Four commands to try it:

  wes prove example --out try
  wes prove setup try/circuit.ccs --scheme groth16 --curve bn254 --unsafe-setup --out try/package
  wes prove prove try/package --witness try/witness.json --out try/proof
  wes prove verify try/package --proof try/proof/proof.bin --public try/proof/public.json

` + exitHelp
	return c
}

// circuitService is the child's part.
func circuitService() *service.Service {
	return service.New(0, func() (circuit.Accelerator, error) {
		d, err := groth16.Open()
		if err != nil {
			return nil, err
		}
		return d, nil
	})
}

// childLimits are what work in a child may use.
type childLimits struct {
	memory  float64 // GiB; 0: no limit
	timeout time.Duration
}

func (l *childLimits) flags(c *cobra.Command) {
	fs := c.Flags()
	fs.Float64Var(&l.memory, "memory", memoryBudget(), "GiB of memory that the work may take; 0: no limit")
	fs.DurationVar(&l.timeout, "timeout", 0, "time that the work may take, for example 10m; 0: no limit")
}

// bounded has work done in children that may have to be killed. They get the options.
func bounded(ctx context.Context, l childLimits, work func(context.Context, worker.Options) error) error {
	if l.memory < 0 || l.timeout < 0 {
		return errors.New("--memory and --timeout are 0 or more")
	}
	if l.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.timeout)
		defer cancel()
	}
	// gnark does not look at contexts: a cancelled job gets no time to end by itself.
	return explained(work(ctx, worker.Options{Memory: int64(l.memory * (1 << 30)), Grace: -1}))
}

// explained says what became of a job in the words of this program. A deadline has the same
// ones whatever it ended, a job or the start of its process.
func explained(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return &pipeline.Fault{Stage: "work", Err: fmt.Errorf("%s: %w; raise --timeout", worker.ReasonDeadline, context.DeadlineExceeded)}
	}
	var f *worker.Failure
	if !errors.As(err, &f) {
		return err
	}
	switch f.Reason {
	case worker.ReasonInput:
		return f.Err
	case service.ReasonUnsatisfied:
		return fmt.Errorf("the witness does not satisfy the circuit: %w", f.Err)
	case worker.ReasonMemory:
		return &pipeline.Fault{Stage: "work", Err: fmt.Errorf("%w; raise --memory, or take a machine with more", f)}
	}
	return &pipeline.Fault{Stage: "work", Err: f}
}

// stages draws the stages of work on circuits.
func (b *bars) stages() circuit.Progress {
	if b == nil {
		return nil
	}
	return func(stage string) { b.update(stage, 0, 1) }
}

// systemFlags name a proof system.
type systemFlags struct{ scheme, curve string }

func (f *systemFlags) flags(c *cobra.Command, scheme, curve string) {
	fs := c.Flags()
	fs.StringVar(&f.scheme, "scheme", scheme, "groth16 or plonk")
	fs.StringVar(&f.curve, "curve", curve, "bn254, bls12-381, bls12-377 or bw6-761")
}

// target is whom a proof is for.
func target(solidity bool) circuit.Target {
	if solidity {
		return circuit.TargetSolidity
	}
	return circuit.TargetGnark
}
