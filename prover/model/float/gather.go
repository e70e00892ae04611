package float

import (
	"errors"
	"fmt"
	"slices"
)

// importGather folds Gather on constants and moves the cells of an activation at
// constant indices. Integer inputs are indices of a constant table.
func importGather(c *call) ([]*value, error) {
	axis, err := c.attrInt("axis", 0)
	if err != nil {
		return nil, err
	}
	if c.operand(1) != nil && !c.operand(1).fixed {
		return c.embedding(axis)
	}
	idx, err := c.constant(1)
	if err != nil {
		return nil, err
	}
	x, err := c.source(0)
	if err != nil {
		return nil, err
	}
	if axis, err = normAxis(axis, len(x.shape)); err != nil {
		return nil, err
	}
	at, err := indices(idx, x.shape[axis])
	if err != nil {
		return nil, err
	}
	shape := append(append(append([]int(nil), x.shape[:axis]...), idx.shape...), x.shape[axis+1:]...)
	if x.fixed {
		return c.gatherConstant(x, at, axis, shape)
	}
	v, err := c.take(x, axis, at)
	if err != nil {
		return nil, err
	}
	return c.reshaped(v, shape)
}

// indices resolves indices counted from the end of an axis of length n.
func indices(k *constant, n int) ([]int, error) {
	if k.typ.IsFloat() {
		return nil, fmt.Errorf("indices are %v", k.typ)
	}
	at := saturate(k.ints)
	for i := range at {
		if at[i] < -n || at[i] >= n {
			return nil, fmt.Errorf("index %d on an axis of length %d", at[i], n)
		}
		if at[i] < 0 {
			at[i] += n
		}
	}
	return at, nil
}

func (c *call) gatherConstant(x *value, at []int, axis int, shape []int) ([]*value, error) {
	if x.c == nil {
		return nil, errLost
	}
	out, err := c.newConstant(x.typ, shape)
	if err != nil {
		return nil, err
	}
	inner := size(x.shape[axis+1:])
	to := 0
	for o := range size(x.shape[:axis]) {
		for _, i := range at {
			from := (o*x.shape[axis] + i) * inner
			if out.floats != nil {
				copy(out.floats[to:to+inner], x.c.floats[from:])
			} else {
				copy(out.ints[to:to+inner], x.c.ints[from:])
			}
			to += inner
		}
	}
	return []*value{out.value()}, nil
}

// spaced returns the slice that takes the cells at[0], at[1], … of an axis, if
// their distances are equal and not 0.
func spaced(shape []int, axis int, at []int) (*Slice, bool) {
	if len(at) == 0 {
		return nil, false
	}
	s := wholeSlice(shape)
	s.Starts[axis], s.Sizes[axis] = at[0], len(at)
	if len(at) > 1 {
		s.Steps[axis] = at[1] - at[0]
	}
	for i := 1; i < len(at); i++ {
		if at[i]-at[i-1] != s.Steps[axis] || s.Steps[axis] == 0 {
			return nil, false
		}
	}
	return s, true
}

// embedding looks rows of the constant operand 0 up.
func (c *call) embedding(axis int) ([]*value, error) {
	ids, err := c.activation(1)
	if err != nil {
		return nil, err
	}
	if x := c.operand(0); x != nil && !x.fixed {
		return nil, errors.New("indices into an activation are not constant")
	}
	k, err := c.constant(0)
	if err != nil {
		return nil, err
	}
	if axis != 0 || len(k.shape) == 0 || !k.typ.IsFloat() {
		return nil, fmt.Errorf("indices of axis %d of a table of %v of shape %v are not constant", axis, k.typ, k.shape)
	}
	op := &Embedding{Rows: k.shape[0], Width: size(k.shape[1:]), Table: k.floats}
	if ids.id == noID {
		return nil, errLost
	}
	if err := c.boundIndices(ids.id, op.Rows); err != nil {
		return nil, err
	}
	v, err := c.emit(op, ids)
	if err != nil {
		return nil, err
	}
	v.typ = k.typ
	return c.reshaped(v, slices.Concat(ids.shape, k.shape[1:]))
}
