package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/weisyn/wes/prover/model/float"
	"github.com/weisyn/wes/prover/model/onnx"
)

func newOperators() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "operators", Short: "List the ONNX operators that models may have", Args: arguments(),
		Long: `List the ONNX operators that models may have, what they become in the integer graph, and what is
demanded of them. Shapes are bound when a model is imported: whatever depends on shapes and
constants alone is constant. wes ai inspect says what a model has that is not supported.`,
		Example: "  wes ai operators",
		RunE: func(c *cobra.Command, _ []string) error {
			all := float.Operators()
			if asJSON {
				return printJSON(c.OutOrStdout(), map[string]any{"min_opset": onnx.MinOpset, "max_opset": onnx.MaxOpset, "operators": all})
			}
			rows := [][]string{{"OPERATOR", "FORM", "ACTIVATIONS", "RESTRICTIONS"}}
			for _, o := range all {
				rows = append(rows, []string{o.Name, strings.ReplaceAll(o.Form, "+", ", "), o.Activations(), o.Note})
			}
			if err := table(c.OutOrStdout(), rows); err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout())
			return table(c.OutOrStdout(), forms())
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// forms explains the second column.
func forms() [][]string {
	rows := [][]string{{"FORM", "IN THE INTEGER GRAPH"}}
	for _, f := range float.Forms() {
		rows = append(rows, f[:])
	}
	return rows
}
