package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/weisyn/wes/prover/circuit"
	"github.com/weisyn/wes/prover/pipeline"
)

// exportFlags are the flags of wes prove export.
type exportFlags struct {
	solidity, calldata, verifier bool
	out                          string
	circuitVerifyFlags
}

func newCircuitExport() *cobra.Command {
	var f exportFlags
	c := &cobra.Command{
		Use:   "export DIR (--solidity | --calldata --proof FILE --public FILE | --verifier) --out FILE",
		Short: "Write what others need: a Solidity contract, its arguments, a verifier's package",
		Long: `Write what others need.

  --solidity   the source of a contract that verifies proofs, for bn254 and bls12-381. It is
               gnark's; it has no owner and no setting. Groth16 proofs with commitments must
               be made with wes prove prove --solidity.
  --calldata   a proof and its public values as the contract takes them: JSON with "proof"
               and "inputs" in hex, for verifyProof (Groth16) or Verify (PLONK). The proof is
               verified first.
  --verifier   a package without constraint system and proving key, enough to verify. It keeps
               what is to be said of the setup.

` + exitHelp,
		Example: `  wes prove export package --solidity --out Verifier.sol
  wes prove export package --calldata --proof proof/proof.bin --public proof/public.json --out call.json
  wes prove export package --verifier --out verifier`,
		Args: arguments("DIR"),
		RunE: func(c *cobra.Command, args []string) error { return export(c, args[0], &f) },
	}
	fs := c.Flags()
	fs.BoolVar(&f.solidity, "solidity", false, "write a contract")
	fs.BoolVar(&f.calldata, "calldata", false, "write a contract's arguments")
	fs.BoolVar(&f.verifier, "verifier", false, "write a verifier's package")
	f.circuitVerifyFlags.flags(c)
	fs.StringVar(&f.out, "out", "", "file to write, or folder for a package")
	return c
}

func export(c *cobra.Command, dir string, f *exportFlags) error {
	chosen := 0
	for _, b := range []bool{f.solidity, f.calldata, f.verifier} {
		if b {
			chosen++
		}
	}
	if chosen != 1 || f.out == "" {
		return fmt.Errorf("one of --solidity, --calldata and --verifier, and --out are required; see %s --help", c.CommandPath())
	}
	p, err := circuit.Open(dir)
	if err != nil {
		return err
	}
	if f.verifier {
		v, err := p.WriteVerifier(f.out)
		if err != nil {
			return err
		}
		return printPackage(c.OutOrStdout(), v)
	}
	text, err := f.text(p)
	if err != nil {
		return err
	}
	if err := pipeline.WriteFile(f.out, text); err != nil {
		return fmt.Errorf("--out: %w", plain(err, f.out))
	}
	rows := [][]string{{"wrote", f.out}, {"setup", p.Manifest.Origin.String()}}
	return table(c.OutOrStdout(), append(rows, warning(p.Manifest.Origin.Warning())...))
}

func (f *exportFlags) text(p *circuit.Package) ([]byte, error) {
	k, err := p.VerifyingKey()
	if err != nil {
		return nil, err
	}
	if f.calldata {
		return f.call(k)
	}
	var b bytes.Buffer
	if warning := p.Manifest.Origin.Warning(); warning != "" {
		fmt.Fprintf(&b, "// WARNING: %s.\n", warning)
	}
	err = k.Solidity(&b)
	return b.Bytes(), err
}

func (f *exportFlags) call(k *circuit.VerifyingKey) ([]byte, error) {
	if f.proof == "" || f.public == "" {
		return nil, errors.New("--calldata needs --proof and --public")
	}
	public, proof, err := f.read(k)
	if err != nil {
		return nil, err
	}
	call, err := k.Call(public, proof)
	if err != nil {
		return nil, err
	}
	b, err := json.MarshalIndent(call, "", "  ")
	return append(b, '\n'), err
}
