package main

import (
	"context"
	"errors"

	"github.com/weisyn/wes/benchmarks/report"
	"github.com/weisyn/wes/gpu/probe"
	"github.com/weisyn/wes/gpu/worker"
)

// benchDevices lists the GPUs with their temperatures as they are now.
func benchDevices(ctx context.Context) (_ []report.Device, err error) {
	child := worker.NewSupervisor(worker.Options{}, worker.Backoff{})
	defer func() { err = errors.Join(err, child.Close()) }()
	driver := probe.Driver{Child: child}
	found, err := driver.Probe(ctx)
	if err != nil {
		return nil, err
	}
	seen := observe(ctx, driver, len(found.Devices))
	var devices []report.Device
	for _, d := range found.Devices {
		x := report.Device{UUID: d.UUID, Name: d.Name, Driver: d.Driver, Memory: int64(d.Memory)}
		if r := seen[d.UUID].Reading; r != nil {
			x.Start = r.Temperature
		}
		devices = append(devices, x)
	}
	return devices, nil
}
