package float

import (
	"errors"
	"fmt"
	"slices"
)

// Add is a + b, or a − b when Subtract is set, of two activations of one shape.
type Add struct{ Subtract bool }

var _ Op = (*Add)(nil)

// Kind returns "Add".
func (*Add) Kind() string { return "Add" }

// InferShape returns the common shape of both inputs.
func (*Add) InferShape(in [][]int) ([]int, error) {
	if err := wantInputs(in, 2); err != nil {
		return nil, err
	}
	if !slices.Equal(in[0], in[1]) {
		return nil, fmt.Errorf("activations of different shapes %v and %v", in[0], in[1])
	}
	return in[0], nil
}

func (a *Add) eval(in []Tensor, out Tensor) {
	y := in[1].Data
	for i, x := range in[0].Data {
		if a.Subtract {
			out.Data[i] = x - y[i]
		} else {
			out.Data[i] = x + y[i]
		}
	}
}

func importAdd(c *call) ([]*value, error) {
	if c.allFixed() {
		return c.foldPair("Add")
	}
	x, y, err := c.pair()
	if err != nil {
		return nil, err
	}
	return c.sum(x, y)
}

// sum adds two values of which at least one is an activation.
func (c *call) sum(x, y *value) ([]*value, error) {
	if x.fixed {
		x, y = y, x
	}
	x, y, err := c.broadcastPair(x, y)
	if err != nil {
		return nil, err
	}
	if !y.fixed {
		return c.one(&Add{}, x, y)
	}
	k, err := c.aligned(y, x)
	if err != nil {
		return nil, err
	}
	return c.one(&AddConst{k}, x)
}

func importSub(c *call) ([]*value, error) {
	if c.allFixed() {
		return c.foldPair("Sub")
	}
	x, y, err := c.pair()
	if err != nil {
		return nil, err
	}
	if x.fixed {
		minus, err := c.negate(y)
		if err != nil {
			return nil, err
		}
		return c.sum(x, minus)
	}
	if x, y, err = c.broadcastPair(x, y); err != nil {
		return nil, err
	}
	if !y.fixed {
		return c.one(&Add{Subtract: true}, x, y)
	}
	k, err := c.aligned(y, x)
	if err != nil {
		return nil, err
	}
	return c.one(&AddConst{negated(k)}, x)
}

func importNeg(c *call) ([]*value, error) {
	if c.allFixed() {
		k, err := c.constant(0)
		if err != nil {
			return nil, err
		}
		zero, err := c.newConstant(k.typ, nil)
		if err != nil {
			return nil, err
		}
		out, err := c.combine("Sub", zero, k)
		if err != nil {
			return nil, err
		}
		return []*value{out.value()}, nil
	}
	x, err := c.activation(0)
	if err != nil {
		return nil, err
	}
	v, err := c.negate(x)
	return []*value{v}, err
}

func (c *call) negate(v *value) (*value, error) {
	k := constant{shape: []int{}, typ: v.typ, floats: []float32{-1}}
	t, err := c.aligned(k.value(), v)
	if err != nil {
		return nil, err
	}
	return c.emit(&MulConst{t}, v)
}

func negated(t Tensor) Tensor {
	n := NewTensor(t.Shape)
	for i, v := range t.Data {
		n.Data[i] = -v
	}
	return n
}

// importSum adds any number of activations and constants from left to right.
func importSum(c *call) ([]*value, error) {
	if len(c.in) == 0 {
		return nil, errors.New("no operands")
	}
	for i := range c.in {
		if _, err := c.source(i); err != nil {
			return nil, err
		}
	}
	acc := c.in[0]
	for _, v := range c.in[1:] {
		if acc.fixed && v.fixed {
			return nil, errors.New("sum of two constants is not supported")
		}
		out, err := c.sum(acc, v)
		if err != nil {
			return nil, err
		}
		acc = out[0]
	}
	return []*value{acc}, nil
}

// pair returns the two operands of an element-wise operator; their shapes may
// be unknown.
func (c *call) pair() (x, y *value, err error) {
	if len(c.in) != 2 || c.in[0] == nil || c.in[1] == nil {
		return nil, nil, fmt.Errorf("%d operands instead of 2", len(c.in))
	}
	return c.in[0], c.in[1], nil
}

// aligned gives the constant k the rank of the activation x by leading ones, if
// it broadcasts into it.
func (c *call) aligned(k, x *value) (Tensor, error) {
	if k.c == nil || !x.known {
		return Tensor{}, errLost
	}
	if !k.typ.IsFloat() {
		return Tensor{}, fmt.Errorf("constant of %v", k.typ)
	}
	shape := slices.Clone(k.shape)
	for len(shape) < len(x.shape) {
		shape = slices.Insert(shape, 0, 1)
	}
	if _, err := broadcastInto([][]int{x.shape}, shape); err != nil {
		return Tensor{}, err
	}
	return Tensor{shape, k.c.floats}, nil
}
