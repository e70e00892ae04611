// Package gpu is the vocabulary of devices: what there is (Device, Finding), who uses which
// memory of it (Slots), which process owns it (Claim), and whether it is fit for work
// (Health, Monitor). It calls no native code: what is found and measured comes through
// Prober and Source, which run in child processes.
//
// A device is known by its UUID and nothing else. An index changes with the environment of
// a process and with the next start of the machine; two indices may be one device.
package gpu

import "errors"

var (
	// ErrNoDevice is returned by Slots.Acquire when no device is in service, and by
	// TakeOut and PutBack for a UUID that the Slots do not have.
	ErrNoDevice = errors.New("no device")
	// ErrTooLarge is returned by Slots.Acquire when no device in service has so much
	// memory, even when idle.
	ErrTooLarge = errors.New("more memory than any device in service has")
	// ErrMalformed is returned by Inventory.Validate and ValidateObservations.
	ErrMalformed = errors.New("malformed account of devices")
)
