// Package tensor is what both ends of a request need to move between numbers of the
// outside world and cells of an integer graph: files with inputs and outputs,
// quantisation of inputs, dequantisation of outputs, and the tails that a client computes
// from proven outputs. It executes no network, so that a verifier may import it.
//
// The same inputs give the same cells on every platform: no intermediate product is left
// to be fused into a later addition.
package tensor

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/weisyn/wes/prover/graph"
)

var (
	// ErrFormat marks bytes that are not a file of the stated format.
	ErrFormat = errors.New("malformed tensor file")
	// ErrInput marks tensors that are not the graph's inputs: names, shapes or numbers.
	ErrInput = errors.New("input does not fit the model")
)

// Tensor is a named array in row-major order. Name may be empty when the file that it
// came from has no names.
type Tensor struct {
	Name     string
	Shape    []int
	Datatype string // FP32, INT64, … of the Open Inference Protocol
	Data     []float64
}

// elements is the number of cells of a shape from outside, which must be positive and
// not exceed graph.MaxElements.
func elements(shape []int) (int, error) {
	if len(shape) > graph.MaxRank {
		return 0, fmt.Errorf("rank %d exceeds %d", len(shape), graph.MaxRank)
	}
	n := 1
	for _, d := range shape {
		if d < 1 || d > graph.MaxElements/n {
			return 0, fmt.Errorf("shape %v is empty or exceeds %d cells", shape, graph.MaxElements)
		}
		n *= d
	}
	return n, nil
}

// position is the index of a flat cell in a shape.
func position(shape []int, cell int) []int {
	at := make([]int, len(shape))
	for i := len(shape) - 1; i >= 0; i-- {
		at[i] = cell % shape[i]
		cell /= shape[i]
	}
	return at
}

func (t *Tensor) check() error {
	n, err := elements(t.Shape)
	if err != nil {
		return fmt.Errorf("tensor %q: %w", t.Name, err)
	}
	if n != len(t.Data) {
		return fmt.Errorf("tensor %q has %d values, its shape %v wants %d", t.Name, len(t.Data), t.Shape, n)
	}
	i := slices.IndexFunc(t.Data, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
	if i >= 0 {
		return fmt.Errorf("tensor %q: cell %v is not a finite number", t.Name, position(t.Shape, i))
	}
	return nil
}
