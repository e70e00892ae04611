package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Report is everything one call measured.
type Report struct {
	Time    string   `json:"time"`
	Commit  string   `json:"commit"`
	Machine Machine  `json:"machine"`
	Results []Result `json:"results"`
}

func seconds(s float64) string {
	if s < 1 {
		return fmt.Sprintf("%.1f ms", s*1e3)
	}
	return fmt.Sprintf("%.2f s", s)
}

func bytesText(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.2f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f KB", float64(n)/1e3)
}

// against shows a figure next to its goal.
func against(text string, got, goal float64, format func(float64) string) string {
	return fmt.Sprintf("%s (goal %s, ×%.2f)", text, format(goal), got/goal)
}

func sizeText(v float64) string { return bytesText(int64(v)) }

// Markdown is the report as tables.
func (r *Report) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Proofs of inference\n\n%s, %d cores, %s; %s, %s; commit %s, %s.\nMedians of %d runs, each a process of its own, proofs verified in another; models prepared before.\n\n",
		r.Machine.CPU, r.Machine.Cores, r.Machine.Memory, r.Machine.System, r.Machine.Go, r.Commit, r.Time, r.Runs())
	b.WriteString(table(r.mainRows()))
	b.WriteString("\n## Stages\n\nTime, and nanoseconds of wall time for each unit of what the stage does. Starting the engine with the\nmodel loaded happens once for a process and is not part of proving.\n\n")
	b.WriteString(table(r.stageRows()))
	for _, s := range []string{"activations", "multiply-accumulates"} {
		if rows := r.seriesRows(s); len(rows) > 1 {
			fmt.Fprintf(&b, "\n## What time grows with: %s\n\n%s", s, table(rows))
		}
	}
	return b.String()
}

// Runs is how often each case was measured.
func (r *Report) Runs() int {
	if len(r.Results) == 0 {
		return 0
	}
	return r.Results[0].Runs
}

func table(rows [][]string) string {
	var b strings.Builder
	for i, row := range rows {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(row)) + "|\n")
		}
	}
	return b.String()
}

func (r *Report) mainRows() [][]string {
	rows := [][]string{{"model", "MACs", "parameters", "prove", "verify", "proof", "peak memory", "MAC/s per core", "over float inference", "elsewhere"}}
	for _, x := range r.Results {
		if x.Goal == nil {
			continue
		}
		rows = append(rows, []string{
			x.Title, count(x.MACs), count(x.Params),
			against(seconds(x.Prove), x.Prove, x.Goal.Prove, seconds),
			against(seconds(x.Verify), x.Verify, x.Goal.Verify, seconds),
			against(bytesText(x.ProofBytes), float64(x.ProofBytes), float64(x.Goal.Proof), sizeText),
			against(bytesText(x.PeakRSS), float64(x.PeakRSS), float64(x.Goal.Peak), sizeText),
			count(int64(float64(x.MACs) / x.Prove / float64(r.Machine.Cores))), x.overInference(), x.Goal.Best,
		})
	}
	return rows
}

// overInference is how many float inferences a proof takes the time of.
func (x *Result) overInference() string {
	if x.Inference == 0 {
		return "—"
	}
	return fmt.Sprintf("×%.0f of %s", x.Prove/x.Inference, seconds(x.Inference))
}

func count(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.2f G", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f M", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f k", float64(n)/1e3)
	}
	return fmt.Sprint(n)
}

func (r *Report) stageRows() [][]string {
	rows := [][]string{{"model", "engine", "start", "execute", "commit", "per cell", "look up", "per lookup", "contract", "per small product", "open", "per cell", "lookups", "cells", "multiplications", "bytes"}}
	for _, x := range r.Results {
		each := func(s float64, n int64) string { return fmt.Sprintf("%.1f ns", s*1e9/float64(max(n, 1))) }
		var mults, written int64
		for _, w := range x.Work {
			mults += w["multiplications"]
			written += w["bytes"]
		}
		rows = append(rows, []string{
			x.Title, x.Engine, seconds(x.Start), seconds(x.Execute),
			seconds(x.Commit), each(x.Commit, x.Sizes["cells"]),
			seconds(x.Lookup), each(x.Lookup, x.Sizes["lookups"]+x.Sizes["table_rows"]),
			seconds(x.Contract), each(x.Contract, x.Work["contract"]["small_products"]),
			seconds(x.Open), each(x.Open, x.Sizes["cells"]),
			count(x.Sizes["lookups"]), count(x.Sizes["cells"]), count(mults), bytesText(written),
		})
	}
	return rows
}

// seriesRows shows what each further activation and each further multiply-accumulate of a
// series costs, from one row to the next.
func (r *Report) seriesRows(series string) [][]string {
	rows := [][]string{{"model", "MACs", "activations", "weights", "prove", "per activation", "per further activation", "per further MAC"}}
	var last *Result
	for i := range r.Results {
		x := &r.Results[i]
		if x.Series != series {
			continue
		}
		more := func(before, now int64) string {
			if last == nil || now == before {
				return "—"
			}
			return fmt.Sprintf("%.2f ns", (x.Prove-last.Prove)*1e9/float64(now-before))
		}
		if last == nil {
			last = x
		}
		rows = append(rows, []string{
			x.Title, count(x.MACs), count(x.Sizes["activations"]), count(x.Params), seconds(x.Prove),
			fmt.Sprintf("%.0f ns", x.Prove*1e9/float64(x.Sizes["activations"])),
			more(last.Sizes["activations"], x.Sizes["activations"]), more(last.MACs, x.MACs),
		})
		last = x
	}
	return rows
}

func (r *Report) store(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	page, err := r.HTML()
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{"proofs.json": append(data, '\n'), "proofs.md": []byte(r.Markdown()), "proofs.html": page} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
