package main

import (
	"github.com/spf13/cobra"
	"github.com/weisyn/wes/prover/circuit"
)

func newCircuitInspect() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "inspect DIR",
		Short: "Show what a package holds and where its setup came from",
		Long: `Show what a package holds and where its setup came from.

The digests of all parts are compared with those of the manifest.

` + exitHelp,
		Args: arguments("DIR"),
		RunE: func(c *cobra.Command, args []string) error { return inspectPackage(c, args[0], asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func inspectPackage(c *cobra.Command, dir string, asJSON bool) error {
	p, err := circuit.Open(dir)
	if err != nil {
		return err
	}
	if err := p.CheckParts(); err != nil {
		return err
	}
	if asJSON {
		return printJSON(c.OutOrStdout(), describePackage(p))
	}
	return printPackage(c.OutOrStdout(), p)
}
