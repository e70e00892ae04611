package gpu

import (
	"context"
	"fmt"
)

// Reading is what a device's sensors say. A field that the device does not report is zero.
type Reading struct {
	Temperature int    `json:"temperature_c"`
	Slowdown    int    `json:"slowdown_c"` // at this temperature the hardware slows itself down
	Shutdown    int    `json:"shutdown_c"` // at this temperature it stops
	Used        uint64 `json:"used_bytes"` // by all processes
	Total       uint64 `json:"total_bytes"`
	Utilization int    `json:"utilization_percent"`
}

// Observation is what happened to a device since the last one.
type Observation struct {
	UUID    string   `json:"uuid"`
	Reading *Reading `json:"reading,omitempty"` // nil: none was taken
	Gone    bool     `json:"gone,omitempty"`    // the driver or a job found it lost
	XIDs    []uint64 `json:"xids,omitempty"`    // errors that the driver reported
	Hung    int      `json:"-"`                 // jobs that were killed because they hung
	Done    int      `json:"-"`                 // jobs that ended as they should
}

// Source takes one Observation of each device. An error means that nothing is known, which
// is not the same as a failed device.
type Source interface {
	Observe(ctx context.Context) ([]Observation, error)
}

// ValidateObservations checks observations that come from a child process.
func ValidateObservations(all []Observation) error {
	if len(all) > maxDevices {
		return fmt.Errorf("%w: %d observations", ErrMalformed, len(all))
	}
	for _, o := range all {
		if err := validateUUID(o.UUID); err != nil {
			return err
		}
		if len(o.XIDs) > maxXIDs {
			return fmt.Errorf("%w: %d errors of device %s", ErrMalformed, len(o.XIDs), o.UUID)
		}
	}
	return nil
}
