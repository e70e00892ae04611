package float

import (
	"errors"
	"fmt"
)

// mover is an Op that only moves cells, so that it works on constants of any
// type as well as on activations.
type mover interface {
	Op
	// move calls put for every cell that is copied: flat index from in input k
	// to flat index to in the output. Output cells that get none are zero.
	move(in [][]int, out []int, put func(k, from, to int))
}

func evalMove(m mover, in []Tensor, out Tensor) {
	shapes := make([][]int, len(in))
	for i, t := range in {
		shapes[i] = t.Shape
	}
	m.move(shapes, out.Shape, func(k, from, to int) { out.Data[to] = in[k].Data[from] })
}

// apply moves constants at once and emits a node for activations.
func (c *call) apply(op mover, in ...*value) (*value, error) {
	fixed := 0
	for _, v := range in {
		if v.fixed {
			fixed++
		}
	}
	switch {
	case len(in) == 1 && in[0].mask != nil:
		return c.moveMasked(op, in[0])
	case fixed == 0:
		return c.emit(op, in...)
	case fixed < len(in):
		return nil, errors.New("some operands are constant, others are not")
	}
	parts := make([]*constant, len(in))
	for i, v := range in {
		if parts[i] = v.c; v.c == nil {
			return nil, errLost
		}
	}
	k, err := c.moveConstants(op, parts)
	if err != nil {
		return nil, err
	}
	v := k.value()
	if len(in) == 1 {
		v.grid = in[0].grid.moved(op)
	}
	return v, nil
}

func (c *call) moveConstants(op mover, in []*constant) (*constant, error) {
	shapes := make([][]int, len(in))
	for i, k := range in {
		if shapes[i] = k.shape; k.typ != in[0].typ {
			return nil, fmt.Errorf("operands of types %v and %v", in[0].typ, k.typ)
		}
	}
	shape, err := op.InferShape(shapes)
	if err != nil {
		return nil, err
	}
	out, err := c.newConstant(in[0].typ, shape)
	if err != nil {
		return nil, err
	}
	op.move(shapes, shape, func(k, from, to int) {
		if out.floats != nil {
			out.floats[to] = in[k].floats[from]
		} else {
			out.ints[to] = in[k].ints[from]
		}
	})
	return out, nil
}

// moved is apply for an importer's return value.
func (c *call) moved(op mover, in ...*value) ([]*value, error) {
	v, err := c.apply(op, in...)
	return []*value{v}, err
}

// source returns operand i, constant or not, with a known shape.
func (c *call) source(i int) (*value, error) {
	v := c.operand(i)
	switch {
	case v == nil:
		return nil, fmt.Errorf("operand %d is missing", i)
	case !v.known:
		return nil, errLost
	}
	return v, nil
}
