package float

// LeakyRelu is x for x ≥ 0 and Alpha·x otherwise.
type LeakyRelu struct{ Alpha float32 }

var _ Scalar = (*LeakyRelu)(nil)

// Kind returns "LeakyRelu".
func (*LeakyRelu) Kind() string { return "LeakyRelu" }

// Apply returns x or Alpha·x.
func (l *LeakyRelu) Apply(x float64) float64 {
	if x < 0 {
		return float64(l.Alpha) * x
	}
	return x
}

// InferShape returns the input's shape.
func (*LeakyRelu) InferShape(in [][]int) ([]int, error) { return sameShape(in) }

func (l *LeakyRelu) eval(in []Tensor, out Tensor) { mapCells(l, in[0], out) }
