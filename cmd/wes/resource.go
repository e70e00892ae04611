package main

import "github.com/spf13/cobra"

func newResource() *cobra.Command {
	return group("resource", "Models, circuits and files: keep them, get them from peers, announce them on the ledger",
		newResourceAdd(), newResourceGet(), newResourceList(), newResourcePin(), newResourceUnpin(), newResourceRemove(),
		newResourceReplicate(), newResourcePublish(), newResourceShow())
}
