package main

import (
	"maps"

	"github.com/spf13/cobra"
	"github.com/weisyn/wes/gpu/msm/icicle"
	"github.com/weisyn/wes/gpu/msm/remote"
	"github.com/weisyn/wes/gpu/onnx"
	"github.com/weisyn/wes/gpu/probe"
	"github.com/weisyn/wes/gpu/worker"
	"github.com/weisyn/wes/prover/pipeline"
)

// newWorker is the child process that package worker starts.
func newWorker() *cobra.Command {
	return &cobra.Command{
		Use:    "worker SOCKET",
		Short:  "Run jobs of a wes that started this one",
		Hidden: true,
		Args:   arguments("SOCKET"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := worker.Serve(c.Context(), args[0], methods()); err != nil {
				return &pipeline.Fault{Stage: pipeline.StageExecute, Err: err}
			}
			return nil
		},
	}
}

// methods is the table of all that runs in a child, by the names that its callers use.
func methods() map[string]worker.Method {
	all := map[string]worker.Method{}
	for _, offered := range []map[string]worker.Method{
		circuitService().Methods(),
		icicle.Methods(),
		onnx.Methods(),
		probe.Methods(),
		remote.Methods(openEngine),
	} {
		maps.Copy(all, offered)
	}
	return all
}
