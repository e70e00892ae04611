package float

import (
	"errors"
	"fmt"
	"slices"
)

// Slice keeps, on every axis d, the Sizes[d] cells Starts[d], Starts[d]+Steps[d], …
// Steps may be negative, not 0. All three lists have the rank of the input.
type Slice struct{ Starts, Steps, Sizes []int }

var _ mover = (*Slice)(nil)

// Kind returns "Slice".
func (*Slice) Kind() string { return "Slice" }

// InferShape returns Sizes.
func (s *Slice) InferShape(in [][]int) ([]int, error) {
	if err := wantInputs(in, 1); err != nil {
		return nil, err
	}
	if len(s.Starts) != len(in[0]) || len(s.Steps) != len(in[0]) || len(s.Sizes) != len(in[0]) {
		return nil, fmt.Errorf("slice of rank %d for rank %d", len(s.Starts), len(in[0]))
	}
	for d, n := range in[0] {
		if s.Sizes[d] == 0 {
			continue
		}
		last := s.Starts[d] + (s.Sizes[d]-1)*s.Steps[d]
		if s.Sizes[d] < 0 || s.Starts[d] < 0 || s.Starts[d] >= n || last < 0 || last >= n {
			return nil, fmt.Errorf("slice leaves axis %d of length %d", d, n)
		}
	}
	return s.Sizes, nil
}

func (s *Slice) move(in [][]int, out []int, put func(k, from, to int)) {
	step, base := strides(in[0]), 0
	for d := range step {
		base += s.Starts[d] * step[d]
		step[d] *= s.Steps[d]
	}
	walkStrided(out, base, step, func(i, j int) { put(0, j, i) })
}

func (s *Slice) eval(in []Tensor, out Tensor) { evalMove(s, in, out) }

// wholeSlice keeps everything.
func wholeSlice(shape []int) *Slice {
	s := &Slice{make([]int, len(shape)), make([]int, len(shape)), slices.Clone(shape)}
	for d := range s.Steps {
		s.Steps[d] = 1
	}
	return s
}

func importSlice(c *call) ([]*value, error) {
	starts, _, err := c.movedInts(1, "starts", 10)
	if err != nil {
		return nil, err
	}
	ends, _, err := c.movedInts(2, "ends", 10)
	if err != nil {
		return nil, err
	}
	axes, haveAxes, err := c.movedInts(3, "axes", 10)
	if err != nil {
		return nil, err
	}
	steps, haveSteps, err := c.ints(4)
	if err != nil {
		return nil, err
	}
	x, err := c.source(0)
	if err != nil {
		return nil, err
	}
	for i := range starts {
		if !haveAxes {
			axes = append(axes, i)
		}
		if !haveSteps {
			steps = append(steps, 1)
		}
	}
	if len(ends) != len(starts) || len(axes) != len(starts) || len(steps) != len(starts) {
		return nil, errors.New("starts, ends, axes and steps of different lengths")
	}
	if _, err := normAxes(axes, len(x.shape)); err != nil {
		return nil, err
	}
	s := wholeSlice(x.shape)
	for i, a := range axes {
		if steps[i] == 0 {
			return nil, errors.New("step 0")
		}
		a, _ = normAxis(a, len(x.shape))
		s.Starts[a], s.Sizes[a] = sliceRange(x.shape[a], starts[i], ends[i], steps[i])
		s.Steps[a] = steps[i]
	}
	return c.moved(s, x)
}

// sliceRange resolves start and end, which may be negative or beyond the axis
// of length n, to the first cell and the number of cells.
func sliceRange(n, start, end, step int) (first, count int) {
	if start < 0 {
		start += n
	}
	if end < 0 {
		end += n
	}
	if step > 0 {
		start, end = min(max(start, 0), n), min(max(end, 0), n)
		return start, max((end-start+step-1)/step, 0)
	}
	start, end = min(max(start, 0), n-1), min(max(end, -1), n-1)
	return start, max((start-end-step-1)/-step, 0)
}

// importSplit cuts an axis into consecutive slices.
func importSplit(c *call) ([]*value, error) {
	axis, err := c.attrInt("axis", 0)
	if err != nil {
		return nil, err
	}
	parts, err := c.attrInt("num_outputs", len(c.n.Outputs))
	if err != nil {
		return nil, err
	}
	x, err := c.source(0)
	if err != nil {
		return nil, err
	}
	if axis, err = normAxis(axis, len(x.shape)); err != nil {
		return nil, err
	}
	sizes, err := c.splitSizes(x.shape[axis], parts)
	if err != nil {
		return nil, err
	}
	var out []*value
	start := 0
	for _, n := range sizes {
		s := wholeSlice(x.shape)
		s.Starts[axis], s.Sizes[axis] = start, n
		v, err := c.apply(s, x)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		start += n
	}
	return out, nil
}

// splitSizes returns the lengths of the parts of an axis of length n: those
// given, or equal ones of which the last may be shorter.
func (c *call) splitSizes(n, parts int) ([]int, error) {
	sizes, given, err := c.ints(1)
	if err == nil && !given {
		sizes, given, err = c.attrInts("split")
	}
	if err != nil {
		return nil, err
	}
	if parts != len(c.n.Outputs) || parts < 1 || given && len(sizes) != parts {
		return nil, fmt.Errorf("%d parts for %d outputs", parts, len(c.n.Outputs))
	}
	if !given {
		each := (n + parts - 1) / parts
		for left := n; len(sizes) < parts; left -= each {
			sizes = append(sizes, min(each, left))
		}
	}
	sum := 0
	for _, s := range sizes {
		if s < 0 {
			return nil, fmt.Errorf("negative part in %v", sizes)
		}
		sum += s
	}
	if sum != n {
		return nil, fmt.Errorf("parts %v of an axis of length %d", sizes, n)
	}
	return sizes, nil
}
