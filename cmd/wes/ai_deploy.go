package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node/proofs"
	"github.com/weisyn/wes/prover/pipeline"
)

// deployFlags are what a model is deployed with, beside those of wes ai prove.
type deployFlags struct {
	proveFlags
	deployment
	description string
}

func newDeploy() *cobra.Command {
	var f deployFlags
	c := &cobra.Command{
		Use:   "deploy MODEL.onnx --name NAME --input FILE",
		Short: "Announce a model on the ledger, so that operators can run it",
		Long: `Announce a model on the ledger, so that operators can run it and every node can check the proofs.

The model is lowered to integers, as wes ai prove does, with the shapes of --input and the ranges
of --calibrate. Weights and graph go to the node, from which operators fetch them; the verifying
key goes to the ledger. They are public. --price is what every job pays you, beside its operator.`,
		Example: "  wes ai deploy digits.onnx --name digits --input digits.json --calibrate samples.npy --price 0.001 --wait",
		Args:    arguments("MODEL.onnx"),
		RunE:    func(c *cobra.Command, args []string) error { return f.run(c, args[0]) },
	}
	f.deployment.bind(c, "model")
	fs := c.Flags()
	fs.StringVar(&f.description, "description", "", "what it does; travels with the model")
	f.bindModel(fs)
	f.engine = string(pipeline.EngineInterpreter) // nothing is executed
	return c
}

// program prepares the model.
func (f *deployFlags) program(c *cobra.Command, path string) (*pipeline.Program, error) {
	if f.name == "" || f.input == "" {
		return nil, fmt.Errorf("--name and --input are required; see %s --help", c.CommandPath())
	}
	source, _, err := f.read(path)
	if err != nil {
		return nil, err
	}
	b := newBars(c.ErrOrStderr())
	defer b.finish()
	line := pipeline.Line{Cache: userCache(), Progress: b.progress()}
	p, err := line.Prepare(c.Context(), source)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, p.Describe(f.name, f.description)
}

func (f *deployFlags) run(c *cobra.Command, path string) error {
	p, err := f.program(c, path)
	if err != nil {
		return err
	}
	pkg := pipeline.EncodePackage(p)
	return f.announce(c, &parcel{
		kind: chain.ResourceModel, from: path, size: int64(len(pkg)), key: proofs.EncodeModel(p.Model),
		write: func(w io.Writer) error {
			_, err := w.Write(pkg)
			return err
		},
	})
}
