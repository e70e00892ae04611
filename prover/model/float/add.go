package float

import (
	"errors"
	"fmt"
	"slices"

	"github.com/weisyn/wes/prover/model/onnx"
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
	x, m := unmasked(x, len(x.shape))
	if y.fixed {
		return c.sumConst(x, y, m)
	}
	y, n := unmasked(y, len(y.shape))
	v, err := c.emit(&Add{}, x, y)
	if err != nil {
		return nil, err
	}
	if v, err = c.withMask(v, m); err != nil {
		return nil, err
	}
	v, err = c.withMask(v, n)
	return []*value{v}, err
}

// sumConst adds a constant to an activation that has a mask, or none. The constant may be one.
func (c *call) sumConst(x, y *value, m *mask) ([]*value, error) {
	k, err := alignedAny(y, x)
	if err != nil {
		return nil, err
	}
	added := asMask(k)
	if added == nil || !c.leadsToSoftmax() {
		if k, err = c.aligned(y, x); err != nil {
			return nil, err
		}
		if x, err = c.emit(&AddConst{k}, x); err != nil {
			return nil, err
		}
		added = nil
	}
	if x, err = c.withMask(x, m); err != nil {
		return nil, err
	}
	x, err = c.withMask(x, added)
	return []*value{x}, err
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
	minus := negated(k)
	return c.sum(x, (&constant{y.typ, minus.Shape, minus.Data, nil}).value())
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

func (c *call) negate(v *value) (*value, error) { return c.scaled(v, -1) }

// scaled multiplies a value by a number.
func (c *call) scaled(v *value, k float32) (*value, error) {
	one := numberConstant(k)
	switch {
	case v.fixed:
		return c.combineValues("Mul", v, one.value())
	case !v.known:
		return nil, errLost
	}
	t, err := c.aligned(one.value(), v)
	if err != nil {
		return nil, err
	}
	return c.emit(&MulConst{t}, v)
}

// shifted adds a number to an activation.
func (c *call) shifted(v *value, k float32) (*value, error) {
	if !v.known {
		return nil, errLost
	}
	t, err := c.aligned(numberConstant(k).value(), v)
	if err != nil {
		return nil, err
	}
	return c.emit(&AddConst{t}, v)
}

func numberConstant(k float32) *constant {
	return &constant{shape: []int{}, typ: onnx.Float32, floats: []float32{k}}
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
	return c.folded(func(acc, v *value) (*value, error) {
		if acc.fixed && v.fixed {
			return c.combineValues("Add", acc, v)
		}
		out, err := c.sum(acc, v)
		if err != nil {
			return nil, err
		}
		return out[0], nil
	})
}

// importMean is the sum divided by the number of operands.
func importMean(c *call) ([]*value, error) {
	out, err := importSum(c)
	if err != nil {
		return nil, err
	}
	v, err := c.scaled(out[0], 1/float32(len(c.in)))
	return []*value{v}, err
}

// folded joins all operands from left to right.
func (c *call) folded(join func(acc, v *value) (*value, error)) ([]*value, error) {
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
		var err error
		if acc, err = join(acc, v); err != nil {
			return nil, err
		}
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
	if err := k.c.checkFinite(); err != nil {
		return Tensor{}, err
	}
	return alignedAny(k, x)
}

// alignedAny is aligned for a constant that may hold −Inf.
func alignedAny(k, x *value) (Tensor, error) {
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
