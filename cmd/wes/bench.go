package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/weisyn/wes/benchmarks"
	"github.com/weisyn/wes/benchmarks/report"
	"github.com/weisyn/wes/prover/pipeline"
)

// benchFlags are the flags of wes bench.
type benchFlags struct {
	options benchmarks.Options
	sizes   []string
	out     string
	json    bool
}

// The names of the files that a benchmark leaves.
const (
	benchJSON     = "bench.json"
	benchMarkdown = "bench.md"
	benchHTML     = "bench.html"
)

func newBench() *cobra.Command {
	var f benchFlags
	c := &cobra.Command{
		Use:   "bench [SUITE...]",
		Short: "Measure what this machine proves and how fast, for publication",
		Long: `Measure what this machine proves and how fast, for publication.

The suites, all of which run when none is named:

` + describeSuites() + `
DIR gets ` + benchJSON + ` with every single value, ` + benchMarkdown + `, and ` + benchHTML + `, one page that needs
nothing else. Inputs follow from --seed alone; their digests are in the report. Whatever a
case computes is checked before it is timed. Where there is something to compare with, both
run one after the other in every run, and the ratio is that of the runs.

All suites take an hour and more, and 4 GB of memory; circuits of 2^22 constraints take 20 GB.
Nothing else should run on the machine. --quick takes the smallest cases only, to see that
everything works. The keys of circuits are kept in the user's cache (WES_CACHE names another
folder), so that only the first run makes them.

` + exitHelp,
		Example: "  wes bench --quick\n  wes bench msm ntt --runs 10 --out results\n  wes bench compare before/bench.json after/bench.json",
		Args:    cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			f.options.Suites = args
			return bench(c, &f)
		},
	}
	fs := c.Flags()
	fs.IntVar(&f.options.Runs, "runs", 0, "counted runs of each case (default 5, with --quick 2)")
	fs.Uint64Var(&f.options.Seed, "seed", 1, "seed of all inputs")
	fs.BoolVar(&f.options.Quick, "quick", false, "only the smallest cases; nothing to publish")
	fs.StringSliceVar(&f.options.Only, "only", nil, "names of the cases to run, as in "+benchJSON+" (default: all)")
	fs.StringSliceVar(&f.sizes, "sizes", nil, "numbers of constraints of circuits, for example 2^16,2^20 (default 2^16,2^18)")
	fs.StringVar(&f.options.Models, "models", "testdata/models", "folder of the shipped models")
	fs.StringVar(&f.out, "out", "wes-bench", "folder for the result, made if missing")
	fs.BoolVar(&f.json, "json", false, "print "+benchJSON+" instead of tables")
	c.AddCommand(newBenchCompare())
	return c
}

func describeSuites() string {
	var b strings.Builder
	for _, s := range benchmarks.Suites() {
		fmt.Fprintf(&b, "  %-10s %s\n", s.Name, s.About)
	}
	return b.String()
}

func bench(c *cobra.Command, f *benchFlags) error {
	if c.Flags().Changed("runs") && f.options.Runs < 1 {
		return fmt.Errorf("--runs is %d, want at least 1", f.options.Runs)
	}
	if err := f.parseSizes(); err != nil {
		return err
	}
	if err := pipeline.MakeDir(f.out); err != nil {
		return fmt.Errorf("--out: %w", plain(err, f.out))
	}
	if dir := cacheDir(); dir != "" {
		f.options.Cache = filepath.Join(dir, "circuits")
	}
	f.options.Devices = benchDevices
	f.options.Engines, f.options.Env = benchEngines(c.Context()), icicleEnvironment()
	progress := newBenchProgress(c.ErrOrStderr())
	f.options.Progress = progress.update
	r, err := benchmarks.Run(c.Context(), f.options)
	progress.finish()
	if err != nil {
		return err
	}
	if err := writeBench(f.out, r); err != nil {
		return err
	}
	if err := printBench(c.OutOrStdout(), r, f); err != nil {
		return err
	}
	if r.Failed() {
		return &pipeline.Fault{Stage: stageBench, Err: errors.New("some cases failed; the report lists them")}
	}
	return nil
}

// parseSizes takes powers of two.
func (f *benchFlags) parseSizes() error {
	for _, text := range f.sizes {
		log, ok := strings.CutPrefix(text, "2^")
		n, err := strconv.Atoi(log)
		if !ok || err != nil || n < benchmarks.MinSize || n > benchmarks.MaxSize {
			return fmt.Errorf("--sizes %q: want powers of two from 2^%d to 2^%d", text, benchmarks.MinSize, benchmarks.MaxSize)
		}
		f.options.Sizes = append(f.options.Sizes, n)
	}
	return nil
}

// stageBench is what a fault of the benchmark is called.
const stageBench = "bench"

func writeBench(dir string, r *report.Report) error {
	data, err := r.Encode()
	if err != nil {
		return err
	}
	page, err := r.HTML()
	if err != nil {
		return err
	}
	err = pipeline.WriteFiles(dir, []pipeline.File{
		{Name: benchJSON, Data: data}, {Name: benchMarkdown, Data: []byte(r.Markdown())}, {Name: benchHTML, Data: page},
	})
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return nil
}

func printBench(w io.Writer, r *report.Report, f *benchFlags) error {
	if f.json {
		data, err := r.Encode()
		if err == nil {
			_, err = w.Write(data)
		}
		return err
	}
	for _, line := range r.Conditions() {
		fmt.Fprintln(w, line)
	}
	for _, s := range r.Sections() {
		fmt.Fprintf(w, "\n%s\n\n", s.Title)
		if err := table(w, s.Rows); err != nil {
			return err
		}
	}
	if gaps := r.Gaps(); gaps != nil {
		fmt.Fprint(w, "\nNot measured\n\n")
		if err := table(w, gaps); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\nwritten: %s, %s, %s in %s\n", benchJSON, benchMarkdown, benchHTML, f.out)
	return err
}
