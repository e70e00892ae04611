package float

import "math"

// Floor is the largest integer that is not above x.
type Floor struct{}

var _ Scalar = (*Floor)(nil)

// Kind returns "Floor".
func (*Floor) Kind() string { return "Floor" }

// Apply returns ⌊x⌋.
func (*Floor) Apply(x float64) float64 { return math.Floor(x) }

// InferShape returns the input's shape.
func (*Floor) InferShape(in [][]int) ([]int, error) { return sameShape(in) }

func (f *Floor) eval(in []Tensor, out Tensor) { mapCells(f, in[0], out) }

// Ceil is the least integer that is not below x.
type Ceil struct{}

var _ Scalar = (*Ceil)(nil)

// Kind returns "Ceil".
func (*Ceil) Kind() string { return "Ceil" }

// Apply returns ⌈x⌉.
func (*Ceil) Apply(x float64) float64 { return math.Ceil(x) }

// InferShape returns the input's shape.
func (*Ceil) InferShape(in [][]int) ([]int, error) { return sameShape(in) }

func (c *Ceil) eval(in []Tensor, out Tensor) { mapCells(c, in[0], out) }

// Round is the nearest integer, the even one of two.
type Round struct{}

var _ Scalar = (*Round)(nil)

// Kind returns "Round".
func (*Round) Kind() string { return "Round" }

// Apply returns x rounded half to even.
func (*Round) Apply(x float64) float64 { return math.RoundToEven(x) }

// InferShape returns the input's shape.
func (*Round) InferShape(in [][]int) ([]int, error) { return sameShape(in) }

func (r *Round) eval(in []Tensor, out Tensor) { mapCells(r, in[0], out) }
