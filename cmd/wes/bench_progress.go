package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/weisyn/wes/benchmarks"
)

// benchProgress shows where a benchmark is: on a terminal as a bar, elsewhere, since it may
// take an hour, as a line for each case that ended.
type benchProgress struct {
	out  io.Writer
	bars *bars // nil: lines
}

func newBenchProgress(out io.Writer) *benchProgress {
	return &benchProgress{out: out, bars: newBars(out)}
}

func (p *benchProgress) update(at benchmarks.Progress) {
	if p.bars != nil {
		p.bars.update(fmt.Sprintf("%s %s %s", at.Suite, at.Case, at.Engine), int64(at.Run), int64(at.Runs))
		return
	}
	if at.Run < at.Runs {
		return
	}
	fmt.Fprintf(p.out, "%-10s %-24s %-12s %s\n", at.Suite, at.Case, at.Engine, summary(at))
}

// summary names the first metrics of a case that ended.
func summary(at benchmarks.Progress) string {
	if at.Err != nil {
		return at.Err.Error()
	}
	var parts []string
	for _, m := range at.Result.Metrics[:min(4, len(at.Result.Metrics))] {
		text := m.Name + " " + m.Text(m.Median)
		if m.Baseline != nil {
			text += fmt.Sprintf(" (×%.3f of %s)", m.Baseline.Ratio, m.Baseline.Name)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "  ")
}

func (p *benchProgress) finish() { p.bars.finish() }
