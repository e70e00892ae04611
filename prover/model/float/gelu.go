package float

import "math"

// Erf is the error function.
type Erf struct{}

var _ Scalar = (*Erf)(nil)

// Kind returns "Erf".
func (*Erf) Kind() string { return "Erf" }

// Apply returns erf(x).
func (*Erf) Apply(x float64) float64 { return math.Erf(x) }

// InferShape returns the input's shape.
func (*Erf) InferShape(in [][]int) ([]int, error) { return sameShape(in) }

func (e *Erf) eval(in []Tensor, out Tensor) { mapCells(e, in[0], out) }

// Gelu is x·Φ(x) = x·(1 + erf(x/√2))/2, after Hendrycks and Gimpel, arXiv 1606.08415.
type Gelu struct{}

var _ Scalar = (*Gelu)(nil)

// Kind returns "Gelu".
func (*Gelu) Kind() string { return "Gelu" }

// Apply returns x·(1 + erf(x/√2))/2.
func (*Gelu) Apply(x float64) float64 { return x * (1 + math.Erf(x/math.Sqrt2)) / 2 }

// InferShape returns the input's shape.
func (*Gelu) InferShape(in [][]int) ([]int, error) { return sameShape(in) }

func (g *Gelu) eval(in []Tensor, out Tensor) { mapCells(g, in[0], out) }

// GeluTanh is x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2, section 2 of arXiv 1606.08415.
type GeluTanh struct{}

var _ Scalar = (*GeluTanh)(nil)

// Kind returns "GeluTanh".
func (*GeluTanh) Kind() string { return "GeluTanh" }

// Apply returns x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2.
func (*GeluTanh) Apply(x float64) float64 {
	return x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+geluCubic*x*x*x))) / 2
}

// InferShape returns the input's shape.
func (*GeluTanh) InferShape(in [][]int) ([]int, error) { return sameShape(in) }

func (g *GeluTanh) eval(in []Tensor, out Tensor) { mapCells(g, in[0], out) }

// geluCubic is the coefficient of x³ in GeluTanh.
const geluCubic = 0.044715
