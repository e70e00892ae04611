package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/tensor"
	"github.com/weisyn/wes/prover/pipeline"
)

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// table prints rows of cells in aligned columns.
func table(w io.Writer, rows [][]string) error {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintln(t, strings.Join(r, "\t"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(b.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// printProof shows what became of the model called name.
func printProof(w io.Writer, name, dir string, o *pipeline.Outcome, r *pipeline.Report) error {
	fmt.Fprintf(w, "%s: %s multiply-accumulates, %s parameters\n\n", name, count(r.MACs), count(r.Params))
	if err := table(w, stages(r)); err != nil {
		return err
	}
	fmt.Fprintln(w)
	rows := [][]string{
		{"proof", size(int64(r.ProofBytes)), filepath.Join(dir, proofFile) + outputShare(r)},
		{"model", size(int64(r.ModelBytes)), filepath.Join(dir, modelFile)},
		{"output", size(int64(len(o.Output))), filepath.Join(dir, outputFile)},
		{"memory", size(r.PeakRSSBytes), "largest resident size of this process"},
		{"accuracy", fmt.Sprintf("%.4g %%", 100*r.Top1), accuracy(r)},
		{"digest", r.ModelDigest[:16], "of the model; in full: " + r.ModelDigest},
	}
	if err := table(w, rows); err != nil {
		return err
	}
	return printOutputs(w, o.Outputs, o.Tails)
}

// outputShare tells of a proof file that is mostly output.
func outputShare(r *pipeline.Report) string {
	if r.OutputBytes < r.ProofBytes/4 {
		return ""
	}
	return ", " + size(int64(r.OutputBytes)) + " of it the output's cells"
}

func stages(r *pipeline.Report) [][]string {
	prepare := "import, calibrate on " + onWhat(r.Calibration) + ", commit to weights"
	if r.Cached {
		prepare = "read from the cache"
	}
	rows := [][]string{{"prepare", seconds(r.LowerS - r.EngineS), prepare}}
	if r.Engine == pipeline.EngineONNXRuntime {
		rows = append(rows, []string{"start", seconds(r.EngineS), "a process for ONNX Runtime, and the model in it"})
	}
	return append(rows, [][]string{
		{"execute", seconds(r.ExecuteS), fmt.Sprintf("%s: %s", r.Engine, r.EngineReason)},
		{"commit", seconds(r.CommitS), "on " + r.Committer},
		{"look up", seconds(r.LookupS), ""},
		{"contract", seconds(r.ContractS), ""},
		{"open", seconds(r.OpenS), ""},
		{"prove", seconds(r.ProveS), "all from input to proof, execution included"},
		{"verify", seconds(r.VerifyS), "valid, " + strconv.Itoa(r.Soundness) + " bits of soundness"},
	}...)
}

func onWhat(calibration string) string {
	if calibration == pipeline.CalibrationInput {
		return "the input itself"
	}
	return "the given samples"
}

func accuracy(r *pipeline.Report) string {
	return fmt.Sprintf("of top answers are the float model's on %s; error at most %.3g, mean %.3g, cosine %.6f",
		onWhat(r.Calibration), r.MaxAbs, r.MeanAbs, r.Cosine)
}

func printVerdict(w io.Writer, v *pipeline.Verdict, proofBytes int) error {
	rows := [][]string{
		{"valid", seconds(v.Verify.Seconds()), "proof of " + size(int64(proofBytes)) + ", after loading the model in " + seconds(v.Load.Seconds())},
		{"model", hex.EncodeToString(v.Digest[:8]), "digest in full: " + hex.EncodeToString(v.Digest[:])},
	}
	for _, part := range [][2]string{{"job", v.Job.ID}, {"payee", v.Job.Payee}, {"chain", v.Job.Chain}} {
		if part[1] != "" {
			rows = append(rows, []string{part[0], strconv.Quote(part[1])})
		}
	}
	if err := table(w, rows); err != nil {
		return err
	}
	return printOutputs(w, v.Outputs, v.Tails)
}

// shown is how many numbers of an output are printed.
const shown = 5

func printOutputs(w io.Writer, outputs []tensor.Tensor, tails []graph.Tail) error {
	fmt.Fprintln(w)
	for i, t := range outputs {
		parts := make([]string, 0, shown+1)
		for _, v := range t.Data[:min(shown, len(t.Data))] {
			parts = append(parts, strconv.FormatFloat(v, 'g', 5, 64))
		}
		if len(t.Data) > shown {
			parts = append(parts, "…")
		}
		note := ""
		switch tails[i] {
		case graph.TailSoftmax:
			note = " (softmax, computed from proven logits outside the proof)"
		case graph.TailLogistic, graph.TailOneVsRest:
			note = " (probabilities, computed from proven scores outside the proof)"
		case graph.TailArgMax:
			note = " (largest of proven numbers, found outside the proof)"
		}
		fmt.Fprintf(w, "%s %s = %s%s\n", t.Name, shape(t.Shape), strings.Join(parts, " "), note)
	}
	return nil
}

func shape(dims []int) string { return strings.ReplaceAll(fmt.Sprint(dims), " ", ", ") }

// seconds prints three digits of a time.
func seconds(s float64) string {
	switch {
	case s < 1e-3:
		return digits(s*1e6) + " µs"
	case s < 1:
		return digits(s*1e3) + " ms"
	}
	return digits(s) + " s"
}

// size prints three digits of a number of bytes.
func size(n int64) string { return scaled(float64(n), "B") }

// count prints three digits of a number.
func count(n int64) string { return strings.TrimSpace(scaled(float64(n), "")) }

func scaled(v float64, unit string) string {
	if v < 1000 {
		return strconv.FormatFloat(v, 'f', 0, 64) + " " + unit
	}
	prefix := ""
	for _, p := range []string{"k", "M", "G", "T"} {
		if v < 1000 {
			break
		}
		v, prefix = v/1000, p
	}
	return digits(v) + " " + prefix + unit
}

func digits(v float64) string {
	switch {
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}
