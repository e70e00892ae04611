package main

import "github.com/spf13/cobra"

func newResource() *cobra.Command {
	return group("resource", "Models, circuits and files, and what the ledger says of them",
		newResourcePublish(), newResourceShow())
}
