package float

import (
	"errors"
	"slices"
)

// maxCells bounds the axis whose cells are listed one by one.
const maxCells = 1 << 20

// take picks the cells at[0], at[1], … of an axis, by the fewest nodes that do.
func (c *call) take(x *value, axis int, at []int) (*value, error) {
	if s, ok := spaced(x.shape, axis, at); ok {
		if slices.Equal(s.Sizes, x.shape) && s.Steps[axis] == 1 {
			return x, nil
		}
		return c.apply(s, x)
	}
	if each := repeats(at); each > 1 {
		var once []int
		for i := 0; i < len(at); i += each {
			once = append(once, at[i])
		}
		v, err := c.take(x, axis, once)
		if err != nil {
			return nil, err
		}
		return c.repeated(v, axis, each)
	}
	var parts []*value
	for len(at) > 0 {
		s, n := longestRun(x.shape, axis, at)
		v, err := c.apply(s, x)
		if err != nil {
			return nil, err
		}
		parts, at = append(parts, v), at[n:]
	}
	if len(parts) == 0 {
		return nil, errors.New("no indices")
	}
	return c.apply(&Concat{axis}, parts...)
}

// repeats is the largest number of times that every index occurs in a row.
func repeats(at []int) int {
	each := len(at)
	for i := 0; i < len(at); {
		n := 1
		for i+n < len(at) && at[i+n] == at[i] {
			n++
		}
		each = gcd(each, n)
		i += n
	}
	return each
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// longestRun is the slice of the first indices that are evenly spaced, and their number.
func longestRun(shape []int, axis int, at []int) (*Slice, int) {
	n := 1
	for n < len(at) && at[n] != at[n-1] && at[n]-at[n-1] == at[1]-at[0] {
		n++
	}
	s, _ := spaced(shape, axis, at[:n])
	return s, n
}

// repeated repeats every cell of an axis so many times.
func (c *call) repeated(v *value, axis, each int) (*value, error) {
	return c.spread(v, axis+1, each, axis)
}

// tiled repeats a whole axis so many times.
func (c *call) tiled(v *value, axis, times int) (*value, error) {
	return c.spread(v, axis, times, axis)
}

// spread repeats a value along a new axis in front of axis at, and makes one of it and the axis
// that it multiplies.
func (c *call) spread(v *value, at, times, axis int) (*value, error) {
	if times == 1 {
		return v, nil
	}
	wide := slices.Clone(v.shape)
	wide[axis] *= times
	if v.shape[axis] == 1 {
		return c.broadcastTo(v, wide)
	}
	split := slices.Insert(slices.Clone(v.shape), at, 1)
	if _, err := c.elements(split); err != nil {
		return nil, err
	}
	v, err := c.apply(&Reshape{split}, v)
	if err != nil {
		return nil, err
	}
	split = slices.Clone(split)
	split[at] = times
	if v, err = c.broadcastTo(v, split); err != nil {
		return nil, err
	}
	return c.apply(&Reshape{wide}, v)
}

func importTile(c *call) ([]*value, error) {
	times, _, err := c.ints(1)
	if err != nil {
		return nil, err
	}
	x, err := c.source(0)
	if err != nil {
		return nil, err
	}
	if len(times) != len(x.shape) || slices.ContainsFunc(times, func(n int) bool { return n < 1 }) {
		return nil, errors.New("repeats are not one positive number an axis")
	}
	for axis, n := range times {
		if x, err = c.tiled(x, axis, n); err != nil {
			return nil, err
		}
	}
	return []*value{x}, nil
}
