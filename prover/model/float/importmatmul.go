package float

import (
	"errors"
	"fmt"
	"slices"

	"github.com/weisyn/wes/prover/model/onnx"
)

func importMatMul(c *call) ([]*value, error) {
	x, y, err := c.pair()
	if err != nil {
		return nil, errors.New("an operand is missing")
	}
	v, err := c.times(x, y)
	return []*value{v}, err
}

// times is the matrix product of two values by the ONNX rule: axes before the
// last two are batches that broadcast, a list is a row on the left and a column
// on the right.
func (c *call) times(x, y *value) (*value, error) {
	switch {
	case !x.known || !y.known || x.fixed && x.c == nil || y.fixed && y.c == nil:
		return nil, errLost
	case len(x.shape) == 0 || len(y.shape) == 0:
		return nil, fmt.Errorf("product of shapes %v and %v", x.shape, y.shape)
	case x.fixed && y.fixed:
		return c.foldTimes(x, y)
	case len(x.shape) == 1 && y.fixed && len(y.shape) == 2:
		return c.timesConstant(x, y)
	case len(x.shape) == 1:
		return c.timesList(x, y, []int{1, x.shape[0]}, 2)
	case len(y.shape) == 1:
		return c.timesList(x, y, []int{y.shape[0], 1}, 1)
	case y.fixed:
		return c.timesConstant(x, y)
	case x.fixed:
		return c.constantTimes(x, y)
	}
	return c.product(x, y)
}

// timesList makes a matrix of the operand that is a list and drops the axis that it adds, counted from
// the end of the product.
func (c *call) timesList(x, y *value, matrix []int, drop int) (*value, error) {
	list := &y
	if drop == 2 {
		list = &x
	}
	var err error
	if *list, err = c.apply(&Reshape{matrix}, *list); err != nil {
		return nil, err
	}
	v, err := c.times(x, y)
	if err != nil || len(v.shape) < drop {
		return v, err
	}
	at := len(v.shape) - drop
	return c.apply(&Reshape{slices.Delete(slices.Clone(v.shape), at, at+1)}, v)
}

// timesConstant multiplies by a constant on the right, which must be one matrix.
func (c *call) timesConstant(x, y *value) (*value, error) {
	w, err := matrix(y)
	if err != nil {
		return nil, err
	}
	if len(y.shape) > 2 {
		if x, err = c.ranked(x, len(y.shape)); err != nil {
			return nil, err
		}
	}
	n := w.Shape[1]
	return c.emit(&MatMul{K: w.Shape[0], N: n, W: w.Data, B: make([]float32, n), Grid: y.grid.scales(len(y.shape) - 1)}, x)
}

// constantTimes is the transpose of yᵀ·xᵀ.
func (c *call) constantTimes(x, y *value) (*value, error) {
	if _, err := matrix(x); err != nil {
		return nil, err
	}
	x, err := c.exchanged(x)
	if err != nil {
		return nil, err
	}
	if y, err = c.exchanged(y); err != nil {
		return nil, err
	}
	v, err := c.timesConstant(y, x)
	if err != nil {
		return nil, err
	}
	return c.exchanged(v)
}

// matrix returns a constant whose axes but the last two have length one.
func matrix(v *value) (Tensor, error) {
	if err := v.c.checkFinite(); err != nil {
		return Tensor{}, err
	}
	if !v.typ.IsFloat() || v.c.size() == 0 {
		return Tensor{}, fmt.Errorf("weights are %v of shape %v", v.typ, v.shape)
	}
	n := len(v.shape) - 2
	if size(v.shape[:n]) != 1 {
		return Tensor{}, fmt.Errorf("weights of shape %v are not one matrix", v.shape)
	}
	return Tensor{v.shape[n:], v.c.floats}, nil
}

// exchanged exchanges the last two axes.
func (c *call) exchanged(v *value) (*value, error) {
	n := len(v.shape)
	perm := make([]int, n)
	for i := range perm {
		perm[i] = i
	}
	perm[n-2], perm[n-1] = n-1, n-2
	return c.apply(&Transpose{perm}, v)
}

// product multiplies two activations. Batches that differ are repeated.
func (c *call) product(x, y *value) (*value, error) {
	op := &Product{K: x.shape[len(x.shape)-1]}
	if _, err := op.InferShape([][]int{x.shape, y.shape}); err == nil {
		return c.emit(op, x, y)
	}
	n, m := len(x.shape)-2, len(y.shape)-2
	batches, err := broadcast(x.shape[:n], y.shape[:m])
	if err != nil {
		return nil, err
	}
	if x, err = c.broadcastTo(x, slices.Concat(batches, x.shape[n:])); err != nil {
		return nil, err
	}
	if y, err = c.broadcastTo(y, slices.Concat(batches, y.shape[m:])); err != nil {
		return nil, err
	}
	return c.emit(op, x, y)
}

// foldTimes multiplies two constants, of which each is at least a matrix.
func (c *call) foldTimes(x, y *value) (*value, error) {
	n, m := len(x.shape)-2, len(y.shape)-2
	if n < 0 || m < 0 || !x.typ.IsFloat() || x.typ != y.typ {
		return nil, fmt.Errorf("product of constants of shapes %v and %v of %v", x.shape, y.shape, y.typ)
	}
	batches, err := broadcast(x.shape[:n], y.shape[:m])
	if err != nil {
		return nil, err
	}
	if x, err = c.broadcastTo(x, slices.Concat(batches, x.shape[n:])); err != nil {
		return nil, err
	}
	if y, err = c.broadcastTo(y, slices.Concat(batches, y.shape[m:])); err != nil {
		return nil, err
	}
	op := &Product{K: x.shape[len(x.shape)-1]}
	shape, err := op.InferShape([][]int{x.shape, y.shape})
	if err != nil {
		return nil, err
	}
	out, err := c.newConstant(onnx.Float32, shape)
	if err != nil {
		return nil, err
	}
	if err := c.countMACs(op.MACs(shape)); err != nil {
		return nil, err
	}
	if size(shape) > 0 && op.K > 0 {
		op.eval([]Tensor{x.c.tensor(), y.c.tensor()}, Tensor{shape, out.floats})
	}
	return out.value(), out.checkFolded()
}
