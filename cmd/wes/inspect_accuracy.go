package main

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/weisyn/wes/prover/pipeline"
)

// worstTensors is how many tensors are shown.
const worstTensors = 20

// inspectAccuracy shows what lowering does to a model's values.
func inspectAccuracy(c *cobra.Command, path string, f *loweringFlags, asJSON bool) error {
	source, err := f.source(path)
	if err != nil {
		return err
	}
	var progress *bars
	if !asJSON {
		progress = newBars(c.ErrOrStderr())
	}
	line := pipeline.Line{Progress: progress.progress()}
	comparison, err := line.Compare(c.Context(), source)
	progress.finish()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if asJSON {
		return printJSON(c.OutOrStdout(), comparison)
	}
	return printTensors(c.OutOrStdout(), comparison)
}

func printTensors(w io.Writer, c *pipeline.Comparison) error {
	rows := [][]string{{"output", "cosine", "same top answer", "largest error", "mean error", "largest value"}}
	for _, o := range c.Report.Outputs {
		rows = append(rows, []string{
			o.Output, fmt.Sprintf("%.6f", o.Cosine), fmt.Sprintf("%d of %d", o.Top1, o.Lines),
			fmt.Sprintf("%.3g", o.MaxAbs), fmt.Sprintf("%.3g", o.MeanAbs), fmt.Sprintf("%.3g", o.Largest),
		})
	}
	if err := table(w, rows); err != nil {
		return err
	}
	shown := min(worstTensors, len(c.Tensors))
	fmt.Fprintf(w, "\nthe worst %d of %d tensors, by their error over their size:\n\n", shown, len(c.Tensors))
	rows = [][]string{{"tensor", "operator", "bits", "error", "cosine", "clipped", "step", "largest value"}}
	for _, t := range c.Tensors[:shown] {
		rows = append(rows, []string{
			t.Name, t.Op, strconv.Itoa(t.Bits), fmt.Sprintf("%.3g %%", 100*t.Error), fmt.Sprintf("%.6f", t.Cosine),
			fmt.Sprintf("%.3g %%", 100*t.Clipped), fmt.Sprintf("%.3g", t.Step), fmt.Sprintf("%.3g", t.Largest),
		})
	}
	if err := table(w, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "\nWhere errors are large, try more --activation-bits, at most 12; where much is clipped, --ranges max or more samples.")
	return err
}
