package float

import (
	"errors"
	"fmt"
	"slices"
)

func importSoftmax(c *call) ([]*value, error) {
	x, axis, flat, err := c.softmaxAxis()
	if err != nil {
		return nil, err
	}
	if flat {
		return c.flatSoftmax(x, axis)
	}
	op := &Softmax{Axis: axis}
	switch {
	case x.mask != nil:
		op.Keep = x.mask.keep
		if err := op.checkKeep(x.shape); err != nil {
			return nil, err
		}
		base := *x
		base.mask = nil
		return c.one(op, &base)
	case c.endsGraph():
		v, err := c.endWith(op, x)
		return []*value{v}, err
	}
	return c.one(op, x)
}

func (c *call) flatSoftmax(x *value, axis int) ([]*value, error) {
	if x.mask != nil {
		return nil, errMasked
	}
	flat, err := c.apply(&Reshape{append(slices.Clone(x.shape[:axis]), size(x.shape[axis:]))}, x)
	if err != nil {
		return nil, err
	}
	if flat, err = c.emit(&Softmax{Axis: axis}, flat); err != nil {
		return nil, err
	}
	return c.reshaped(flat, x.shape)
}

// checkKeep demands that every line keeps a cell.
func (s *Softmax) checkKeep(shape []int) error {
	keep, empty := s.kept(shape), false
	walkLines(shape, s.Axis, func(_, base, step, n int) {
		any := false
		for k := range n {
			any = any || keep[base+k*step]
		}
		empty = empty || !any
	})
	if empty {
		return errors.New("a line is masked wholly")
	}
	return nil
}

// softmaxAxis returns the operand and the axis of a softmax. Before opset 13 all axes from that one on
// are one: flat is true when they are several.
func (c *call) softmaxAxis() (x *value, axis int, flat bool, err error) {
	axis = -1
	if c.opset < 13 {
		axis = 1
	}
	if axis, err = c.attrInt("axis", axis); err != nil {
		return nil, 0, false, err
	}
	if x, err = c.activation(0); err != nil {
		return nil, 0, false, err
	}
	if axis, err = normAxis(axis, len(x.shape)); err != nil {
		return nil, 0, false, err
	}
	flat = c.opset < 13 && slices.ContainsFunc(x.shape[axis+1:], func(d int) bool { return d != 1 })
	return x, axis, flat, nil
}

// importLogSoftmax is d − log(Σ exp(d)) of the differences d to the largest cell of a line.
func importLogSoftmax(c *call) ([]*value, error) {
	x, axis, flat, err := c.softmaxAxis()
	if err != nil {
		return nil, err
	}
	if flat {
		return nil, fmt.Errorf("several axes %v are not supported", x.shape[axis:])
	}
	top, err := reduceMax(c, x, []int{axis}, true)
	if err != nil {
		return nil, err
	}
	d, err := c.lessLines(x, top)
	if err != nil {
		return nil, err
	}
	e, err := c.emit(&Exp{}, d)
	if err != nil {
		return nil, err
	}
	if e, err = reduceSum(c, e, []int{axis}, true); err != nil {
		return nil, err
	}
	if e, err = c.emit(&Log{}, e); err != nil {
		return nil, err
	}
	d, err = c.lessLines(d, e)
	return []*value{d}, err
}

// lessLines subtracts one number a line.
func (c *call) lessLines(x, lines *value) (*value, error) {
	lines, err := c.broadcastTo(lines, x.shape)
	if err != nil {
		return nil, err
	}
	return c.emit(&Add{Subtract: true}, x, lines)
}
