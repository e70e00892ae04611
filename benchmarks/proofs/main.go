// Command proofs measures proofs of inference through the command line that users have:
// each run is a process of its own, so that peak memory means something. It prints a table
// and stores JSON, Markdown and a self-contained HTML page.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "proofs:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	bench := bench{}
	var only string
	flag.StringVar(&bench.wes, "wes", "build/wes", "the program to measure")
	flag.StringVar(&bench.engine, "engine", "auto", "engine of the execution: auto, onnxruntime or interpreter")
	flag.IntVar(&bench.runs, "runs", 5, "counted runs of each case; medians are reported")
	flag.StringVar(&only, "only", "", "comma-separated names of the cases to run; all by default")
	out := flag.String("out", "benchmarks/results", "folder of the results")
	flag.Parse()

	var err error
	if bench.wes, err = filepath.Abs(bench.wes); err != nil {
		return err
	}
	if bench.dir, err = os.MkdirTemp("", "wes-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(bench.dir)

	report := Report{Time: time.Now().UTC().Format(time.RFC3339), Machine: machine(), Commit: commit(ctx)}
	for _, c := range cases() {
		if only != "" && !contains(strings.Split(only, ","), c.Name) {
			continue
		}
		result, err := bench.measure(ctx, c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		report.Results = append(report.Results, result)
		fmt.Fprintf(os.Stderr, "%-20s prove %8s  verify %8s  proof %7s  peak %7s\n", c.Name,
			seconds(result.Prove), seconds(result.Verify), bytesText(result.ProofBytes), bytesText(result.PeakRSS))
	}
	fmt.Println(report.Markdown())
	return report.store(*out)
}

func contains(list []string, name string) bool {
	for _, s := range list {
		if s == name {
			return true
		}
	}
	return false
}
