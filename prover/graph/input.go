package graph

import (
	"fmt"
	"math"
)

// Input is a public input. Its cells lie in [Lo, Hi]; a cell v stands for v*Scale, and where there are
// Steps, one for each index of the last axis, for v*Scale times the step of its index: features of a
// table differ by orders of magnitude. If Keys is set, a cell is the Key of the float32 that it stands
// for, which no scale changes.
type Input struct {
	Name   string
	Shape  []int
	Lo, Hi int64
	Keys   bool
	Scale  float64
	Steps  []float64
}

// Step is what one stands for in a cell, by its row-major index.
func (op *Input) Step(cell int) float64 {
	if len(op.Steps) == 0 {
		return op.Scale
	}
	return op.Scale * op.Steps[cell%len(op.Steps)]
}

// maxSteps bounds the features of an input that has steps.
const maxSteps = 1 << 16

func (*Input) kind() kind { return kindInput }

func (op *Input) shape(in [][]int) ([]int, error) {
	if len(in) != 0 {
		return nil, fmt.Errorf("%d inputs, want 0", len(in))
	}
	if !(op.Scale > 0) || math.IsInf(op.Scale, 1) {
		return nil, fmt.Errorf("scale %v", op.Scale)
	}
	if op.Keys && (op.Scale != 1 || len(op.Steps) > 0 || op.Lo < -MaxKey || op.Hi > MaxKey) {
		return nil, fmt.Errorf("keys in [%d, %d] with scale %v and %d steps", op.Lo, op.Hi, op.Scale, len(op.Steps))
	}
	if n := len(op.Steps); n > 0 && (len(op.Shape) == 0 || n != op.Shape[len(op.Shape)-1]) {
		return nil, fmt.Errorf("%d steps for an input of shape %v", n, op.Shape)
	}
	for i := range op.Steps {
		if s := op.Step(i); !(s > 0) || math.IsInf(s, 1) {
			return nil, fmt.Errorf("step %v at index %d", s, i)
		}
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
	c.bool(&op.Keys)
	c.float(&op.Scale)
	c.floats(&op.Steps, maxSteps)
}
