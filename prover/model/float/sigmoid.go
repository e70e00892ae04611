package float

import (
	"math"
)

// Sigmoid is 1/(1 + exp(−x)).
type Sigmoid struct{}

var _ Scalar = (*Sigmoid)(nil)

// Kind returns "Sigmoid".
func (*Sigmoid) Kind() string { return "Sigmoid" }

// Apply returns the logistic function of x.
func (*Sigmoid) Apply(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// InferShape returns the input's shape.
func (*Sigmoid) InferShape(in [][]int) ([]int, error) { return sameShape(in) }

func (s *Sigmoid) eval(in []Tensor, out Tensor) { mapCells(s, in[0], out) }
