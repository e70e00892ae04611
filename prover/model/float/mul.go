package float

import (
	"fmt"
	"slices"
)

// Mul is the product, cell by cell, of two activations of one rank. Each dimension of theirs is equal
// or 1 in one of them, whose cells then repeat.
type Mul struct{}

var (
	_ Op       = (*Mul)(nil)
	_ Weighted = (*Mul)(nil)
)

// Kind returns "Mul".
func (*Mul) Kind() string { return "Mul" }

// InferShape returns the larger of both dimensions on every axis.
func (*Mul) InferShape(in [][]int) ([]int, error) {
	if err := wantInputs(in, 2); err != nil {
		return nil, err
	}
	if len(in[0]) != len(in[1]) {
		return nil, fmt.Errorf("activations of different ranks %v and %v", in[0], in[1])
	}
	return broadcast(in[0], in[1])
}

// MACs is one per cell.
func (*Mul) MACs(out []int) int64 { return int64(size(out)) }

// Params is 0: both operands are activations.
func (*Mul) Params() int64 { return 0 }

func (*Mul) eval(in []Tensor, out Tensor) {
	x, y := in[0].Data, in[1].Data
	walkStrided(out.Shape, 0, broadcastSteps(in[0].Shape, out.Shape), func(i, j int) { out.Data[i] = x[j] })
	walkStrided(out.Shape, 0, broadcastSteps(in[1].Shape, out.Shape), func(i, j int) { out.Data[i] *= y[j] })
}

// multiply emits the product of two activations, which broadcast to each other.
func (c *call) multiply(x, y *value) (*value, error) {
	if !x.known || !y.known {
		return nil, errLost
	}
	if x.id == y.id && x.id != noID && slices.Equal(x.shape, y.shape) {
		return c.emit(&Pow{2}, x)
	}
	shape, err := broadcast(x.shape, y.shape)
	if err != nil {
		return nil, err
	}
	if x, err = c.ranked(x, len(shape)); err != nil {
		return nil, err
	}
	if y, err = c.ranked(y, len(shape)); err != nil {
		return nil, err
	}
	return c.emit(&Mul{}, x, y)
}

// ranked gives a value a rank by leading axes of length one.
func (c *call) ranked(v *value, rank int) (*value, error) {
	if n := rank - len(v.shape); n > 0 {
		return c.apply(&Reshape{slices.Concat(slices.Repeat([]int{1}, n), v.shape)}, v)
	}
	return v, nil
}

// divide multiplies by the reciprocal of an activation.
func (c *call) divide(x, y *value) ([]*value, error) {
	if !x.known || !y.known {
		return nil, errLost
	}
	r, err := c.emit(&Reciprocal{}, y)
	if err != nil {
		return nil, err
	}
	if !x.fixed {
		v, err := c.multiply(x, r)
		return []*value{v}, err
	}
	if r, x, err = c.broadcastPair(r, x); err != nil {
		return nil, err
	}
	k, err := c.aligned(x, r)
	if err != nil {
		return nil, err
	}
	if v, ok := uniform(k); ok && v == 1 {
		return []*value{r}, nil
	}
	return c.one(&MulConst{k}, r)
}
