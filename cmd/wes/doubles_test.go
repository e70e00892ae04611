package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weisyn/wes/node"
	"github.com/weisyn/wes/node/executor"
	"github.com/weisyn/wes/node/works"
)

// runDouble is wes node and wes market work whose devices are others in their place, and nothing else of wes.
func runDouble(name string, double func(works.Executor) works.Executor) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	root := &cobra.Command{Use: "wes", SilenceErrors: true, SilenceUsage: true}
	stations := func(ctx context.Context, p *workplace) ([]works.Station, error) {
		all, err := p.stations(ctx)
		for i := range all {
			all[i].Executor = double(all[i].Executor)
		}
		return all, err
	}
	root.AddCommand(newNodeVerb(func(ctx context.Context, c *node.Config) ([]works.Station, error) {
		return stations(ctx, &workplace{name: "node", memory: uint64(c.JobMiB) << 20})
	}), group("market", "", newWorkVerb(stations)))
	if err := root.ExecuteContext(ctx); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(exitFault)
	}
}

func runLiar() {
	runDouble("wes-liar", func(x works.Executor) works.Executor { return &liar{Executor: x} })
}

func runSlow() { runDouble("wes-slow", func(x works.Executor) works.Executor { return &slow{x} }) }

// slow is an operator's device that takes a while for every job.
type slow struct{ works.Executor }

var _ works.Executor = (*slow)(nil)

// slowness is what a job takes at least.
const slowness = 300 * time.Millisecond

// Infer implements works.Executor.
func (s *slow) Infer(ctx context.Context, q executor.Inference, progress executor.Progress) (*executor.Result, error) {
	if forNobody(q) {
		return s.Executor.Infer(ctx, q, progress)
	}
	done := time.NewTimer(slowness)
	defer done.Stop()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-done.C:
		return s.Executor.Infer(ctx, q, progress)
	}
}

// forNobody reports whether an inference is a sample.
func forNobody(q executor.Inference) bool { return strings.Trim(q.Job.Payee, "0") == "" }
