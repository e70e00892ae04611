package float

import "math"

// Pow is x to the power of Exponent; 2 gives squares.
type Pow struct{ Exponent float32 }

var _ Scalar = (*Pow)(nil)

// Kind returns "Pow".
func (*Pow) Kind() string { return "Pow" }

// Apply returns x to the power of Exponent.
func (p *Pow) Apply(x float64) float64 {
	if p.Exponent == 2 {
		return x * x
	}
	return math.Pow(x, float64(p.Exponent))
}

// InferShape returns the input's shape.
func (*Pow) InferShape(in [][]int) ([]int, error) { return sameShape(in) }

func (p *Pow) eval(in []Tensor, out Tensor) { mapCells(p, in[0], out) }

// Sqrt is the square root; of a negative cell it is NaN.
type Sqrt struct{}

var _ Scalar = (*Sqrt)(nil)

// Kind returns "Sqrt".
func (*Sqrt) Kind() string { return "Sqrt" }

// Apply returns √x.
func (*Sqrt) Apply(x float64) float64 { return math.Sqrt(x) }

// InferShape returns the input's shape.
func (*Sqrt) InferShape(in [][]int) ([]int, error) { return sameShape(in) }

func (s *Sqrt) eval(in []Tensor, out Tensor) { mapCells(s, in[0], out) }

// Reciprocal is 1/x.
type Reciprocal struct{}

var _ Scalar = (*Reciprocal)(nil)

// Kind returns "Reciprocal".
func (*Reciprocal) Kind() string { return "Reciprocal" }

// Apply returns 1/x.
func (*Reciprocal) Apply(x float64) float64 { return 1 / x }

// InferShape returns the input's shape.
func (*Reciprocal) InferShape(in [][]int) ([]int, error) { return sameShape(in) }

func (r *Reciprocal) eval(in []Tensor, out Tensor) { mapCells(r, in[0], out) }

// Abs is the magnitude.
type Abs struct{}

var _ Scalar = (*Abs)(nil)

// Kind returns "Abs".
func (*Abs) Kind() string { return "Abs" }

// Apply returns |x|.
func (*Abs) Apply(x float64) float64 { return math.Abs(x) }

// InferShape returns the input's shape.
func (*Abs) InferShape(in [][]int) ([]int, error) { return sameShape(in) }

func (a *Abs) eval(in []Tensor, out Tensor) { mapCells(a, in[0], out) }
