package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/weisyn/wes/prover/circuit"
)

// circuitVerifyFlags are the flags of wes prove verify and of the calldata export.
type circuitVerifyFlags struct {
	proof, public, vk string
	system            systemFlags
	solidity, json    bool
}

// circuitVerdict is the JSON of wes prove verify.
type circuitVerdict struct {
	Valid      bool            `json:"valid"`
	Check      circuit.Check   `json:"check,omitempty"` // that failed
	Error      string          `json:"error,omitempty"`
	Scheme     string          `json:"scheme"`
	Curve      string          `json:"curve"`
	Origin     *circuit.Origin `json:"setup,omitempty"`
	Warning    string          `json:"warning,omitempty"`
	VerifyS    float64         `json:"verify_s"`
	ProofBytes int             `json:"proof_bytes"`
}

func newCircuitVerify() *cobra.Command {
	var f circuitVerifyFlags
	c := &cobra.Command{
		Use:   "verify (DIR | --vk FILE --scheme SCHEME --curve CURVE) --proof FILE --public FILE",
		Short: "Check a proof",
		Long: `Check a proof.

DIR is a package, of which only the verifying key is used; wes prove export --verifier makes a
small one for those who verify. Instead, --vk names a bare key in gnark's encoding. The key
is trusted: it says which circuit is proved. The proof is in the encoding of gnark's WriteTo.
The public values are gnark's binary encoding of a public witness, or JSON:
{"public": ["42"]}.

` + exitHelp,
		Example: "  wes prove verify package --proof proof/proof.bin --public proof/public.json",
		Args:    optional,
		RunE:    func(c *cobra.Command, args []string) error { return verifyCircuit(c, args, &f) },
	}
	fs := c.Flags()
	f.flags(c)
	fs.StringVar(&f.vk, "vk", "", "verifying key, instead of a package")
	f.system.flags(c, "", "")
	fs.BoolVar(&f.solidity, "solidity", false, "the proof was made for the Solidity contract")
	fs.BoolVar(&f.json, "json", false, "print one JSON object")
	return c
}

func (f *circuitVerifyFlags) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.proof, "proof", "", "proof: gnark's encoding")
	c.Flags().StringVar(&f.public, "public", "", "public values: gnark's binary encoding or JSON")
}

func verifyCircuit(c *cobra.Command, args []string, f *circuitVerifyFlags) error {
	if f.proof == "" || f.public == "" || (len(args) == 0) == (f.vk == "") {
		return fmt.Errorf("a package or --vk, and --proof and --public are required; see %s --help", c.CommandPath())
	}
	key, origin, err := f.key(args)
	if err != nil {
		return err
	}
	public, proof, err := f.read(key)
	if err != nil {
		return err
	}
	start := time.Now()
	err = key.Verify(public, proof, target(f.solidity))
	v := circuitVerdict{
		Valid: err == nil, Scheme: key.SchemeName(), Curve: key.CurveName(), Origin: origin, Warning: bareKey,
		VerifyS: time.Since(start).Seconds(), ProofBytes: len(proof),
	}
	if origin != nil {
		v.Warning = origin.Warning()
	}
	return f.print(c, v, err)
}

// bareKey is the warning about a key without a package.
const bareKey = "nothing is known about the setup of a bare key: whoever made it may be able to forge proofs"

func (f *circuitVerifyFlags) print(c *cobra.Command, v circuitVerdict, err error) error {
	var rejection *circuit.Rejection
	switch {
	case errors.As(err, &rejection) && f.json:
		v.Check, v.Error = rejection.Check, rejection.Cause.Error()
		return errors.Join(err, printJSON(c.OutOrStdout(), v))
	case err != nil:
		return err
	case f.json:
		return printJSON(c.OutOrStdout(), v)
	}
	setup := "unknown"
	if v.Origin != nil {
		setup = v.Origin.String()
	}
	rows := [][]string{
		{"valid", seconds(v.VerifyS), fmt.Sprintf("%s over %s, proof of %s", v.Scheme, v.Curve, size(int64(v.ProofBytes)))},
		{"setup", setup},
	}
	return table(c.OutOrStdout(), append(rows, warning(v.Warning)...))
}

// key gives the verifying key, and its origin if a package names one.
func (f *circuitVerifyFlags) key(args []string) (*circuit.VerifyingKey, *circuit.Origin, error) {
	if len(args) > 0 {
		p, err := circuit.Open(args[0])
		if err != nil {
			return nil, nil, err
		}
		k, err := p.VerifyingKey()
		return k, &p.Manifest.Origin, err
	}
	s, err := circuit.ParseSystem(f.system.scheme, f.system.curve)
	if err != nil {
		return nil, nil, fmt.Errorf("--vk needs --scheme and --curve: %w", err)
	}
	b, err := readFile(f.vk)
	if err != nil {
		return nil, nil, err
	}
	k, err := circuit.DecodeVerifyingKey(s, b)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", f.vk, err)
	}
	return k, nil, nil
}

func (f *circuitVerifyFlags) read(k *circuit.VerifyingKey) (*circuit.Witness, []byte, error) {
	b, err := readFile(f.public)
	if err != nil {
		return nil, nil, err
	}
	public, err := circuit.DecodeWitness(k.Curve, b)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", f.public, err)
	}
	proof, err := readFile(f.proof)
	return public, proof, err
}
