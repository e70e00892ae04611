package main

import (
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/weisyn/wes/prover/pipeline"
)

// inspection is the JSON of wes ai inspect.
type inspection struct {
	*pipeline.Inspection
	Estimate *pipeline.Estimate `json:"estimate,omitempty"`
}

func newInspect() *cobra.Command {
	var batch int
	var asJSON, accuracy bool
	var f loweringFlags
	lowering := pflag.NewFlagSet("lowering", pflag.ContinueOnError)
	c := &cobra.Command{
		Use:   "inspect MODEL.onnx",
		Short: "Show what a model consists of, and what proving it will take",
		Long: `Show what a model consists of, and what proving it will take.

Everything that cannot be proved is listed; the exit code is 2 if there is any. Time and
memory are estimates: a small proof is timed on this machine and scaled by the cells and
weights of the model.

With --accuracy the model is lowered to integers instead, and run both ways on the samples of
--calibrate or on --input: the tensors that suffer most are listed, the worst first.

` + exitHelp,
		Args: arguments("MODEL.onnx"),
		RunE: func(c *cobra.Command, args []string) error {
			if accuracy {
				return inspectAccuracy(c, args[0], &f, asJSON)
			}
			if name := firstChanged(lowering); name != "" {
				return fmt.Errorf("--%s needs --accuracy", name)
			}
			return inspect(c, args[0], batch, asJSON)
		},
	}
	c.Flags().BoolVar(&accuracy, "accuracy", false, "compare every tensor with the float model's")
	f.bind(lowering)
	c.Flags().AddFlagSet(lowering)
	c.Flags().IntVar(&batch, "batch", 1, "rows of an input whose number the model leaves open")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// firstChanged is the name of a flag that was given, "" if none was.
func firstChanged(fs *pflag.FlagSet) (name string) {
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Changed && name == "" {
			name = f.Name
		}
	})
	return name
}

func inspect(c *cobra.Command, path string, batch int, asJSON bool) error {
	if batch < 1 {
		return fmt.Errorf("--batch is %d, want at least 1", batch)
	}
	data, err := readFile(path)
	if err != nil {
		return err
	}
	i, err := pipeline.Inspect(data, batch)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	out := inspection{Inspection: i}
	if len(i.Unsupported) == 0 {
		if out.Estimate, err = i.Estimate(c.Context()); err != nil {
			return err
		}
	}
	show := printInspection
	if asJSON {
		show = func(w io.Writer, i *inspection) error { return printJSON(w, i) }
	}
	if err := show(c.OutOrStdout(), &out); err != nil {
		return err
	}
	if err := i.Refusal(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func printInspection(w io.Writer, i *inspection) error {
	rows := [][]string{{"model", i.Name}, {"producer", i.Producer}, {"opset", strconv.Itoa(i.Opset)}}
	for _, o := range i.Inputs {
		rows = append(rows, []string{"input", describeOperand(o)})
	}
	for _, o := range i.Outputs {
		rows = append(rows, []string{"output", describeOperand(o)})
	}
	rows = append(rows, []string{"operators", describeOps(i.Ops)})
	if err := table(w, rows); err != nil {
		return err
	}
	if i.Estimate == nil {
		return nil
	}
	fmt.Fprintln(w)
	if err := table(w, layers(i)); err != nil {
		return err
	}
	e := i.Estimate
	_, err := fmt.Fprintf(w, `
estimated on this machine with %d cores: prove %s, memory %s
(about %s cells to commit to, at the rate of a proof of %s cells that just took %s;
expect a factor of two; preparing the model, once, comes on top)
`, runtime.GOMAXPROCS(0), seconds(e.ProveS), size(e.MemoryBytes), count(i.Cells), count(e.ProbeCells), seconds(e.ProbeS))
	return err
}

func describeOperand(o pipeline.Operand) string {
	return fmt.Sprintf("%s %s [%s]", o.Name, o.Type, strings.Join(o.Shape, ", "))
}

func describeOps(ops []pipeline.Operators) string {
	parts := make([]string, len(ops))
	for i, o := range ops {
		parts[i] = fmt.Sprintf("%d %s", o.Count, o.Op)
	}
	return strings.Join(parts, ", ")
}

// layers is the table of the normalised network.
func layers(i *inspection) [][]string {
	rows := [][]string{{"layer", "operator", "shape", "MACs", "parameters"}}
	for _, l := range i.Layers {
		rows = append(rows, []string{l.Name, l.Op, shape(l.Shape), amount(l.MACs), amount(l.Params)})
	}
	return append(rows, []string{"total", "", "", amount(i.MACs), amount(i.Params)})
}

// amount is a count, or nothing for none.
func amount(n int64) string {
	if n == 0 {
		return ""
	}
	return count(n)
}
