package float

import (
	"errors"
	"fmt"
)

// MatMul is x·W + B over the last axis of x, with constant W.
type MatMul struct {
	K, N int
	W    []float32 // [K][N], row-major
	B    []float32 // [N], never nil
}

var (
	_ Op       = (*MatMul)(nil)
	_ Weighted = (*MatMul)(nil)
)

// Kind returns "MatMul".
func (*MatMul) Kind() string { return "MatMul" }

// InferShape replaces the last dimension K by N.
func (m *MatMul) InferShape(in [][]int) ([]int, error) {
	if err := wantInputs(in, 1); err != nil {
		return nil, err
	}
	last := len(in[0]) - 1
	if last < 0 || in[0][last] != m.K {
		return nil, fmt.Errorf("input %v, the weights want a last dimension of %d", in[0], m.K)
	}
	out := append([]int(nil), in[0]...)
	out[last] = m.N
	return out, nil
}

// MACs is K per output cell.
func (m *MatMul) MACs(out []int) int64 { return int64(size(out)) * int64(m.K) }

// Params counts weights and biases.
func (m *MatMul) Params() int64 { return int64(len(m.W) + len(m.B)) }

// importMatMul accepts a constant matrix or vector on the right, or two activations.
func importMatMul(c *call) ([]*value, error) {
	if x, y := c.operand(0), c.operand(1); x != nil && y != nil && !x.fixed && !y.fixed {
		return c.product(x, y)
	}
	w, err := c.weights()
	if err != nil {
		return nil, err
	}
	x, err := c.activation(0)
	if err != nil {
		return nil, err
	}
	shape := w.shape
	for len(shape) > 2 && shape[0] == 1 && len(x.shape) >= len(shape) {
		shape = shape[1:]
	}
	switch len(shape) {
	case 2:
		return c.one(&MatMul{shape[0], shape[1], w.floats, make([]float32, shape[1])}, x)
	case 1:
		v, err := c.emit(&MatMul{shape[0], 1, w.floats, []float32{0}}, x)
		if err != nil {
			return nil, err
		}
		return c.reshaped(v, v.shape[:len(v.shape)-1])
	}
	return nil, fmt.Errorf("weights of shape %v are not one matrix", w.shape)
}

// product multiplies two activations.
func (c *call) product(x, y *value) ([]*value, error) {
	if !x.known || !y.known {
		return nil, errLost
	}
	if len(x.shape) == 0 {
		return nil, fmt.Errorf("product of shapes %v and %v", x.shape, y.shape)
	}
	return c.one(&Product{K: x.shape[len(x.shape)-1]}, x, y)
}

// weights returns the constant right operand of a product.
func (c *call) weights() (*constant, error) {
	x, y := c.operand(0), c.operand(1)
	switch {
	case x == nil || y == nil:
		return nil, errors.New("an operand is missing")
	case c.allFixed():
		return nil, errors.New("product of two constants is not supported")
	case x.fixed:
		return nil, errors.New("the constant on the left is not supported")
	case !y.fixed:
		return nil, errors.New("needs two activations")
	}
	w, err := c.constant(1)
	if err == nil && (!w.typ.IsFloat() || w.size() == 0) {
		err = fmt.Errorf("weights are %v of shape %v", w.typ, w.shape)
	}
	return w, err
}

// importGemm folds alpha, beta and transB into the weights. An addend that is
// not a bias becomes an addition of its own.
func importGemm(c *call) ([]*value, error) {
	alpha, err := c.attrFloat("alpha", 1)
	if err != nil {
		return nil, err
	}
	beta, err := c.attrFloat("beta", 1)
	if err != nil {
		return nil, err
	}
	transA, err := c.attrBool("transA", false)
	if err != nil {
		return nil, err
	}
	transB, err := c.attrBool("transB", false)
	if err != nil {
		return nil, err
	}
	if transA {
		return nil, errors.New("transA is not supported")
	}
	w, err := c.weights()
	if err != nil {
		return nil, err
	}
	if err := wantRank(w.shape, 2); err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	x, err := c.activation(0)
	if err != nil {
		return nil, err
	}
	if err := wantRank(x.shape, 2); err != nil {
		return nil, err
	}
	op, err := c.gemmWeights(w, alpha, transB)
	if err != nil {
		return nil, err
	}
	v, err := c.emit(op, x)
	if err != nil || c.operand(2) == nil {
		return []*value{v}, err
	}
	return c.addend(v, beta)
}

func (c *call) gemmWeights(w *constant, alpha float32, trans bool) (*MatMul, error) {
	op := &MatMul{w.shape[0], w.shape[1], w.floats, nil}
	if trans {
		op.K, op.N = op.N, op.K
	}
	op.B = make([]float32, op.N)
	if !trans && alpha == 1 {
		return op, nil
	}
	scaled, err := c.newConstant(w.typ, []int{op.K, op.N})
	if err != nil {
		return nil, err
	}
	op.W = scaled.floats
	for k := range op.K {
		for n := range op.N {
			from := k*op.N + n
			if trans {
				from = n*op.K + k
			}
			op.W[k*op.N+n] = alpha * w.floats[from]
		}
	}
	return op, scaled.checkFinite()
}

// addend adds beta times operand 2 to the product v: fuse moves a
// constant row into the bias.
func (c *call) addend(v *value, beta float32) ([]*value, error) {
	y, err := c.source(2)
	switch {
	case err != nil:
		return nil, err
	case !y.fixed && beta != 1:
		return nil, errors.New("beta times an activation is not supported")
	case !y.fixed:
		return c.sum(v, y)
	}
	t, err := c.aligned(y, v)
	if err != nil {
		return nil, err
	}
	k := &constant{typ: y.typ, shape: t.Shape, floats: make([]float32, len(t.Data))}
	for i := range t.Data {
		k.floats[i] = beta * t.Data[i]
	}
	if err := k.checkFinite(); err != nil {
		return nil, err
	}
	return c.sum(v, k.value())
}
