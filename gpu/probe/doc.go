// Package probe finds out what a machine has: NVIDIA's devices and their sensors, ONNX
// Runtime and its providers. All native code runs in child processes; a crash or a hang
// there is a Finding.
package probe

import (
	"context"
	"errors"

	"github.com/weisyn/wes/gpu"
)

// All takes the inventories of several probers, in their order, as one.
type All []gpu.Prober

var _ gpu.Prober = All{}

// Probe joins what the probers find, and their errors.
func (a All) Probe(ctx context.Context) (gpu.Inventory, error) {
	var all gpu.Inventory
	var failed error
	for _, p := range a {
		i, err := p.Probe(ctx)
		failed = errors.Join(failed, err)
		all.Devices = append(all.Devices, i.Devices...)
		all.Findings = append(all.Findings, i.Findings...)
	}
	return all, failed
}
