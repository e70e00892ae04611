package float

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/weisyn/wes/prover/model/onnx"
)

// grid is what the integers of a quantised value stand for: (q − zero)·scale.
type grid struct {
	typ   onnx.DataType
	scale []float32 // one for all cells, or one for each index of axis
	zero  []int64   // as scale
	axis  int
}

// minScale is the least scale: the smallest normal float32.
const minScale = 1.0 / (1 << 126)

// integerRange is the range of the types that activations are quantised to.
func integerRange(t onnx.DataType) (lo, hi int64, ok bool) {
	switch t {
	case onnx.Int8:
		return math.MinInt8, math.MaxInt8, true
	case onnx.Uint8:
		return 0, math.MaxUint8, true
	}
	return 0, 0, false
}

// grid reads scale and zero point, operands scale and zero, of integers of a tensor of that shape. typ is their
// type, 0 if the zero point has it.
func (c *call) grid(shape []int, typ onnx.DataType, scale, zero, axis int) (*grid, error) {
	s, err := c.constant(scale)
	if err != nil {
		return nil, fmt.Errorf("scale: %w", err)
	}
	if s.typ != onnx.Float32 || len(s.shape) > 1 || s.size() == 0 {
		return nil, fmt.Errorf("scale is %v of shape %v", s.typ, s.shape)
	}
	g := &grid{typ: typ, scale: s.floats, zero: make([]int64, len(s.floats))}
	if c.operand(zero) != nil {
		z, err := c.constant(zero)
		if err != nil {
			return nil, fmt.Errorf("zero point: %w", err)
		}
		if typ == 0 {
			g.typ = z.typ
		}
		if z.typ != g.typ || len(z.shape) > 1 || z.size() != len(g.scale) {
			return nil, fmt.Errorf("zero point is %v of shape %v, for %d scales of %v", z.typ, z.shape, len(g.scale), g.typ)
		}
		g.zero = z.ints
	}
	if g.typ == 0 {
		g.typ = onnx.Uint8
	}
	return g, g.along(shape, axis)
}

// along checks a grid and that it fits a tensor of that shape, if it has several scales along the axis.
func (g *grid) along(shape []int, axis int) (err error) {
	if len(g.scale) > 1 {
		if g.axis, err = normAxis(axis, len(shape)); err != nil {
			return err
		}
		if shape[g.axis] != len(g.scale) {
			return fmt.Errorf("%d scales for axis %d of shape %v", len(g.scale), g.axis, shape)
		}
	}
	lo, hi, ok := integerRange(g.typ)
	switch {
	case g.typ == onnx.Int32:
		lo, hi = math.MinInt32, math.MaxInt32
	case !ok:
		return fmt.Errorf("quantisation to %v is not supported", g.typ)
	}
	for i, s := range g.scale {
		if !(s >= minScale && float64(s)*float64(hi-lo) <= math.MaxFloat32) {
			return fmt.Errorf("scale %v", s)
		}
		if z := g.zero[i]; z < lo || z > hi || g.typ == onnx.Int32 && z != 0 {
			return fmt.Errorf("zero point %d of %v", z, g.typ)
		}
	}
	return nil
}

// same tells whether integers of both grids stand for the same numbers.
func (g *grid) same(o *grid) bool {
	return g.typ == o.typ && g.axis == o.axis && slices.Equal(g.scale, o.scale) && slices.Equal(g.zero, o.zero)
}

// quantized is the operator that rounds to a grid with one scale.
func (g *grid) quantized() (*Quantized, error) {
	lo, hi, ok := integerRange(g.typ)
	switch {
	case !ok:
		return nil, fmt.Errorf("an activation of %v is not supported", g.typ)
	case len(g.scale) > 1:
		return nil, errors.New("an activation with a scale for each channel is not supported")
	}
	return &Quantized{g.scale[0], lo - g.zero[0], hi - g.zero[0]}, nil
}

// moved is the grid of a constant after its cells moved, nil if it is no longer known.
func (g *grid) moved(op mover) *grid {
	if g == nil || len(g.scale) == 1 {
		return g
	}
	t, ok := op.(*Transpose)
	if !ok {
		return nil
	}
	out := *g
	out.axis = slices.Index(t.Perm, g.axis)
	return &out
}

// scales are those of a grid by index of an axis, or one for all; nil if they vary along another.
func (g *grid) scales(axis int) []float32 {
	if g == nil || len(g.scale) > 1 && g.axis != axis {
		return nil
	}
	return g.scale
}

// eachCell calls f for every cell of a tensor with its index among the scales.
func (g *grid) eachCell(shape []int, f func(cell, k int)) {
	n, inner := len(g.scale), 1
	if n > 1 {
		inner = size(shape[g.axis+1:])
	}
	for i := range size(shape) {
		f(i, i/inner%n)
	}
}

// dequantized is a constant of integers as numbers, which remember their grid.
func (c *call) dequantized(k *constant, g *grid) (*value, error) {
	if k.typ != g.typ {
		return nil, fmt.Errorf("integers are %v, not %v", k.typ, g.typ)
	}
	out, err := c.newConstant(onnx.Float32, k.shape)
	if err != nil {
		return nil, err
	}
	g.eachCell(k.shape, func(i, n int) { out.floats[i] = float32(k.ints[i]-g.zero[n]) * g.scale[n] })
	v := out.value()
	v.grid = g
	return v, out.checkFinite()
}

// quantizedConstant is a constant of numbers as integers.
func (c *call) quantizedConstant(k *constant, g *grid) (*value, error) {
	lo, hi, ok := integerRange(g.typ)
	if !ok || k.typ != onnx.Float32 {
		return nil, fmt.Errorf("quantisation of %v to %v is not supported", k.typ, g.typ)
	}
	out, err := c.newConstant(g.typ, k.shape)
	if err != nil {
		return nil, err
	}
	g.eachCell(k.shape, func(i, n int) {
		q := Quantized{g.scale[n], lo - g.zero[n], hi - g.zero[n]}
		out.ints[i] = q.Cell(float64(k.floats[i])) + g.zero[n]
	})
	return out.value(), nil
}
