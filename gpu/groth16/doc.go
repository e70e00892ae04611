// Package groth16 proves Groth16 on a CUDA device through gnark's ICICLE backend.
//
// It is there in builds with the tag icicle, which link ICICLE's libraries. Its native code
// ends the process where others return an error, so it belongs in a child process, and Open
// comes first: it finds out whether there is a device.
package groth16

import "errors"

// ErrUnavailable is returned by Open when there is no device or this build has no ICICLE; the
// error says which, and what to do.
var ErrUnavailable = errors.New("ICICLE is unavailable")

// Device is the first CUDA device that this process sees. Provers of circuits take it as
// their accelerator.
type Device struct{}

// Name is for reports.
func (*Device) Name() string { return "icicle" }
