package float

import (
	"errors"

	"github.com/weisyn/wes/prover/model/onnx"
)

// ArgMax is the index of the maximum along one axis, the lowest of equal ones.
// It occurs only as an Output's Tail.
type ArgMax struct {
	Axis     int
	KeepDims bool
	Labels   []int64 // of the indices; none: the indices themselves
}

var _ Op = (*ArgMax)(nil)

// Kind returns "ArgMax".
func (*ArgMax) Kind() string { return "ArgMax" }

// InferShape drops the axis, or sets it to 1 with KeepDims.
func (a *ArgMax) InferShape(in [][]int) ([]int, error) {
	if err := wantInputs(in, 1); err != nil {
		return nil, err
	}
	if a.Axis < 0 || a.Axis >= len(in[0]) {
		return nil, errAxis(a.Axis, len(in[0]))
	}
	return reducedShape(in[0], []int{a.Axis}, a.KeepDims)
}

func (a *ArgMax) eval(in []Tensor, out Tensor) {
	walkLines(in[0].Shape, a.Axis, func(line, base, step, n int) {
		best := 0
		for k := range n {
			if in[0].Data[base+k*step] > in[0].Data[base+best*step] {
				best = k
			}
		}
		out.Data[line] = float32(best)
		if len(a.Labels) > 0 {
			out.Data[line] = float32(a.Labels[best])
		}
	})
}

// importArgMax makes a tail. A softmax along the same axis before it changes no
// order and is dropped.
func importArgMax(c *call) ([]*value, error) {
	axis, err := c.attrInt("axis", 0)
	if err != nil {
		return nil, err
	}
	keep, err := c.attrBool("keepdims", true)
	if err != nil {
		return nil, err
	}
	last, err := c.attrBool("select_last_index", false)
	if err != nil {
		return nil, err
	}
	if last {
		return nil, errors.New("select_last_index is not supported")
	}
	if err := c.checkTail(); err != nil {
		return nil, err
	}
	x, err := c.activation(0)
	if err != nil {
		return nil, err
	}
	if axis, err = normAxis(axis, len(x.shape)); err != nil {
		return nil, err
	}
	if s, ok := x.tail.(*Softmax); x.tail != nil && (!ok || s.Axis != axis) {
		return nil, errors.New("it follows a " + x.tail.Kind() + " along another axis")
	}
	if c.op == "ArgMin" {
		if x, err = c.negate(x); err != nil {
			return nil, err
		}
	}
	v, err := c.endWith(&ArgMax{Axis: axis, KeepDims: keep}, x)
	if err != nil {
		return nil, err
	}
	v.typ = onnx.Int64
	return []*value{v}, nil
}
