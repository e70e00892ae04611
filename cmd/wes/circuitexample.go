package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/weisyn/wes/prover/circuit"
	"github.com/weisyn/wes/prover/circuit/example"
	"github.com/weisyn/wes/prover/pipeline"
)

// exampleFlags are the flags of wes prove example.
type exampleFlags struct {
	system systemFlags
	out    string
	rows   int
	seed   uint64
}

const (
	exampleCircuit = "circuit.ccs"
	exampleWitness = "witness.json"
)

func newCircuitExample() *cobra.Command {
	var f exampleFlags
	c := &cobra.Command{
		Use:   "example --out DIR",
		Short: "Write a circuit of any size and a witness, to try things out",
		Long: `Write a circuit of any size and a witness, to try things out.

The prover knows where a chain of MiMC hashes starts, the verifier where it ends. DIR gets
` + exampleCircuit + ` and ` + exampleWitness + `. The circuit has exactly as many constraints as asked for;
for PLONK the public input counts as one.`,
		Example: "  wes prove example --out try --constraints 65536 --scheme plonk",
		Args:    arguments(),
		RunE:    func(c *cobra.Command, _ []string) error { return makeExample(c, &f) },
	}
	fs := c.Flags()
	f.system.flags(c, "groth16", "bn254")
	fs.StringVar(&f.out, "out", "", "folder for the files, made if missing")
	fs.IntVar(&f.rows, "constraints", 1024, "size of the circuit")
	fs.Uint64Var(&f.seed, "seed", 1, "what the witness is made of")
	return c
}

func makeExample(c *cobra.Command, f *exampleFlags) error {
	if f.out == "" {
		return fmt.Errorf("--out is required; see %s --help", c.CommandPath())
	}
	s, err := circuit.ParseSystem(f.system.scheme, f.system.curve)
	if err != nil {
		return err
	}
	e, err := example.New(s, f.rows, f.seed)
	if err != nil {
		return fmt.Errorf("--constraints: %w", err)
	}
	w, err := circuit.DecodeWitness(s.Curve, e.Witness)
	if err != nil {
		return err
	}
	if err := pipeline.MakeDir(f.out); err != nil {
		return fmt.Errorf("--out: %w", plain(err, f.out))
	}
	files := []pipeline.File{{Name: exampleCircuit, Data: e.Circuit}, {Name: exampleWitness, Data: w.EncodeJSON()}}
	if err := pipeline.WriteFiles(f.out, files); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	in := func(name string) string { return filepath.Join(f.out, name) }
	_, err = fmt.Fprintf(c.OutOrStdout(), `%s: a chain of %d MiMC hashes, %d constraints, for %v
%s: a witness

Next:
  wes prove setup %s --scheme %s --curve %s --unsafe-setup --out %s
  wes prove prove %s --witness %s --out %s
  wes prove verify %s --proof %s --public %s
`, in(exampleCircuit), e.Links, f.rows, s, in(exampleWitness),
		in(exampleCircuit), s.SchemeName(), s.CurveName(), in("package"),
		in("package"), in(exampleWitness), in("proof"),
		in("package"), in("proof/"+circuitProofFile), in("proof/"+circuitPublicFile))
	return err
}
