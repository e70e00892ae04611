package graph

import (
	"fmt"
	"slices"
)

// Slice keeps Len cells of an axis: out[i] = in[Start + i·Step]. Step may be negative.
type Slice struct{ Axis, Start, Step, Len int }

// Pad puts zeros around an axis.
type Pad struct{ Axis, Before, After int }

// Select reads an axis at the given positions: out[i] = in[Index[i]].
type Select struct {
	Axis  int
	Index []int
}

// Broadcast repeats an axis of length one N times.
type Broadcast struct{ Axis, N int }

// SumWindow adds the cells under a window: out[p] = Σ_k in[p·Stride + k·Dilation − Pad].
type SumWindow struct{ Window Window }

func (*Slice) kind() kind     { return kindSlice }
func (*Pad) kind() kind       { return kindPad }
func (*Select) kind() kind    { return kindSelect }
func (*Broadcast) kind() kind { return kindBroadcast }
func (*SumWindow) kind() kind { return kindSumWindow }

// withAxis is the shape of the only input with one axis replaced.
func withAxis(in [][]int, axis, length int) ([]int, error) {
	if len(in) != 1 {
		return nil, fmt.Errorf("%d inputs, want 1", len(in))
	}
	if axis < 0 || axis >= len(in[0]) {
		return nil, fmt.Errorf("axis %d of %v", axis, in[0])
	}
	out := slices.Clone(in[0])
	out[axis] = length
	return out, nil
}

func (op *Slice) shape(in [][]int) ([]int, error) {
	out, err := withAxis(in, op.Axis, op.Len)
	if err != nil {
		return nil, err
	}
	n := in[0][op.Axis]
	if op.Len < 1 || op.Len > n || op.Start < 0 || op.Start >= n || op.Step < -n || op.Step > n || op.Step == 0 && op.Len > 1 {
		return nil, fmt.Errorf("slice %+v of an axis of %d", *op, n)
	}
	if last := op.Start + (op.Len-1)*op.Step; last < 0 || last >= n {
		return nil, fmt.Errorf("slice %+v of an axis of %d", *op, n)
	}
	return out, nil
}

func (op *Pad) shape(in [][]int) ([]int, error) {
	if op.Before < 0 || op.After < 0 || op.Before > MaxElements || op.After > MaxElements {
		return nil, fmt.Errorf("pad %+v", *op)
	}
	out, err := withAxis(in, op.Axis, 0)
	if err != nil {
		return nil, err
	}
	out[op.Axis] = in[0][op.Axis] + op.Before + op.After
	return out, nil
}

func (op *Select) shape(in [][]int) ([]int, error) {
	out, err := withAxis(in, op.Axis, len(op.Index))
	if err != nil {
		return nil, err
	}
	for _, i := range op.Index {
		if i < 0 || i >= in[0][op.Axis] {
			return nil, fmt.Errorf("index %d of an axis of %d", i, in[0][op.Axis])
		}
	}
	return out, nil
}

func (op *Broadcast) shape(in [][]int) ([]int, error) {
	out, err := withAxis(in, op.Axis, op.N)
	if err == nil && in[0][op.Axis] != 1 {
		err = fmt.Errorf("axis %d of %v is not of length one", op.Axis, in[0])
	}
	return out, err
}

func (op *SumWindow) shape(in [][]int) ([]int, error) {
	out, err := withAxis(in, op.Window.Axis, op.Window.Out)
	if err != nil {
		return nil, err
	}
	return out, op.Window.check(in[0][op.Window.Axis])
}

func (op *Slice) bound(_ *Graph, in []Interval) (Interval, error)     { return in[0], nil }
func (op *Select) bound(_ *Graph, in []Interval) (Interval, error)    { return in[0], nil }
func (op *Broadcast) bound(_ *Graph, in []Interval) (Interval, error) { return in[0], nil }

func (op *Pad) bound(_ *Graph, in []Interval) (Interval, error) {
	return Interval{min(in[0].Lo, 0), max(in[0].Hi, 0)}, nil
}

func (op *SumWindow) bound(_ *Graph, in []Interval) (Interval, error) {
	return scaleInterval(Interval{min(in[0].Lo, 0), max(in[0].Hi, 0)}, int64(op.Window.Kernel))
}

// scaleInterval is the hull of k·v for v in the interval.
func scaleInterval(v Interval, k int64) (Interval, error) {
	if k != 0 && (max(v.Hi, -v.Hi, v.Lo, -v.Lo) >= MaxExact/max(k, -k)) {
		return Interval{}, fmt.Errorf("%d times [%d, %d] reaches 2^53", k, v.Lo, v.Hi)
	}
	return Interval{min(k*v.Lo, k*v.Hi), max(k*v.Lo, k*v.Hi)}, nil
}

func (op *Slice) fields(c *codec) {
	for _, p := range []*int{&op.Axis, &op.Start, &op.Step, &op.Len} {
		c.int(p)
	}
}

func (op *Pad) fields(c *codec) {
	for _, p := range []*int{&op.Axis, &op.Before, &op.After} {
		c.int(p)
	}
}

func (op *Select) fields(c *codec) {
	c.int(&op.Axis)
	c.ints(&op.Index, MaxElements)
}

func (op *Broadcast) fields(c *codec) {
	c.int(&op.Axis)
	c.int(&op.N)
}

func (op *SumWindow) fields(c *codec) { op.Window.fields(c) }
