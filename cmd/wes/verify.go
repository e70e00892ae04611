package main

import (
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/weisyn/wes/prover/pipeline"
	"github.com/weisyn/wes/prover/verify"
)

// verifyFlags are the flags of wes ai verify.
type verifyFlags struct {
	model, proof, input, output string
	json                        bool
}

// verdict is the JSON of wes ai verify.
type verdict struct {
	Valid       bool         `json:"valid"`
	Check       verify.Check `json:"check,omitempty"` // that failed
	Error       string       `json:"error,omitempty"`
	ModelDigest string       `json:"model_digest,omitempty"`
	Job         string       `json:"job,omitempty"`
	Payee       string       `json:"payee,omitempty"`
	Chain       string       `json:"chain,omitempty"`
	LoadS       float64      `json:"load_s,omitempty"`
	VerifyS     float64      `json:"verify_s,omitempty"`
	ProofBytes  int          `json:"proof_bytes"`
}

func newVerify() *cobra.Command {
	var f verifyFlags
	c := &cobra.Command{
		Use:   "verify --model DIR/model.wes --proof DIR/proof.wes --input FILE",
		Short: "Check a proof without running the model",
		Long: `Check a proof without running the model.

The model file is trusted: it says which computation is proved, so take it from the owner of
the model, or compare its digest. The accuracy it states is not part of the proof. With
--output, the numbers of that file must be exactly those that were proved.

` + exitHelp,
		Example: "  wes ai verify --model proof/model.wes --proof proof/proof.wes --input digits.json",
		Args:    arguments(),
		RunE:    func(c *cobra.Command, _ []string) error { return check(c, &f) },
	}
	fs := c.Flags()
	fs.StringVar(&f.model, "model", "", "model file")
	fs.StringVar(&f.proof, "proof", "", "proof file")
	fs.StringVar(&f.input, "input", "", "input that the proof is about: JSON or .npy")
	fs.StringVar(&f.output, "output", "", "output that the proof must be about: JSON")
	fs.BoolVar(&f.json, "json", false, "print one JSON object")
	return c
}

func check(c *cobra.Command, f *verifyFlags) error {
	if f.model == "" || f.proof == "" || f.input == "" {
		return fmt.Errorf("--model, --proof and --input are required; see %s --help", c.CommandPath())
	}
	claim, err := f.read()
	if err != nil {
		return err
	}
	v, err := pipeline.Verify(claim)
	var rejection *verify.Rejection
	switch {
	case errors.As(err, &rejection) && f.json:
		printed := printJSON(c.OutOrStdout(), verdict{Check: rejection.Check, Error: rejection.Cause.Error(), ProofBytes: len(claim.Proof)})
		return errors.Join(err, printed)
	case rejection != nil:
		return err
	case err != nil:
		return fmt.Errorf("%s: %w", f.model, err)
	case f.json:
		return printJSON(c.OutOrStdout(), verdict{
			Valid: true, ModelDigest: hex.EncodeToString(v.Digest[:]), Job: v.Job.ID, Payee: v.Job.Payee, Chain: v.Job.Chain,
			LoadS: v.Load.Seconds(), VerifyS: v.Verify.Seconds(), ProofBytes: len(claim.Proof),
		})
	}
	return printVerdict(c.OutOrStdout(), v, len(claim.Proof))
}

func (f *verifyFlags) read() (c pipeline.Claim, err error) {
	if c.Model, err = readFile(f.model); err != nil {
		return c, err
	}
	if c.Proof, err = readFile(f.proof); err != nil {
		return c, err
	}
	if c.Inputs, err = readTensors(f.input); err != nil {
		return c, err
	}
	if f.output != "" {
		c.Output, err = readTensors(f.output)
	}
	return c, err
}
