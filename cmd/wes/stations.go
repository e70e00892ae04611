package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/weisyn/wes/gpu/machine"
	"github.com/weisyn/wes/node/executor"
	"github.com/weisyn/wes/node/fleet"
	"github.com/weisyn/wes/node/works"
	"github.com/weisyn/wes/prover"
	"github.com/weisyn/wes/prover/pipeline"
)

// workplace says what of this machine works for the market.
type workplace struct {
	name   string // of the worker, unique in its queue
	dir    string // for prepared models; empty: none are kept
	memory uint64 // bytes of a job on the CPU; 0: three quarters of what is free
}

// stations opens the devices of this machine: every GPU that ICICLE can use, and the CPU. They must be
// closed.
func (p *workplace) stations(ctx context.Context) (all []works.Station, err error) {
	if p.memory == 0 {
		p.memory = freeMemory() / 4 * 3
	}
	shelf, err := p.openShelf()
	if err != nil {
		return nil, err
	}
	cpu, err := openMachine(ctx, false, p.circuitOptions())
	if err != nil {
		return nil, err
	}
	slot := fleet.Slot{
		Device: "cpu-" + p.name, Class: fmt.Sprintf("cpu-%s-%d", runtime.GOARCH, runtime.GOMAXPROCS(0)), Memory: p.memory, CPU: true,
	}
	all = append(all, p.station(slot, shelf, cpu, nil, cpu.Close))
	seen := map[string]bool{}
	for {
		c, err := openCommitter(ctx, deviceAuto, p.circuitOptions())
		if err != nil {
			return nil, errors.Join(err, closeStations(all))
		}
		if c == nil || c.lease == nil || seen[c.lease.Device().UUID] {
			if c != nil {
				err = c.Close()
			}
			return all, err
		}
		d := c.lease.Device()
		seen[d.UUID] = true
		slot := fleet.Slot{Device: safe(d.UUID), Class: safe(d.Name), Memory: p.memory}
		all = append(all, p.station(slot, shelf, c.machine, c, c.Close))
	}
}

// station is a device that commits with c, or on the CPU if c is nil, and proves circuits on a machine.
func (p *workplace) station(slot fleet.Slot, shelf *executor.Shelf, m *machine.Machine, c prover.Committer, free func() error) works.Station {
	circuits := newCircuits(m, p.circuitOptions())
	x := executor.Config{Committer: c, Runtime: runtimes{}, Limits: pipeline.Limits{Memory: p.memory}}
	if p.dir != "" {
		x.Cache, x.Shelf, x.Circuits = &pipeline.Cache{Dir: filepath.Join(p.dir, "models")}, shelf, circuits
	}
	return works.Station{Slot: slot, Executor: executor.New(x), Close: func() error { return errors.Join(circuits.Close(), free()) }}
}

func closeStations(all []works.Station) error { return works.NewCrew(all).Close() }

// safe makes a name of a device fit for a queue.
func safe(name string) string {
	s := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, name)
	return s[:min(len(s), 64)]
}

// defaultMemory is taken for free where the system does not say, in bytes.
const defaultMemory = 8 << 30

// freeMemory is what the system says can be taken without swapping, in bytes.
func freeMemory() uint64 {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return defaultMemory
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "MemAvailable:"); ok {
			if kib, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 50); err == nil {
				return kib << 10
			}
		}
	}
	return defaultMemory
}
