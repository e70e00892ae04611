package benchmarks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/weisyn/wes/benchmarks/report"
	"github.com/weisyn/wes/node/town"
)

// Goals of the design for a node without work.
const (
	goalMemory = 150 << 20 // bytes
	goalCPU    = 0.02      // of a core
)

// idleCase is what a synchronised operator without jobs takes.
func idleCase(o *Options) Case {
	r := report.Result{Case: "idle", Title: "An operator's node without jobs", Series: "idle", Engine: "cpu", Parameters: map[string]int64{report.Jobs: 0}}
	look := 20 * time.Second
	if o.Quick {
		look = 200 * time.Millisecond
	}
	return Case{result: r, goals: map[string]float64{residents: goalMemory, cpuShare: goalCPU}, open: func(ctx context.Context, r *report.Result) (*trial, error) {
		r.Input = newDigest().bytes([]byte(r.Case)).String()
		t, err := town.Open(ctx, town.Config{
			Program: o.Command, Spacing: time.Second, Heartbeat: time.Minute, Funds: "1x1",
			Parties: []town.Party{{Name: "client"}, {Name: "operator", Settings: []string{"--sell"}}},
		})
		if err != nil {
			return nil, err
		}
		if err := t.Operators(ctx, t.Node("client"), 1, 0); err != nil {
			return nil, errors.Join(err, t.Close())
		}
		pid := t.Node("operator").PID()
		return &trial{close: t.Close, run: func(ctx context.Context, _ int) ([]report.Reading, error) { return idle(ctx, pid, look) }}, nil
	}}
}

// idle looks at a process for a while.
func idle(ctx context.Context, pid int, look time.Duration) ([]report.Reading, error) {
	before, err := usageOf(pid)
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(look)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
	}
	after, err := usageOf(pid)
	if err != nil {
		return nil, err
	}
	return []report.Reading{
		{Metric: residents, Unit: report.Bytes, Value: after.resident},
		{Metric: cpuShare, Unit: report.Cores, Value: (after.cpu - before.cpu) / look.Seconds()},
	}, nil
}

// usage is what a process takes.
type usage struct {
	resident float64 // bytes
	cpu      float64 // seconds since it began
}

// ticks is how many of the units in which Linux counts processor time make a second (proc(5): USER_HZ).
const ticks = 100

// usageOf reads /proc: proc(5), stat and statm.
func usageOf(pid int) (u usage, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, fmt.Errorf("what a process takes is read on Linux only: %w", err)
	}
	_, rest, _ := bytes.Cut(stat, []byte(") ")) // the name may have spaces
	fields := strings.Fields(string(rest))
	const utime, stime = 11, 12
	if len(fields) <= stime {
		return u, fmt.Errorf("%d fields in stat", len(fields))
	}
	for _, i := range []int{utime, stime} {
		n, err := strconv.ParseUint(fields[i], 10, 64)
		if err != nil {
			return u, err
		}
		u.cpu += float64(n) / ticks
	}
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return u, err
	}
	pages := strings.Fields(string(statm))
	if len(pages) < 2 {
		return u, fmt.Errorf("%d fields in statm", len(pages))
	}
	n, err := strconv.ParseUint(pages[1], 10, 64)
	u.resident = float64(n) * float64(os.Getpagesize())
	return u, err
}
