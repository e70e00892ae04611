package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/weisyn/wes/gpu/groth16"
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

The work is done in processes of its own, which are killed when they take more than --memory or
--timeout allow. With --device auto a Groth16 proof is made on a GPU if this program has ICICLE
and ` + "`wes devices`" + ` finds one that it can use, and no other process has it; else on the CPU.
Work that a device fails at is done by the CPU, and the report says so. PLONK is proved by
the CPU.

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
	fs.StringVar(&f.device, "device", deviceAuto, "what proves: auto (a GPU, where this program has ICICLE and it works), cpu or icicle (Groth16 only)")
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
	look, err := f.wantsDevice(dir)
	if err != nil {
		return err
	}
	if err := pipeline.MakeDir(f.out); err != nil {
		return fmt.Errorf("--out: %w", plain(err, f.out))
	}
	progress := newBars(c.ErrOrStderr())
	job := circuitJob{look: look, must: f.device == deviceICICLE}
	job.request = service.ProveRequest{Dir: dir, Witness: witness, Target: target(f.solidity), CPUOnly: !look, Progress: progress.stages()}
	err = bounded(c.Context(), f.limits, job.run)
	progress.finish()
	if err != nil {
		return err
	}
	return f.write(c, job.result, job.places)
}

// wantsDevice says whether a device is to be looked for to prove with a package.
func (f *circuitProveFlags) wantsDevice(dir string) (bool, error) {
	var unlinked error
	if !groth16.Linked {
		_, unlinked = groth16.Open()
	}
	look, err := wantsDevice(f.device, unlinked)
	if err != nil || !look {
		return false, err
	}
	p, err := circuit.Open(dir)
	if err != nil {
		return false, err
	}
	if err := p.CanProve(); err != nil {
		return false, err
	}
	if p.Manifest.DeviceMemory() > 0 {
		return true, nil
	}
	if f.device == deviceICICLE {
		return false, fmt.Errorf("--device %s: %s is proved by the CPU: use --device %s or %s", f.device, p.Manifest.Scheme, deviceAuto, deviceCPU)
	}
	return false, nil
}

func (f *circuitProveFlags) write(c *cobra.Command, r *circuit.Result, p circuitPlaces) error {
	err := pipeline.WriteFiles(f.out, []pipeline.File{
		{Name: circuitProofFile, Data: r.Proof}, {Name: circuitPublicFile, Data: r.Public.EncodeJSON()},
	})
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	if f.json {
		return printJSON(c.OutOrStdout(), circuitReport{r.Report, p})
	}
	rows := [][]string{
		{"load", seconds(r.Report.LoadS), "package and witness"},
		{"prove", seconds(r.Report.ProveS), r.Report.String()},
	}
	rows = append(append(rows, p.rows()...), [][]string{
		{"verify", seconds(r.Report.VerifyS), "valid"},
		{"proof", size(int64(len(r.Proof))), filepath.Join(f.out, circuitProofFile)},
		{"public", fmt.Sprint(r.Public.Public), "values in " + filepath.Join(f.out, circuitPublicFile)},
		{"setup", r.Report.Origin.String()},
	}...)
	return table(c.OutOrStdout(), append(rows, warning(r.Report.Warning)...))
}
