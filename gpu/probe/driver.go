package probe

import (
	"context"
	"fmt"

	"github.com/weisyn/wes/gpu"
	"github.com/weisyn/wes/gpu/nvml"
)

// Driver asks NVIDIA's driver in a child process.
type Driver struct{ Child Runner }

var (
	_ gpu.Prober = Driver{}
	_ gpu.Source = Driver{}
)

// Probe lists the devices. A child that is lost on the way is a Finding.
func (d Driver) Probe(ctx context.Context) (gpu.Inventory, error) {
	return Remote{d.Child, methodProbe, nvml.Subject}.Probe(ctx)
}

// Observe reads all sensors, and the errors reported since it was last called.
func (d Driver) Observe(ctx context.Context) ([]gpu.Observation, error) {
	var all []gpu.Observation
	err := ask(ctx, d.Child, methodObserve, func(b []byte) (err error) { all, err = decodeObservations(b); return err })
	if err != nil {
		return nil, fmt.Errorf("observe devices: %w", err)
	}
	return all, nil
}
