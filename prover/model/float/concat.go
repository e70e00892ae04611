package float

import (
	"errors"
	"fmt"
	"slices"
)

// Concat joins its inputs along Axis.
type Concat struct{ Axis int }

var _ mover = (*Concat)(nil)

// Kind returns "Concat".
func (*Concat) Kind() string { return "Concat" }

// InferShape adds the lengths along Axis.
func (c *Concat) InferShape(in [][]int) ([]int, error) {
	if len(in) == 0 || c.Axis < 0 || c.Axis >= len(in[0]) {
		return nil, fmt.Errorf("axis %d of %d inputs", c.Axis, len(in))
	}
	out := slices.Clone(in[0])
	for _, s := range in[1:] {
		if len(s) != len(out) {
			return nil, fmt.Errorf("inputs of different ranks %v and %v", in[0], s)
		}
		for d := range s {
			if d != c.Axis && s[d] != out[d] {
				return nil, fmt.Errorf("inputs of different shapes %v and %v", in[0], s)
			}
		}
		out[c.Axis] += s[c.Axis]
	}
	return out, nil
}

func (c *Concat) move(in [][]int, out []int, put func(k, from, to int)) {
	step, base := strides(out), 0
	for k, s := range in {
		walkStrided(s, base, step, func(i, j int) { put(k, i, j) })
		base += s[c.Axis] * step[c.Axis]
	}
}

func (c *Concat) eval(in []Tensor, out Tensor) { evalMove(c, in, out) }

func importConcat(c *call) ([]*value, error) {
	axis, err := c.attrInt("axis", 0)
	if err != nil {
		return nil, err
	}
	if len(c.in) == 0 {
		return nil, errors.New("no operands")
	}
	for i := range c.in {
		if _, err := c.source(i); err != nil {
			return nil, err
		}
	}
	if axis, err = normAxis(axis, len(c.in[0].shape)); err != nil {
		return nil, err
	}
	return c.moved(&Concat{axis}, c.in...)
}
