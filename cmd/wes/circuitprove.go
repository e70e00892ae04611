package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/weisyn/wes/prover/circuit"
	"github.com/weisyn/wes/prover/circuit/service"
	"github.com/weisyn/wes/prover/pipeline"
)

// circuitProveFlags are the flags of wes prove prove.
type circuitProveFlags struct {
	witness, out, device string
	solidity, json       bool
	limits               childLimits
}

func newCircuitProve() *cobra.Command {
	var f circuitProveFlags
	c := &cobra.Command{
		Use:   "prove DIR --witness FILE --out DIR",
		Short: "Prove that a witness satisfies a circuit",
		Long: `Prove that a witness satisfies a circuit.

DIR is a package of wes prove setup. The witness is gnark's binary encoding of a full witness,
or JSON:

  {"public": ["42", "0x2a"], "secret": ["7"]}

with the values in the order in which the circuit's fields have them. --out gets ` + circuitProofFile + `,
gnark's encoding of the proof, and ` + circuitPublicFile + `, the public values; the proof is verified before
that. Zero knowledge holds towards who sees the proof, if the keys are honest: do not prove
secrets with packages of people you would not tell them.

Contracts that wes prove export --solidity writes hash the commitments in Groth16 proofs in
their own way: such proofs are made and verified with --solidity.

` + exitHelp,
		Example: "  wes prove prove package --witness witness.json --out proof",
		Args:    arguments("DIR"),
		RunE:    func(c *cobra.Command, args []string) error { return proveCircuit(c, args[0], &f) },
	}
	fs := c.Flags()
	fs.StringVar(&f.witness, "witness", "", "full witness: gnark's binary encoding or JSON")
	fs.StringVar(&f.out, "out", "", "folder for the proof, made if missing")
	fs.StringVar(&f.device, "device", service.DeviceCPU, "what proves: "+service.DeviceCPU+", or "+service.DeviceICICLE+" (Groth16 only)")
	fs.BoolVar(&f.solidity, "solidity", false, "make a proof for the Solidity contract")
	f.limits.flags(c)
	fs.BoolVar(&f.json, "json", false, "print one JSON object")
	return c
}

func proveCircuit(c *cobra.Command, dir string, f *circuitProveFlags) error {
	if f.witness == "" || f.out == "" {
		return fmt.Errorf("--witness and --out are required; see %s --help", c.CommandPath())
	}
	witness, err := readFile(f.witness)
	if err != nil {
		return err
	}
	if err := pipeline.MakeDir(f.out); err != nil {
		return fmt.Errorf("--out: %w", plain(err, f.out))
	}
	progress := newBars(c.ErrOrStderr())
	var result *circuit.Result
	err = inChild(c.Context(), f.limits, func(ctx context.Context, r service.Runner) (err error) {
		result, err = service.Prove(ctx, r, service.ProveRequest{
			Dir: dir, Witness: witness, Target: target(f.solidity), Device: f.device, Progress: progress.stages(),
		})
		return err
	})
	progress.finish()
	if err != nil {
		return err
	}
	return f.write(c, result)
}

func (f *circuitProveFlags) write(c *cobra.Command, r *circuit.Result) error {
	err := pipeline.WriteFiles(f.out, []pipeline.File{
		{Name: circuitProofFile, Data: r.Proof}, {Name: circuitPublicFile, Data: r.Public.EncodeJSON()},
	})
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	if f.json {
		return printJSON(c.OutOrStdout(), r.Report)
	}
	rows := [][]string{
		{"load", seconds(r.Report.LoadS), "package and witness"},
		{"prove", seconds(r.Report.ProveS), r.Report.String()},
		{"verify", seconds(r.Report.VerifyS), "valid"},
		{"proof", size(int64(len(r.Proof))), filepath.Join(f.out, circuitProofFile)},
		{"public", fmt.Sprint(r.Public.Public), "values in " + filepath.Join(f.out, circuitPublicFile)},
		{"setup", r.Report.Origin.String()},
	}
	return table(c.OutOrStdout(), append(rows, warning(r.Report.Warning)...))
}
