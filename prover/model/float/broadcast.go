package float

import (
	"fmt"
	"slices"
)

// Broadcast repeats the cells of axes of length one. Shape has the rank of the
// input, and each of its dimensions is the input's where that is not 1.
type Broadcast struct{ Shape []int }

var _ mover = (*Broadcast)(nil)

// Kind returns "Broadcast".
func (*Broadcast) Kind() string { return "Broadcast" }

// InferShape returns Shape.
func (b *Broadcast) InferShape(in [][]int) ([]int, error) {
	if err := wantInputs(in, 1); err != nil {
		return nil, err
	}
	bad := len(b.Shape) != len(in[0])
	for i := 0; !bad && i < len(b.Shape); i++ {
		bad = in[0][i] != 1 && in[0][i] != b.Shape[i]
	}
	if bad {
		return nil, fmt.Errorf("%v does not broadcast into %v", in[0], b.Shape)
	}
	return b.Shape, nil
}

func (b *Broadcast) move(in [][]int, out []int, put func(k, from, to int)) {
	walkStrided(out, 0, broadcastSteps(in[0], out), func(i, j int) { put(0, j, i) })
}

func (b *Broadcast) eval(in []Tensor, out Tensor) { evalMove(b, in, out) }

// broadcastTo gives a value a shape that it broadcasts into by the ONNX rule:
// leading axes first, then repetition. It emits nothing when the shape stays.
func (c *call) broadcastTo(v *value, shape []int) (*value, error) {
	if !v.known {
		return nil, errLost
	}
	if len(v.shape) > len(shape) {
		return nil, fmt.Errorf("%v does not broadcast into %v", v.shape, shape)
	}
	if _, err := c.elements(shape); err != nil {
		return nil, err
	}
	wide := slices.Concat(slices.Repeat([]int{1}, len(shape)-len(v.shape)), v.shape)
	if !slices.Equal(wide, v.shape) {
		var err error
		if v, err = c.apply(&Reshape{wide}, v); err != nil {
			return nil, err
		}
	}
	if slices.Equal(wide, shape) {
		return v, nil
	}
	return c.apply(&Broadcast{shape}, v)
}

// broadcastPair gives an activation and another value the shape that both
// broadcast into; a constant keeps its own.
func (c *call) broadcastPair(x, y *value) (*value, *value, error) {
	if !x.known || !y.known {
		return nil, nil, errLost
	}
	shape, err := broadcast(x.shape, y.shape)
	if err != nil {
		return nil, nil, err
	}
	if x, err = c.broadcastTo(x, shape); err != nil || y.fixed {
		return x, y, err
	}
	y, err = c.broadcastTo(y, shape)
	return x, y, err
}

// importExpand broadcasts to a constant shape, whose dimensions of 1 keep those
// of the operand.
func importExpand(c *call) ([]*value, error) {
	want, _, err := c.ints(1)
	if err != nil {
		return nil, err
	}
	x, err := c.source(0)
	if err != nil {
		return nil, err
	}
	shape, err := broadcast(x.shape, want)
	if err != nil {
		return nil, err
	}
	v, err := c.broadcastTo(x, shape)
	return []*value{v}, err
}
