package float

import (
	"errors"
	"fmt"
)

// Conv is a 1-D or 2-D cross-correlation over inputs [N, IC, spatial...].
type Conv struct {
	Window
	Out   int       // output channels OC, a multiple of Group
	In    int       // input channels IC, a multiple of Group
	Group int       // ≥ 1
	W     []float32 // [OC][IC/Group][kernel...], row-major
	B     []float32 // [OC], never nil
	Grid  []float32 // the weights of a channel are integers times its factor, or that of all; nil: none
}

var (
	_ Op       = (*Conv)(nil)
	_ Weighted = (*Conv)(nil)
)

// Kind returns "Conv".
func (*Conv) Kind() string { return "Conv" }

// InferShape returns [N, OC, out...].
func (c *Conv) InferShape(in [][]int) ([]int, error) {
	if err := wantInputs(in, 1); err != nil {
		return nil, err
	}
	out, err := c.outShape(in[0], c.Out)
	if err != nil {
		return nil, err
	}
	if in[0][1] != c.In {
		return nil, fmt.Errorf("%d input channels, the weights want %d", in[0][1], c.In)
	}
	return out, nil
}

// depth is the number of weights behind one output cell.
func (c *Conv) depth() int { return c.In / c.Group * size(c.Kernel) }

// MACs counts the padded taps too.
func (c *Conv) MACs(out []int) int64 { return int64(size(out)) * int64(c.depth()) }

// Params counts weights and biases.
func (c *Conv) Params() int64 { return int64(len(c.W) + len(c.B)) }

// importConv resolves auto_pad and checks groups against both shapes.
func importConv(c *call) ([]*value, error) {
	group, err := c.attrInt("group", 1)
	if err != nil {
		return nil, err
	}
	if w := c.operand(1); w != nil && !w.fixed {
		return nil, errors.New("needs two activations")
	}
	k, err := c.constant(1)
	if err != nil {
		return nil, err
	}
	if err := wantRank(k.shape, 3, 4); err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	w, auto, err := c.window(k.shape[2:], nil)
	if err != nil {
		return nil, err
	}
	op := &Conv{Window: w, Out: k.shape[0], Group: group, W: k.floats, Grid: c.in[1].grid.scales(0)}
	if group < 1 || op.Out%group != 0 || op.Out == 0 || k.shape[1] == 0 || !k.typ.IsFloat() {
		return nil, fmt.Errorf("%d groups of weights %v of %v", group, k.shape, k.typ)
	}
	op.In = k.shape[1] * group
	if op.B, err = c.bias(2, op.Out); err != nil {
		return nil, err
	}
	x, err := c.activation(0)
	if err != nil {
		return nil, err
	}
	if err := op.check(x.shape); err != nil {
		return nil, err
	}
	if err := op.resolvePads(auto, x.shape); err != nil {
		return nil, err
	}
	return c.one(op, x)
}

// bias returns operand i, a constant list of n numbers, or zeros if it is
// omitted.
func (c *call) bias(i, n int) ([]float32, error) {
	if c.operand(i) == nil {
		return make([]float32, n), nil
	}
	k, err := c.constant(i)
	if err != nil {
		return nil, err
	}
	if len(k.shape) != 1 || k.shape[0] != n || !k.typ.IsFloat() {
		return nil, fmt.Errorf("bias is %v of shape %v instead of %d numbers", k.typ, k.shape, n)
	}
	return k.floats, nil
}
