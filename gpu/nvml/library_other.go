//go:build !(linux && cgo)

package nvml

import "github.com/weisyn/wes/gpu"

// Library cannot exist in this build.
type Library struct{}

// Open returns ErrUnsupported.
func Open(string) (*Library, error) { return nil, ErrUnsupported }

// Close does nothing.
func (*Library) Close() error { return nil }

// Devices lists none.
func (*Library) Devices() []gpu.Device { return nil }

// Findings has none.
func (*Library) Findings() []gpu.Finding { return nil }

// Observe observes nothing.
func (*Library) Observe() []gpu.Observation { return nil }
