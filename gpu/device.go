package gpu

import (
	"context"
	"fmt"
	"strings"
)

// Device is an accelerator, or one MIG instance of it.
type Device struct {
	UUID              string `json:"uuid"` // as the driver gives it: GPU-… or MIG-…
	Name              string `json:"name"`
	Memory            uint64 `json:"memory_bytes"`
	ComputeCapability string `json:"compute_capability"` // "9.0"; "" if unknown
	Driver            string `json:"driver"`             // version of the driver
	PCI               string `json:"pci_bus_id"`
	Index             int    `json:"index"` // the driver's, from 0; for people only
}

// Status is what became of something that was looked for.
type Status string

// The statuses of a Finding.
const (
	Found   Status = "found"
	Missing Status = "missing" // not there
	Broken  Status = "broken"  // there, and of no use
)

// Finding says what became of one thing that makes work faster when it is there.
type Finding struct {
	Subject string `json:"subject"`
	Status  Status `json:"status"`
	Why     string `json:"why"`          // what was seen
	Do      string `json:"do,omitempty"` // what to install or do; "" when nothing is to do
}

// Inventory is what a machine has. Its devices and what was looked for are in the order of
// search.
type Inventory struct {
	Devices  []Device  `json:"devices"`
	Findings []Finding `json:"findings"`
}

// Prober takes an Inventory. What is missing is a Finding, never an error; an error means
// that looking itself went wrong.
type Prober interface {
	Probe(ctx context.Context) (Inventory, error)
}

// Bounds of what a child process may say.
const (
	maxDevices  = 1024
	maxFindings = 256
	maxText     = 4096
	maxUUID     = 96 // NVML_DEVICE_UUID_V2_BUFFER_SIZE of nvml.h
	maxXIDs     = 1024
)

// Validate checks an Inventory that comes from a child process.
func (i *Inventory) Validate() error {
	if len(i.Devices) > maxDevices || len(i.Findings) > maxFindings {
		return fmt.Errorf("%w: %d devices and %d findings", ErrMalformed, len(i.Devices), len(i.Findings))
	}
	for n, d := range i.Devices {
		if err := d.validate(); err != nil {
			return fmt.Errorf("device %d: %w", n, err)
		}
	}
	for n, f := range i.Findings {
		if err := f.validate(); err != nil {
			return fmt.Errorf("finding %d: %w", n, err)
		}
	}
	return nil
}

func (d *Device) validate() error {
	if err := validateUUID(d.UUID); err != nil {
		return err
	}
	return validateTexts(d.Name, d.ComputeCapability, d.Driver, d.PCI)
}

func (f *Finding) validate() error {
	switch f.Status {
	case Found, Missing, Broken:
		return validateTexts(f.Subject, f.Why, f.Do)
	}
	return fmt.Errorf("%w: status %.20q", ErrMalformed, f.Status)
}

func validateTexts(texts ...string) error {
	for _, t := range texts {
		if len(t) > maxText {
			return fmt.Errorf("%w: text of %d bytes, at most %d", ErrMalformed, len(t), maxText)
		}
	}
	return nil
}

// validateUUID admits what can be a value of an environment variable and, with its slashes
// replaced, the name of a file.
func validateUUID(uuid string) error {
	allowed := func(r rune) bool {
		return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' || r == '/'
	}
	if uuid == "" || len(uuid) > maxUUID || strings.ContainsFunc(uuid, func(r rune) bool { return !allowed(r) }) {
		return fmt.Errorf("%w: UUID %.100q", ErrMalformed, uuid)
	}
	return nil
}
