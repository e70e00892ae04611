package main

import "github.com/spf13/cobra"

func newAI() *cobra.Command {
	return group("ai", "Inspect, prove and verify models, and let the market run them",
		newInspect(), newOperators(), newProve(), newVerify(), newDeploy(), newInfer(), newModels())
}
