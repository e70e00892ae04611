//go:build !cgo

package onnx

import "fmt"

// linked says whether this build can load the library.
const linked = false

func newEngine(setup) (engine, error) {
	return nil, fmt.Errorf("%w: this build has no cgo", ErrUnavailable)
}
