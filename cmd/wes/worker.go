package main

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/weisyn/wes/gpu/onnx"
	"github.com/weisyn/wes/prover/pipeline"
)

// newWorker is the child process that onnx.Open starts.
func newWorker() *cobra.Command {
	c := group("worker", "Processes that wes starts itself", &cobra.Command{
		Use:   "onnx",
		Short: "Serve ONNX Runtime on standard input and output",
		Args:  arguments(),
		RunE: func(*cobra.Command, []string) error {
			if err := onnx.Serve(os.Stdin, os.Stdout); err != nil {
				return &pipeline.Fault{Stage: pipeline.StageExecute, Err: err}
			}
			return nil
		},
	})
	c.Hidden = true
	return c
}
