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
	exitInvalid = 1 // a proof, a transaction or a ledger breaks a rule
	exitUsage   = 2 // the command line, or something it names, cannot be used
	exitFault   = 3 // this program or machine failed, no node answers, or it was interrupted
)

const exitHelp = `Exit codes:
  0  success
  1  the proof is invalid, a transaction is refused, or a ledger is damaged; the rule is named
  2  wrong usage, or a file, model, input, key or sum that cannot be used
  3  this program or machine failed, no node answers, or it was interrupted`

// ledgerGroup is the heading of the verbs that work with a ledger.
const ledgerGroup = "The ledger:"

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
	fmt.Fprintln(stderr, "wes:", errorText(err))
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
	return ledgerCode(err)
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
	return ledgerAdvice(err)
}

func newRoot() *cobra.Command {
	root := group("wes", "A node that sells verifiable computation, the ledger that pays for it, and the prover")
	root.Long = root.Short + `.

To begin with the ledger:   wes node --dev, and in another terminal wes wallet --help
To begin with proofs:       wes demo

` + exitHelp
	grouped(root, ledgerGroup, newNode(), newWallet(), newTx(), newChain(), newToken(), newSponsor(), newResource())
	grouped(root, "The market:", newJob(), newMarket())
	grouped(root, "Proofs:", newAI(), newCircuit(), newDemo())
	grouped(root, "This machine:", newDevices(), newBench(), newDeps(), newVersion())
	root.AddCommand(newWorker())
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w; see %s --help", err, c.CommandPath())
	})
	return root
}

// grouped adds commands under a heading.
func grouped(root *cobra.Command, heading string, all ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: heading, Title: heading})
	for _, c := range all {
		c.GroupID = heading
	}
	root.AddCommand(all...)
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
