package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node/proofs"
	"github.com/weisyn/wes/prover/circuit"
)

func newCircuitDeploy() *cobra.Command {
	var d deployment
	c := &cobra.Command{
		Use:   "deploy DIR --name NAME",
		Short: "Announce a circuit on the ledger, so that operators can prove it",
		Long: `Announce a circuit on the ledger, so that operators can prove it and every node can check the proofs.

DIR is a package of wes prove setup. Constraint system and keys go to the node, from which operators
fetch them; the verifying key goes to the ledger. They are public. --price is what every job pays
you, beside its operator. Operators check the keys once, and set the circuit up from them; whoever
made the setup may still be able to forge proofs, and they know.`,
		Example: "  wes prove deploy package --name cube --price 0.001 --wait",
		Args:    arguments("DIR"),
		RunE:    func(c *cobra.Command, args []string) error { return deployCircuit(c, args[0], &d) },
	}
	d.bind(c, "circuit")
	return c
}

func deployCircuit(c *cobra.Command, dir string, d *deployment) error {
	if d.name == "" {
		return fmt.Errorf("--name is required; see %s --help", c.CommandPath())
	}
	p, err := circuit.Open(dir)
	if err != nil {
		return err
	}
	if err := p.CanProve(); err != nil {
		return err
	}
	k, err := p.VerifyingKey()
	if err != nil {
		return err
	}
	x := &parcel{kind: chain.ResourceGroth16, from: dir, size: p.Manifest.PackedSize(), write: p.Pack, key: proofs.EncodeCircuit(k)}
	if k.SchemeName() == resourceKinds[chain.ResourcePlonk] {
		x.kind = chain.ResourcePlonk
	}
	return d.announce(c, x)
}
