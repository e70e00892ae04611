package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/weisyn/wes/gpu/onnx"
	"github.com/weisyn/wes/prover/circuit"
	"github.com/weisyn/wes/prover/model/float"
	"github.com/weisyn/wes/prover/model/tensor"
	"github.com/weisyn/wes/prover/pipeline"
	"github.com/weisyn/wes/prover/verify"
)

// The exit codes, 0 being success.
const (
	exitInvalid = 1 // a proof was rejected
	exitUsage   = 2 // the command line, a file, a model or an input cannot be used
	exitFault   = 3 // this program or machine failed, or was interrupted
)

const exitHelp = `Exit codes:
  0  success
  1  the proof is invalid; the failed check is named
  2  wrong usage, or a file, model or input that cannot be used
  3  this program or machine failed, or was interrupted`

func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	fmt.Fprintln(stderr, "wes:", err)
	if next := nextStep(err); next != "" {
		fmt.Fprintln(stderr, "wes: "+next)
	}
	if ctx.Err() != nil {
		return exitFault
	}
	return exitCode(err)
}

func exitCode(err error) int {
	var fault *pipeline.Fault
	var inference *verify.Rejection
	var proof *circuit.Rejection
	switch {
	case errors.As(err, &fault):
		return exitFault
	case errors.As(err, &inference), errors.As(err, &proof):
		return exitInvalid
	}
	return exitUsage
}

// nextStep is advice for errors that do not carry their own.
func nextStep(err error) string {
	var unsupported *float.UnsupportedError
	var fault *pipeline.Fault
	switch {
	case errors.As(err, &fault):
		return ""
	case errors.As(err, &unsupported):
		return "the model must be rewritten without these parts before it can be proved"
	case errors.Is(err, tensor.ErrRange):
		return "calibrate on samples that cover the input: --calibrate"
	case errors.Is(err, circuit.ErrNoSource):
		return setupSources
	case errors.Is(err, onnx.ErrUnavailable):
		return "without it, --engine auto and --engine interpreter give the same results"
	}
	return ""
}

func newRoot() *cobra.Command {
	root := group("wes", "Prove inferences of ONNX models and gnark circuits, and verify such proofs",
		newAI(), newBench(), newCircuit(), newDemo(), newDeps(), newDevices(), newWorker(), newVersion())
	root.Long = root.Short + ".\n\n" + exitHelp
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w; see %s --help", err, c.CommandPath())
	})
	return root
}

// arguments is cobra.ExactArgs with an error that names what is missing.
func arguments(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return fmt.Errorf("missing argument %s; see %s --help", names[len(args)], c.CommandPath())
		case len(args) > len(names):
			return fmt.Errorf("unexpected argument %q; see %s --help", args[len(names)], c.CommandPath())
		}
		return nil
	}
}

// optional is arguments for a command that can do without its only argument.
func optional(c *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fmt.Errorf("unexpected argument %q; see %s --help", args[1], c.CommandPath())
	}
	return nil
}

// group is a command that only has subcommands.
func group(use, short string, sub ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: cobra.ArbitraryArgs}
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return fmt.Errorf("unknown command %q; see %s --help", args[0], c.CommandPath())
		}
		return c.Help()
	}
	c.AddCommand(sub...)
	return c
}
