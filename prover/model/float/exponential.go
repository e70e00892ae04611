package float

import "math"

// Exp is exp(x).
type Exp struct{}

var _ Scalar = (*Exp)(nil)

// Kind returns "Exp".
func (*Exp) Kind() string { return "Exp" }

// Apply returns exp(x).
func (*Exp) Apply(x float64) float64 { return math.Exp(x) }

// InferShape returns the input's shape.
func (*Exp) InferShape(in [][]int) ([]int, error) { return sameShape(in) }

func (e *Exp) eval(in []Tensor, out Tensor) { mapCells(e, in[0], out) }

// Log is the natural logarithm; of a cell that is not positive it is −Inf or NaN.
type Log struct{}

var _ Scalar = (*Log)(nil)

// Kind returns "Log".
func (*Log) Kind() string { return "Log" }

// Apply returns ln(x).
func (*Log) Apply(x float64) float64 { return math.Log(x) }

// InferShape returns the input's shape.
func (*Log) InferShape(in [][]int) ([]int, error) { return sameShape(in) }

func (l *Log) eval(in []Tensor, out Tensor) { mapCells(l, in[0], out) }

// Softplus is ln(1 + exp(x)).
type Softplus struct{}

var _ Scalar = (*Softplus)(nil)

// Kind returns "Softplus".
func (*Softplus) Kind() string { return "Softplus" }

// Apply returns ln(1 + exp(x)), without overflow.
func (*Softplus) Apply(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// InferShape returns the input's shape.
func (*Softplus) InferShape(in [][]int) ([]int, error) { return sameShape(in) }

func (s *Softplus) eval(in []Tensor, out Tensor) { mapCells(s, in[0], out) }

// Elu is x for x ≥ 0 and Alpha·(exp(x) − 1) otherwise.
type Elu struct{ Alpha float32 }

var _ Scalar = (*Elu)(nil)

// Kind returns "Elu".
func (*Elu) Kind() string { return "Elu" }

// Apply returns x or Alpha·(exp(x) − 1).
func (e *Elu) Apply(x float64) float64 {
	if x < 0 {
		return float64(e.Alpha) * math.Expm1(x)
	}
	return x
}

// InferShape returns the input's shape.
func (*Elu) InferShape(in [][]int) ([]int, error) { return sameShape(in) }

func (e *Elu) eval(in []Tensor, out Tensor) { mapCells(e, in[0], out) }
