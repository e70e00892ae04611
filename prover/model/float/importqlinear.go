package float

import (
	"fmt"

	"github.com/weisyn/wes/prover/model/onnx"
)

// importQLinearConv makes a convolution of numbers of it, and rounds its result.
func importQLinearConv(c *call) ([]*value, error) {
	x, err := c.dequantize(0, 1)
	if err != nil {
		return nil, err
	}
	w, err := c.dequantize(3, 0)
	if err != nil {
		return nil, err
	}
	out, err := c.outputGrid(6)
	if err != nil {
		return nil, err
	}
	in := []*value{x, w}
	if c.operand(8) != nil {
		b, err := c.sumBias(8, w.grid)
		if err != nil {
			return nil, err
		}
		in = append(in, b)
	}
	c.in = in
	v, err := importConv(c)
	if err != nil {
		return nil, err
	}
	y, err := c.quantize(v[0], out)
	return []*value{y}, err
}

// sumBias is operand i, a bias that counts in products of an activation's steps, whose scale is operand 1, and
// steps of weights.
func (c *call) sumBias(i int, w *grid) (*value, error) {
	x, err := c.constant(1)
	if err != nil {
		return nil, err
	}
	b, err := c.constant(i)
	if err != nil {
		return nil, err
	}
	if w == nil {
		return nil, fmt.Errorf("weights are not constant")
	}
	g := &grid{typ: onnx.Int32, zero: make([]int64, len(w.scale))}
	for _, s := range w.scale {
		g.scale = append(g.scale, s*x.floats[0])
	}
	if err := g.along(b.shape, 0); err != nil {
		return nil, fmt.Errorf("bias: %w", err)
	}
	return c.dequantized(b, g)
}

// outputGrid is that of an operator's result, from operands i and i+1.
func (c *call) outputGrid(i int) (*grid, error) {
	if c.operand(i+1) == nil {
		return nil, fmt.Errorf("operand %d is missing", i+1)
	}
	return c.grid(nil, 0, i, i+1, 0)
}

func importQLinearMatMul(c *call) ([]*value, error) {
	x, err := c.dequantize(0, -1)
	if err != nil {
		return nil, err
	}
	y, err := c.dequantize(3, -1)
	if err != nil {
		return nil, err
	}
	out, err := c.outputGrid(6)
	if err != nil {
		return nil, err
	}
	v, err := c.times(x, y)
	if err != nil {
		return nil, err
	}
	v, err = c.quantize(v, out)
	return []*value{v}, err
}

// importConvInteger and importMatMulInteger make sums of integers, which a Cast makes numbers of.
func importConvInteger(c *call) ([]*value, error) {
	x, w, err := c.integerFactors(0)
	if err != nil {
		return nil, err
	}
	c.in = []*value{x, w}
	v, err := importConv(c)
	if err != nil {
		return nil, err
	}
	return []*value{c.sums(v[0])}, nil
}

func importMatMulInteger(c *call) ([]*value, error) {
	x, w, err := c.integerFactors(-1)
	if err != nil {
		return nil, err
	}
	v, err := c.times(x, w)
	if err != nil {
		return nil, err
	}
	return []*value{c.sums(v)}, nil
}

// sums is a value whose type is that of sums of integers.
func (c *call) sums(v *value) *value {
	w := *v
	w.typ = onnx.Int32
	return &w
}

// integerFactors are an activation as numbers, and constant weights that make integers of its product: in units
// of its scale. Zero points are operands 2 and 3; axis is that of weights along which theirs may vary.
func (c *call) integerFactors(axis int) (x, w *value, err error) {
	if x, err = c.activation(0); err != nil {
		return nil, nil, err
	}
	k, err := c.constant(1)
	if err != nil {
		return nil, nil, err
	}
	g := &grid{typ: x.typ, scale: []float32{1}}
	if x.grid != nil {
		g.scale = x.grid.scale
	}
	if g.zero, err = c.zeros(2, x.typ); err != nil {
		return nil, nil, err
	}
	if err := g.along(x.shape, -1); err != nil {
		return nil, nil, err
	}
	weights := &grid{typ: k.typ}
	if weights.zero, err = c.zeros(3, k.typ); err != nil {
		return nil, nil, err
	}
	for range weights.zero {
		weights.scale = append(weights.scale, 1/g.scale[0])
	}
	if err := weights.along(k.shape, axis); err != nil {
		return nil, nil, err
	}
	if x, err = c.numbers(x, g); err != nil {
		return nil, nil, err
	}
	w, err = c.dequantized(k, weights)
	return x, w, err
}

// zeros are the zero points of operand i, 0 if it is omitted.
func (c *call) zeros(i int, typ onnx.DataType) ([]int64, error) {
	if c.operand(i) == nil {
		return []int64{0}, nil
	}
	k, err := c.constant(i)
	if err != nil {
		return nil, err
	}
	if k.typ != typ || len(k.shape) > 1 || k.size() == 0 {
		return nil, fmt.Errorf("zero point is %v of shape %v, for %v", k.typ, k.shape, typ)
	}
	return k.ints, nil
}
