package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/weisyn/wes/gpu/onnx"
)

func newDeps() *cobra.Command {
	return &cobra.Command{
		Use:   "deps",
		Short: "Install ONNX Runtime into the user's cache, unless it is there",
		Long: `Install ONNX Runtime into the user's cache, unless it is there.

The library comes from the npm package onnxruntime-node, version ` + onnx.Version + `. npm only
downloads the package; nothing of it is run, and its hash is checked. Without the library
models are executed by the interpreter, with the same results.

` + onnx.LibraryVariable + ` names another library instead, for example one built for CUDA.`,
		Args: arguments(),
		RunE: func(c *cobra.Command, _ []string) error { return deps(c) },
	}
}

func deps(c *cobra.Command) error {
	if !hasCgo() {
		return fmt.Errorf("%w: this build has no cgo: install a C compiler and build again", onnx.ErrUnavailable)
	}
	path, err := onnx.Locate()
	if err != nil {
		bars := newBars(c.ErrOrStderr())
		path, err = onnx.Fetch(c.Context(), func(s onnx.Stage, done, total int64) {
			bars.update(string(s), done, max(total, 1))
		})
		bars.finish()
	}
	if err == nil {
		_, err = fmt.Fprintf(c.OutOrStdout(), "ONNX Runtime %s: %s\n", onnx.Version, path)
	}
	return err
}
