package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/weisyn/wes/gpu/worker"
	"github.com/weisyn/wes/prover/circuit"
	"github.com/weisyn/wes/prover/circuit/service"
)

// setupFlags are the flags of wes prove setup.
type setupFlags struct {
	system  systemFlags
	request circuit.SetupRequest
	limits  childLimits
	json    bool
}

// setupSources explains what a setup can be made from.
const setupSources = `there are three sources of random numbers:

  --srs FILE       from a ceremony with many contributors, of whom one honest is enough: a
                   snarkjs .ptau file (bn254, bls12-381), or for PLONK gnark's encoding of a
                   KZG SRS. It is checked by pairings. For PLONK that is all. Groth16 needs a
                   second phase for each circuit, which this machine contributes alone, so
                   whoever runs the setup could forge proofs: the package says so.
  --unsafe-setup   made on this machine. Whoever runs it could forge proofs: for tests, and for
                   circuits whose proofs only their owner has to believe. The package says so.
  --pk FILE --vk FILE
                   keys of a setup made elsewhere, in gnark's encoding. They are checked once:
                   subgroups, sizes, and for PLONK that they belong to the circuit.`

func newCircuitSetup() *cobra.Command {
	var f setupFlags
	c := &cobra.Command{
		Use:   "setup CIRCUIT.ccs --scheme SCHEME --curve CURVE --out DIR (--srs FILE | --unsafe-setup | --pk FILE --vk FILE)",
		Short: "Make a package of a circuit: its constraint system and keys",
		Long: `Make a package of a circuit: its constraint system and keys.

CIRCUIT.ccs is what gnark's ccs.WriteTo wrote, compiled with r1cs.NewBuilder for Groth16 and
with scs.NewBuilder for PLONK. DIR appears when it is complete, and is never changed.

A setup needs random numbers that nobody knows: who knows them can forge proofs. So
` + setupSources + `

The work is done in a process of its own, which is killed when it takes more than --memory
or --timeout allow.

` + exitHelp,
		Example: `  wes prove setup circuit.ccs --scheme plonk --curve bn254 --srs powersOfTau28_hez_final_16.ptau --out package
  wes prove setup circuit.ccs --scheme groth16 --curve bn254 --unsafe-setup --out package`,
		Args: arguments("CIRCUIT.ccs"),
		RunE: func(c *cobra.Command, args []string) error { return setup(c, args[0], &f) },
	}
	fs := c.Flags()
	f.system.flags(c, "", "")
	fs.StringVar(&f.request.Out, "out", "", "folder of the package, which must not exist or be empty")
	fs.StringVar(&f.request.SRS, "srs", "", "file of a ceremony: .ptau, or gnark's encoding for PLONK")
	fs.BoolVar(&f.request.Unsafe, "unsafe-setup", false, "take random numbers of this machine")
	fs.StringVar(&f.request.ProvingKey, "pk", "", "proving key to import")
	fs.StringVar(&f.request.VerifyingKey, "vk", "", "verifying key to import")
	f.limits.flags(c)
	fs.BoolVar(&f.json, "json", false, "print one JSON object")
	return c
}

func setup(c *cobra.Command, path string, f *setupFlags) (err error) {
	if f.request.Out == "" || f.system.scheme == "" || f.system.curve == "" {
		return fmt.Errorf("--scheme, --curve and --out are required; see %s --help", c.CommandPath())
	}
	if f.request.System, err = circuit.ParseSystem(f.system.scheme, f.system.curve); err != nil {
		return err
	}
	f.request.Circuit = path
	if err := f.request.Validate(); errors.Is(err, circuit.ErrNoSource) {
		return fmt.Errorf("%w: give --srs FILE, --unsafe-setup, or --pk FILE and --vk FILE", err)
	} else if err != nil {
		return err
	}
	for _, name := range []string{path, f.request.SRS, f.request.ProvingKey, f.request.VerifyingKey} {
		if err := readable(name); err != nil {
			return err
		}
	}
	progress := newBars(c.ErrOrStderr())
	var p *circuit.Package
	err = bounded(c.Context(), f.limits, func(ctx context.Context, o worker.Options) error {
		child, err := worker.Start(ctx, o)
		if err != nil {
			return err
		}
		defer child.Close()
		p, err = service.Setup(ctx, child, f.request, progress.stages())
		return err
	})
	progress.finish()
	if err != nil {
		return err
	}
	if f.json {
		return printJSON(c.OutOrStdout(), describePackage(p))
	}
	return printPackage(c.OutOrStdout(), p)
}

// packageJSON is the JSON of wes prove setup and inspect.
type packageJSON struct {
	Dir string `json:"dir"`
	*circuit.Manifest
	Warning string `json:"warning,omitempty"`
}

func describePackage(p *circuit.Package) packageJSON {
	return packageJSON{p.Dir, p.Manifest, p.Manifest.Origin.Warning()}
}

func printPackage(w io.Writer, p *circuit.Package) error {
	m := p.Manifest
	rows := [][]string{
		{"package", p.Dir},
		{"system", m.System().String() + ", gnark " + m.Gnark},
		{"circuit", fmt.Sprintf("%d constraints, %d public and %d secret values, %d commitments", m.Constraints, m.Public, m.Secret, m.Commitments)},
		{"setup", m.Origin.String()},
	}
	rows = append(rows, warning(m.Origin.Warning())...)
	if m.Proving != nil {
		rows = append(rows, []string{circuit.CircuitFile, size(m.Circuit.Size), m.Circuit.SHA256}, []string{circuit.ProvingFile, size(m.Proving.Size), m.Proving.SHA256})
	}
	return table(w, append(rows, []string{circuit.VerifyingFile, size(m.Verifying.Size), m.Verifying.SHA256}))
}

// warning is the row of a label that no output leaves out.
func warning(text string) [][]string {
	if text == "" {
		return nil
	}
	return [][]string{{"WARNING", text}}
}
