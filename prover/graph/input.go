package graph

import (
	"fmt"
	"math"
)

// Input is a public input. Its cells lie in [Lo, Hi]; a cell v stands for v*Scale.
type Input struct {
	Name   string
	Shape  []int
	Lo, Hi int64
	Scale  float64
}

func (*Input) kind() kind { return kindInput }

func (op *Input) shape(in [][]int) ([]int, error) {
	if len(in) != 0 {
		return nil, fmt.Errorf("%d inputs, want 0", len(in))
	}
	if !(op.Scale > 0) || math.IsInf(op.Scale, 1) {
		return nil, fmt.Errorf("scale %v", op.Scale)
	}
	if len(op.Name) > maxText {
		return nil, fmt.Errorf("name of %d bytes, at most %d", len(op.Name), maxText)
	}
	return op.Shape, nil
}

func (op *Input) bound(*Graph, []Interval) (Interval, error) {
	if op.Lo < -1<<31 || op.Hi >= 1<<31 {
		return Interval{}, fmt.Errorf("domain [%d, %d] exceeds 32 bits", op.Lo, op.Hi)
	}
	return Interval{op.Lo, op.Hi}, nil
}

func (op *Input) fields(c *codec) {
	c.text(&op.Name)
	c.dims(&op.Shape)
	c.int64(&op.Lo)
	c.int64(&op.Hi)
	c.float(&op.Scale)
}
