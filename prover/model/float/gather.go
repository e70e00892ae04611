package float

import (
	"errors"
	"fmt"
)

// importGather folds Gather on constants. On an activation it is a slice when
// the constant indices are evenly spaced.
func importGather(c *call) ([]*value, error) {
	axis, err := c.attrInt("axis", 0)
	if err != nil {
		return nil, err
	}
	if c.operand(1) != nil && !c.operand(1).fixed {
		return nil, errors.New("indices are not constant")
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
	s, ok := spaced(x.shape, axis, at)
	if !ok {
		return nil, errors.New("indices into an activation are not evenly spaced")
	}
	v, err := c.emit(s, x)
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
