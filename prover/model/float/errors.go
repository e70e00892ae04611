package float

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrLimit is returned by Import when a model exceeds a field of Limits.
	ErrLimit = errors.New("limit exceeded")
	// ErrShape is returned by Import for an input whose shape is not bound, and
	// by Evaluate for inputs that are not the graph's.
	ErrShape = errors.New("wrong shape")
	// ErrDomain is returned by Evaluate for a cell of an integer input that is no
	// integer or outside the input's domain.
	ErrDomain = errors.New("outside the input's domain")
	// ErrNotFinite is returned by Import for a NaN or an infinity in a constant.
	ErrNotFinite = errors.New("constant is not finite")
)

// Unsupported is one thing that the float graph cannot express.
type Unsupported struct {
	Node   string // name of the ONNX node, or of a graph input or output
	Op     string // ONNX operator with its domain, "input" or "output"
	Reason string
}

// UnsupportedError lists everything in a model that Import cannot express, in
// the order of the nodes.
type UnsupportedError struct{ Items []Unsupported }

// Error returns all items, one per line after the first line.
func (e *UnsupportedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "model has %d unsupported parts", len(e.Items))
	for _, it := range e.Items {
		fmt.Fprintf(&b, "\n  %s %q: %s", it.Op, it.Node, it.Reason)
	}
	return b.String()
}
