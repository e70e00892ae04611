// Package nvml reads NVIDIA's devices and their sensors from the driver's management
// library, which it loads at run time. It runs in child processes only: a driver at fault
// can end a process or never answer.
//
// The binding is a dozen functions of our own, found by dlsym. Calls, structures and codes
// are those of nvml.h, https://docs.nvidia.com/deploy/nvml-api/.
package nvml

import (
	"errors"
	"fmt"

	"github.com/weisyn/wes/gpu"
)

// Name is the file that the driver installs.
const Name = "libnvidia-ml.so.1"

// Subject names the library in findings.
const Subject = "NVIDIA driver"

var (
	// ErrUnsupported is returned by Open in builds that cannot load the library.
	ErrUnsupported = errors.New("this build cannot load the NVIDIA driver's library")
	// ErrNoLibrary is returned by Open when the library cannot be loaded.
	ErrNoLibrary = errors.New("cannot load the library")
	// ErrIncomplete is returned by Open for a library that lacks a function.
	ErrIncomplete = errors.New("the library is incomplete")
)

// Error is a call that the library refused.
type Error struct {
	Call string
	Code int // nvmlReturn_t
	Text string
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s (code %d)", e.Call, e.Text, e.Code) }

// Codes of nvmlReturn_t that are told apart.
const (
	codeNoPermission    = 4
	codeDriverNotLoaded = 9
	codeGPULost         = 15
	codeResetRequired   = 16
	codeBlocked         = 17
	codeMismatch        = 18
)

// Explain says what an error of Open means for who runs the machine.
func Explain(err error) gpu.Finding {
	f := gpu.Finding{Subject: Subject, Status: gpu.Broken, Why: err.Error()}
	var refusal *Error
	switch {
	case errors.Is(err, ErrUnsupported):
		f.Status, f.Do = gpu.Missing, "build on Linux with a C compiler installed"
	case errors.Is(err, ErrNoLibrary):
		f.Status, f.Do = gpu.Missing, "if this machine has an NVIDIA GPU: install its driver; in a container: start it with the NVIDIA container toolkit"
	case errors.Is(err, ErrIncomplete):
		f.Do = "install a newer NVIDIA driver"
	case errors.As(err, &refusal):
		f.Do = advice(refusal.Code)
	}
	return f
}

func advice(code int) string {
	switch code {
	case codeDriverNotLoaded:
		return "load the driver's kernel module: modprobe nvidia, or restart the machine after installing it"
	case codeMismatch:
		return "kernel module and library are of two versions: restart the machine"
	case codeNoPermission, codeBlocked:
		return "let this user open /dev/nvidia*"
	}
	return "see what nvidia-smi says"
}
