// Package onnx runs ONNX models on ONNX Runtime. It alone imports the binding.
//
// Native code can end a process in ways that Go cannot catch, so ONNX Runtime lives in a
// child process of package worker, whose table of methods must have Methods. A crash, a hang
// or a memory overrun of the child is an error of the call that met it, and the Client is of
// no use afterwards: Close it and open another.
//
// The package must only be given models that the caller wrote itself: see prover/model/emit.
package onnx

import "errors"

var (
	// ErrUnavailable is returned by Locate, Open and Fetch when this build or machine
	// has no ONNX Runtime; the error that wraps it says what to do.
	ErrUnavailable = errors.New("ONNX Runtime is unavailable")
	// ErrInexact is returned by Open when the provider fails the self-test.
	ErrInexact = errors.New("provider is not exact")
	// ErrDied is returned by every call once the child process has ended or was killed; it
	// comes with the worker.Failure that says why.
	ErrDied = errors.New("ONNX Runtime process died")
	// ErrRuntime is returned for errors that ONNX Runtime reports itself.
	ErrRuntime = errors.New("ONNX Runtime")
	// ErrProtocol is returned for requests and replies of a form that cannot be.
	ErrProtocol = errors.New("protocol error")
)

// Value names an input or output of a model and gives its form.
type Value struct {
	Name   string
	Double bool // float64 cells, else float32
	Shape  []int
}

// size is the number of bytes of the value's cells, or -1 for a shape beyond maxTensor.
func (v *Value) size() int {
	n := 4
	if v.Double {
		n = 8
	}
	for _, d := range v.Shape {
		if d < 1 || d > maxTensor/n {
			return -1
		}
		n *= d
	}
	return n
}
