package float

import (
	"fmt"
	"slices"
)

// importLayerNorm makes a Norm with a factor and an addend behind it. Several
// axes are one for the Norm.
func importLayerNorm(c *call) ([]*value, error) {
	c.read["stash_type"] = true // values are float32 whatever it is
	axis, err := c.attrInt("axis", -1)
	if err != nil {
		return nil, err
	}
	eps, err := c.epsilon()
	if err != nil {
		return nil, err
	}
	x, err := c.activation(0)
	if err != nil {
		return nil, err
	}
	if axis, err = normAxis(axis, len(x.shape)); err != nil {
		return nil, err
	}
	lines := slices.Clone(x.shape[:axis])
	if axis == 0 {
		lines = []int{1}
	}
	v, err := c.normalised(x, append(lines, size(x.shape[axis:])), eps)
	if err != nil {
		return nil, err
	}
	return c.scaleAndBias(v, func(n int, k *constant) ([]int, error) { return k.shape, nil })
}

func (c *call) epsilon() (float32, error) {
	eps, err := c.attrFloat("epsilon", 1e-5)
	if err == nil && eps < 0 {
		err = fmt.Errorf("epsilon is %v", eps)
	}
	return eps, err
}

// normalised is the Norm of x over the last axis of another shape of it.
func (c *call) normalised(x *value, flat []int, eps float32) (*value, error) {
	v := x
	var err error
	if !slices.Equal(flat, x.shape) {
		if v, err = c.apply(&Reshape{flat}, x); err != nil {
			return nil, err
		}
	}
	if v, err = c.emit(&Norm{Epsilon: eps, Centered: true}, v); err != nil || slices.Equal(flat, x.shape) {
		return v, err
	}
	return c.apply(&Reshape{x.shape}, v)
}

// scaleAndBias multiplies by operand 1 and adds operand 2, where they are given;
// shape says with which shape each broadcasts.
func (c *call) scaleAndBias(v *value, shape func(n int, k *constant) ([]int, error)) ([]*value, error) {
	for i := 1; i <= 2; i++ {
		if c.operand(i) == nil {
			continue
		}
		k, err := c.constant(i)
		if err != nil {
			return nil, err
		}
		s, err := shape(i, k)
		if err != nil {
			return nil, err
		}
		t, err := c.aligned((&constant{k.typ, s, k.floats, nil}).value(), v)
		if err != nil {
			return nil, err
		}
		var op Op = &MulConst{t}
		if i == 2 {
			op = &AddConst{t}
		}
		if v, err = c.emit(op, v); err != nil {
			return nil, err
		}
	}
	return []*value{v}, nil
}

// importInstanceNorm normalises every channel of every sample.
func importInstanceNorm(c *call) ([]*value, error) {
	eps, err := c.epsilon()
	if err != nil {
		return nil, err
	}
	x, err := c.activation(0)
	if err != nil {
		return nil, err
	}
	if len(x.shape) < 3 {
		return nil, fmt.Errorf("rank %d", len(x.shape))
	}
	v, err := c.normalised(x, []int{x.shape[0], x.shape[1], size(x.shape[2:])}, eps)
	if err != nil {
		return nil, err
	}
	return c.scaleAndBias(v, func(_ int, k *constant) ([]int, error) { return channelShape(k, x.shape) })
}

// channelShape is the shape in which a list of one number a channel broadcasts.
func channelShape(k *constant, in []int) ([]int, error) {
	if len(k.shape) != 1 || k.shape[0] != in[1] {
		return nil, fmt.Errorf("parameters of shape %v for %d channels", k.shape, in[1])
	}
	return append([]int{in[1]}, slices.Repeat([]int{1}, len(in)-2)...), nil
}

// importGroupNorm normalises groups of channels. Before opset 21 scale and bias are of the groups.
func importGroupNorm(c *call) ([]*value, error) {
	c.read["stash_type"] = true
	eps, err := c.epsilon()
	if err != nil {
		return nil, err
	}
	groups, err := c.attrInt("num_groups", 0)
	if err != nil {
		return nil, err
	}
	x, err := c.activation(0)
	if err != nil {
		return nil, err
	}
	if len(x.shape) < 3 || groups < 1 || x.shape[1]%groups != 0 {
		return nil, fmt.Errorf("%d groups of shape %v", groups, x.shape)
	}
	if c.opset < 21 {
		if err := c.repeatOperands(groups, x.shape[1]/groups); err != nil {
			return nil, err
		}
	}
	v, err := c.normalised(x, []int{x.shape[0], groups, size(x.shape[1:]) / groups}, eps)
	if err != nil {
		return nil, err
	}
	return c.scaleAndBias(v, func(_ int, k *constant) ([]int, error) { return channelShape(k, x.shape) })
}

// repeatOperands repeats every number of operands 1 and 2, which have one a group.
func (c *call) repeatOperands(groups, each int) error {
	for i := 1; i <= 2; i++ {
		k, err := c.constant(i)
		if err != nil {
			return err
		}
		if len(k.shape) != 1 || k.shape[0] != groups {
			return fmt.Errorf("parameters of shape %v for %d groups", k.shape, groups)
		}
		v, err := c.repeated(k.value(), 0, each)
		if err != nil {
			return err
		}
		c.in[i] = v
	}
	return nil
}
