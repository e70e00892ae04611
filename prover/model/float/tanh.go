package float

import (
	"math"
)

// Tanh is the hyperbolic tangent.
type Tanh struct{}

var _ Scalar = (*Tanh)(nil)

// Kind returns "Tanh".
func (*Tanh) Kind() string { return "Tanh" }

// Apply returns tanh(x).
func (*Tanh) Apply(x float64) float64 { return math.Tanh(x) }

// InferShape returns the input's shape.
func (*Tanh) InferShape(in [][]int) ([]int, error) { return sameShape(in) }

func (t *Tanh) eval(in []Tensor, out Tensor) { mapCells(t, in[0], out) }
