package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"github.com/weisyn/wes/benchmarks/report"
)

func newBenchCompare() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "compare A.json B.json",
		Short: "Set two benchmark reports side by side",
		Long: `Set two benchmark reports side by side.

B/A is the ratio of the medians: below 1, B took less. "less" and "more" mark metrics of which
all runs of B are below, or above, all runs of A; without a mark the difference is within the
noise of the runs. The columns of baselines are each report's own ratio to what ran beside it,
which also compares reports of different machines. Whatever else differs between the reports
is listed first.

` + exitHelp,
		Args: arguments("A.json", "B.json"),
		RunE: func(c *cobra.Command, args []string) error {
			a, err := readReport(args[0])
			if err != nil {
				return err
			}
			b, err := readReport(args[1])
			if err != nil {
				return err
			}
			comparison := report.Compare(a, b)
			if asJSON {
				return printJSON(c.OutOrStdout(), comparison)
			}
			return printComparison(c.OutOrStdout(), comparison)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func readReport(path string) (*report.Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, plain(err, path)
	}
	defer f.Close()
	r, err := report.Decode(f)
	if err != nil {
		return nil, plain(err, path)
	}
	return r, nil
}

func printComparison(w io.Writer, c *report.Comparison) error {
	for _, d := range c.Conditions {
		fmt.Fprintf(w, "The %s differs:\n  A: %s\n  B: %s\n", d.Name, d.A, d.B)
	}
	if len(c.Conditions) > 0 {
		fmt.Fprintln(w)
	}
	if err := table(w, c.Rows()); err != nil {
		return err
	}
	for _, only := range []struct {
		report string
		cases  []string
	}{{"A", c.OnlyA}, {"B", c.OnlyB}} {
		for _, name := range only.cases {
			fmt.Fprintf(w, "only in %s: %s\n", only.report, name)
		}
	}
	return nil
}
