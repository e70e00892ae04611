package float

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/weisyn/wes/prover/model/onnx"
)

// readsQuantized tells the operators that read integers of a quantised activation as the numbers that they
// stand for: those that move cells or choose among them, and those that have scales.
func readsQuantized(op string) bool {
	switch op {
	case "DequantizeLinear", "QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger",
		"Identity", "Dropout", "Shape", "Size", "MaxPool",
		"Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Concat", "Slice", "Split", "Expand", "Tile", "Gather":
		return true
	}
	return false
}

// joinedGrid is that of what an operator makes of quantised activations.
func joinedGrid(in []*value) (*grid, error) {
	for _, v := range in[1:] {
		if (v.grid == nil) != (in[0].grid == nil) || v.grid != nil && !v.grid.same(in[0].grid) {
			return nil, errors.New("integers of different scales are joined")
		}
	}
	return in[0].grid, nil
}

// noBlocks refuses attributes that give a scale to every block of an axis.
func (c *call) noBlocks() error {
	n, err := c.attrInt("block_size", 0)
	if err == nil && n != 0 {
		err = fmt.Errorf("blocks of %d cells with a scale each are not supported", n)
	}
	return err
}

// importQuantize rounds an activation to steps that later operators read as numbers again.
func importQuantize(c *call) ([]*value, error) {
	c.read["saturate"] = true // concerns float8
	axis, err := c.attrInt("axis", 1)
	if err != nil {
		return nil, err
	}
	typ, err := c.attrInt("output_dtype", 0)
	if err := cmp.Or(err, c.noBlocks()); err != nil {
		return nil, err
	}
	x, err := c.source(0)
	if err != nil {
		return nil, err
	}
	g, err := c.grid(x.shape, onnx.DataType(typ), 1, 2, axis)
	if err != nil {
		return nil, err
	}
	var v *value
	if x.fixed {
		v, err = c.quantizedConstant(x.c, g)
	} else {
		v, err = c.quantize(x, g)
	}
	return []*value{v}, err
}

// quantize rounds an activation to a grid.
func (c *call) quantize(x *value, g *grid) (*value, error) {
	op, err := g.quantized()
	if err != nil {
		return nil, err
	}
	v, err := c.rounded(op, x)
	if err != nil {
		return nil, err
	}
	w := *v
	w.typ, w.grid = g.typ, g
	return &w, nil
}

func importDequantize(c *call) ([]*value, error) {
	axis, err := c.attrInt("axis", 1)
	if err := cmp.Or(err, c.noBlocks()); err != nil {
		return nil, err
	}
	v, err := c.dequantize(0, axis)
	return []*value{v}, err
}

// dequantize is operand i as numbers. Its scale and zero point are the operands that follow.
func (c *call) dequantize(i, axis int) (*value, error) {
	x, err := c.source(i)
	if err != nil {
		return nil, err
	}
	g, err := c.grid(x.shape, x.typ, i+1, i+2, axis)
	switch {
	case err != nil:
		return nil, err
	case x.fixed:
		return c.dequantized(x.c, g)
	}
	return c.numbers(x, g)
}

// numbers are the integers of an activation as what they stand for on a grid.
func (c *call) numbers(x *value, g *grid) (*value, error) {
	op, err := g.quantized()
	switch {
	case err != nil:
		return nil, err
	case x.grid == nil:
		return c.fromIntegers(x, g, op)
	case !x.grid.same(g):
		return nil, fmt.Errorf("integers of scale %v and zero point %d are read with scale %v and zero point %d",
			x.grid.scale[0], x.grid.zero[0], g.scale[0], g.zero[0])
	}
	w := *x
	w.typ, w.grid = onnx.Float32, nil
	return &w, nil
}

// fromIntegers are the numbers that integers stand for which the client gives.
func (c *call) fromIntegers(x *value, g *grid, op *Quantized) (*value, error) {
	v, err := *x, error(nil)
	v.typ = onnx.Float32
	x = &v
	if g.zero[0] != 0 {
		if x, err = c.shifted(x, -float32(g.zero[0])); err != nil {
			return nil, err
		}
	}
	if x, err = c.scaled(x, g.scale[0]); err != nil {
		return nil, err
	}
	return c.emit(op, x)
}

// integersOf are the integers of a quantised activation that is an output of the model.
func (im *importer) integersOf(name string, v *value) (*value, error) {
	c := &call{importer: im, n: &onnx.Node{Name: name, Op: "QuantizeLinear"}, op: "QuantizeLinear"}
	lo, hi, _ := integerRange(v.typ)
	w := *v
	w.grid = nil
	x, err := c.scaled(&w, 1/v.grid.scale[0])
	if err != nil {
		return nil, err
	}
	if z := v.grid.zero[0]; z != 0 {
		if x, err = c.shifted(x, float32(z)); err != nil {
			return nil, err
		}
	}
	return c.emit(&Quantized{1, lo, hi}, x)
}
