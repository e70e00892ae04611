package graph

import (
	"fmt"
	"slices"
)

// Scale multiplies by an integer constant that broadcasts to its input.
type Scale struct{ Coef Constant }

// Transpose permutes axes: axis i of the output is axis Perm[i] of the input.
type Transpose struct{ Perm []int }

// Reshape gives the cells, in row-major order, another shape.
type Reshape struct{ Shape []int }

// Concat joins tensors along an axis.
type Concat struct{ Axis int }

func (*Scale) kind() kind     { return kindScale }
func (*Transpose) kind() kind { return kindTranspose }
func (*Reshape) kind() kind   { return kindReshape }
func (*Concat) kind() kind    { return kindConcat }

func (op *Scale) shape(in [][]int) ([]int, error) {
	if len(in) != 1 || len(op.Coef.Data) == 0 {
		return nil, fmt.Errorf("%d inputs and %d coefficients", len(in), len(op.Coef.Data))
	}
	return in[0], op.Coef.check(in[0])
}

func (op *Transpose) shape(in [][]int) ([]int, error) {
	if len(in) != 1 || len(op.Perm) != len(in[0]) {
		return nil, fmt.Errorf("permutation %v of %v", op.Perm, in)
	}
	out := make([]int, len(op.Perm))
	seen := make([]bool, len(op.Perm))
	for i, p := range op.Perm {
		if p < 0 || p >= len(seen) || seen[p] {
			return nil, fmt.Errorf("%v is no permutation", op.Perm)
		}
		seen[p] = true
		out[i] = in[0][p]
	}
	return out, nil
}

func (op *Reshape) shape(in [][]int) ([]int, error) {
	if len(in) != 1 || checkShape(op.Shape) != nil || Elements(op.Shape) != Elements(in[0]) {
		return nil, fmt.Errorf("shape %v for %v", op.Shape, in)
	}
	return op.Shape, nil
}

func (op *Concat) shape(in [][]int) ([]int, error) {
	if len(in) == 0 || op.Axis < 0 || op.Axis >= len(in[0]) {
		return nil, fmt.Errorf("%d inputs joined on axis %d", len(in), op.Axis)
	}
	out := slices.Clone(in[0])
	for _, s := range in[1:] {
		if len(s) != len(out) {
			return nil, fmt.Errorf("shapes %v", in)
		}
		for a := range s {
			if a != op.Axis && s[a] != out[a] {
				return nil, fmt.Errorf("shapes %v", in)
			}
		}
		out[op.Axis] += s[op.Axis]
	}
	return out, nil
}

func (op *Scale) bound(_ *Graph, in []Interval) (Interval, error) {
	low, high := slices.Min(op.Coef.Data), slices.Max(op.Coef.Data)
	a, err := scaleInterval(in[0], low)
	if err != nil {
		return a, err
	}
	b, err := scaleInterval(in[0], high)
	return Interval{min(a.Lo, b.Lo), max(a.Hi, b.Hi)}, err
}

func (op *Transpose) bound(_ *Graph, in []Interval) (Interval, error) { return in[0], nil }
func (op *Reshape) bound(_ *Graph, in []Interval) (Interval, error)   { return in[0], nil }

func (op *Concat) bound(_ *Graph, in []Interval) (Interval, error) {
	b := in[0]
	for _, v := range in[1:] {
		b.Lo, b.Hi = min(b.Lo, v.Lo), max(b.Hi, v.Hi)
	}
	return b, nil
}

func (op *Scale) fields(c *codec)     { op.Coef.fields(c) }
func (op *Transpose) fields(c *codec) { c.ints(&op.Perm, MaxRank) }
func (op *Reshape) fields(c *codec)   { c.dims(&op.Shape) }
func (op *Concat) fields(c *codec)    { c.int(&op.Axis) }
