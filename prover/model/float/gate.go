package float

import "math"

// Silu is x/(1 + exp(−x)).
type Silu struct{}

var _ Scalar = (*Silu)(nil)

// Kind returns "Silu".
func (*Silu) Kind() string { return "Silu" }

// Apply returns x/(1 + exp(−x)).
func (*Silu) Apply(x float64) float64 { return x / (1 + math.Exp(-x)) }

// InferShape returns the input's shape.
func (*Silu) InferShape(in [][]int) ([]int, error) { return sameShape(in) }

func (s *Silu) eval(in []Tensor, out Tensor) { mapCells(s, in[0], out) }

// HardSigmoid is min(max(Alpha·x + Beta, 0), 1).
type HardSigmoid struct{ Alpha, Beta float32 }

var _ Scalar = (*HardSigmoid)(nil)

// Kind returns "HardSigmoid".
func (*HardSigmoid) Kind() string { return "HardSigmoid" }

// Apply returns Alpha·x + Beta clamped to [0, 1].
func (h *HardSigmoid) Apply(x float64) float64 {
	return min(max(float64(h.Alpha)*x+float64(h.Beta), 0), 1)
}

// InferShape returns the input's shape.
func (*HardSigmoid) InferShape(in [][]int) ([]int, error) { return sameShape(in) }

func (h *HardSigmoid) eval(in []Tensor, out Tensor) { mapCells(h, in[0], out) }

// HardSwish is x·min(max(x/6 + 1/2, 0), 1).
type HardSwish struct{}

var _ Scalar = (*HardSwish)(nil)

// Kind returns "HardSwish".
func (*HardSwish) Kind() string { return "HardSwish" }

// Apply returns x·min(max(x/6 + 1/2, 0), 1).
func (*HardSwish) Apply(x float64) float64 { return x * min(max(x/6+0.5, 0), 1) }

// InferShape returns the input's shape.
func (*HardSwish) InferShape(in [][]int) ([]int, error) { return sameShape(in) }

func (h *HardSwish) eval(in []Tensor, out Tensor) { mapCells(h, in[0], out) }
