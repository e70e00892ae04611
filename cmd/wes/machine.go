package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/weisyn/wes/gpu"
	"github.com/weisyn/wes/gpu/dispatch"
	"github.com/weisyn/wes/gpu/machine"
	"github.com/weisyn/wes/gpu/msm/icicle"
	"github.com/weisyn/wes/gpu/probe"
	"github.com/weisyn/wes/gpu/worker"
)

// The choices of --device.
const (
	deviceAuto   = "auto"   // a GPU that works, else the CPU
	deviceCPU    = "cpu"    // nothing is looked for
	deviceICICLE = "icicle" // ICICLE, or an error
)

// wantsDevice says whether devices are to be looked for. unlinked is what a build lacks that
// cannot use any, nil for one that can.
func wantsDevice(choice string, unlinked error) (bool, error) {
	switch choice {
	case deviceCPU:
		return false, nil
	case deviceAuto:
		return unlinked == nil, nil
	case deviceICICLE:
		if unlinked != nil {
			return false, fmt.Errorf("--device %s: %w", choice, unlinked)
		}
		return true, nil
	}
	return false, fmt.Errorf("--device %q is unknown: it is %s, %s or %s", choice, deviceAuto, deviceCPU, deviceICICLE)
}

// openMachine takes the devices that ICICLE can use, if they are to be looked for. Workers
// have options o. It must be closed.
func openMachine(ctx context.Context, look bool, o worker.Options) (*machine.Machine, error) {
	o.Env = append(o.Env, icicleEnvironment()...)
	options := machine.Options{Start: dispatch.Supervise(o, worker.Backoff{})}
	if look {
		child := worker.NewSupervisor(worker.Options{}, worker.Backoff{})
		driver := probe.Driver{Child: child}
		options.Prober, options.Source, options.Child = probe.All{driver, brieflyICICLE{}}, driver, child
		options.Needs = []string{icicle.SubjectCUDA}
	}
	return machine.Open(ctx, options)
}

// brieflyICICLE probes in a child of its own, which ends with the probe: ICICLE keeps memory of
// the device that it tried.
type brieflyICICLE struct{}

var _ gpu.Prober = brieflyICICLE{}

func (brieflyICICLE) Probe(ctx context.Context) (gpu.Inventory, error) {
	child := worker.NewSupervisor(worker.Options{Env: icicleEnvironment()}, worker.Backoff{})
	i, err := icicleProbe{child}.Probe(ctx)
	return i, errors.Join(err, child.Close())
}
