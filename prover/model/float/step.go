package float

// Step is 1 for x > Threshold, for x = Threshold too with OrEqual, and 0 otherwise.
type Step struct {
	Threshold float32
	OrEqual   bool
}

var _ Scalar = (*Step)(nil)

// Kind returns "Step".
func (*Step) Kind() string { return "Step" }

// Apply returns 0 or 1.
func (s *Step) Apply(x float64) float64 {
	t := float64(s.Threshold)
	if x > t || s.OrEqual && x == t {
		return 1
	}
	return 0
}

// InferShape returns the input's shape.
func (*Step) InferShape(in [][]int) ([]int, error) { return sameShape(in) }

func (s *Step) eval(in []Tensor, out Tensor) { mapCells(s, in[0], out) }

// Equal is 1 for x = Value and 0 otherwise.
type Equal struct{ Value float32 }

var _ Scalar = (*Equal)(nil)

// Kind returns "Equal".
func (*Equal) Kind() string { return "Equal" }

// Apply returns 0 or 1.
func (e *Equal) Apply(x float64) float64 {
	if x == float64(e.Value) {
		return 1
	}
	return 0
}

// InferShape returns the input's shape.
func (*Equal) InferShape(in [][]int) ([]int, error) { return sameShape(in) }

func (e *Equal) eval(in []Tensor, out Tensor) { mapCells(e, in[0], out) }

// Sign is −1, 0 or 1.
type Sign struct{}

var _ Scalar = (*Sign)(nil)

// Kind returns "Sign".
func (*Sign) Kind() string { return "Sign" }

// Apply returns −1 for negative x, 1 for positive x, 0 for 0.
func (*Sign) Apply(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// InferShape returns the input's shape.
func (*Sign) InferShape(in [][]int) ([]int, error) { return sameShape(in) }

func (s *Sign) eval(in []Tensor, out Tensor) { mapCells(s, in[0], out) }
