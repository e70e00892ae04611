package float

// Relu is max(x, 0).
type Relu struct{}

var _ Scalar = (*Relu)(nil)

// Kind returns "Relu".
func (*Relu) Kind() string { return "Relu" }

// Apply returns max(x, 0).
func (*Relu) Apply(x float64) float64 { return max(x, 0) }

// InferShape returns the input's shape.
func (*Relu) InferShape(in [][]int) ([]int, error) { return sameShape(in) }

func (r *Relu) eval(in []Tensor, out Tensor) { mapCells(r, in[0], out) }
