package float

import (
	"fmt"
	"slices"
)

// reduction returns the importer of a reduction over axes.
func reduction(reduce func(c *call, x *value, axes []int, keep bool) (*value, error)) rule {
	return func(c *call) ([]*value, error) {
		keep, err := c.attrBool("keepdims", true)
		if err != nil {
			return nil, err
		}
		noop, err := c.attrBool("noop_with_empty_axes", false)
		if err != nil {
			return nil, err
		}
		since := 18
		if c.op == "ReduceSum" {
			since = 13
		}
		axes, _, err := c.axes(since)
		if err != nil {
			return nil, err
		}
		x, err := c.source(0)
		if err != nil {
			return nil, err
		}
		if len(axes) == 0 && noop {
			return []*value{x}, nil
		}
		if len(axes) == 0 {
			for i := range x.shape {
				axes = append(axes, i)
			}
		}
		if axes, err = normAxes(axes, len(x.shape)); err != nil {
			return nil, err
		}
		if x.fixed {
			return c.foldReduce(axes, keep)
		}
		v, err := reduce(c, x, axes, keep)
		return []*value{v}, err
	}
}

func reduceMean(c *call, x *value, axes []int, keep bool) (*value, error) {
	return c.emit(&MeanAxes{axes, keep}, x)
}

func reduceProd(*call, *value, []int, bool) (*value, error) { return nil, errConstantsOnly }

// reduceSum is the mean times the number of cells.
func reduceSum(c *call, x *value, axes []int, keep bool) (*value, error) {
	n := 1
	for _, a := range axes {
		n *= x.shape[a]
	}
	v, err := reduceMean(c, x, axes, keep)
	if err != nil || n == 1 {
		return v, err
	}
	return c.scaled(v, float32(n))
}

func reduceSumSquare(c *call, x *value, axes []int, keep bool) (*value, error) {
	x, err := c.emit(&Pow{2}, x)
	if err != nil {
		return nil, err
	}
	return reduceSum(c, x, axes, keep)
}

func reduceL1(c *call, x *value, axes []int, keep bool) (*value, error) {
	x, err := c.emit(&Abs{}, x)
	if err != nil {
		return nil, err
	}
	return reduceSum(c, x, axes, keep)
}

func reduceL2(c *call, x *value, axes []int, keep bool) (*value, error) {
	v, err := reduceSumSquare(c, x, axes, keep)
	if err != nil {
		return nil, err
	}
	return c.emit(&Sqrt{}, v)
}

// reduceMax joins both halves of every axis, which may overlap, until one cell is left.
func reduceMax(c *call, x *value, axes []int, keep bool) (*value, error) {
	for _, a := range axes {
		for x.shape[a] > 1 {
			n := x.shape[a]
			low, high := wholeSlice(x.shape), wholeSlice(x.shape)
			low.Sizes[a] = (n + 1) / 2
			high.Sizes[a], high.Starts[a] = low.Sizes[a], n-low.Sizes[a]
			l, err := c.apply(low, x)
			if err != nil {
				return nil, err
			}
			h, err := c.apply(high, x)
			if err != nil {
				return nil, err
			}
			if x, err = c.emit(&Maximum{}, l, h); err != nil {
				return nil, err
			}
		}
	}
	shape, err := reducedShape(x.shape, axes, keep)
	if err != nil || keep {
		return x, err
	}
	return c.apply(&Reshape{shape}, x)
}

func reduceMin(c *call, x *value, axes []int, keep bool) (*value, error) {
	x, err := c.negate(x)
	if err != nil {
		return nil, err
	}
	if x, err = reduceMax(c, x, axes, keep); err != nil {
		return nil, err
	}
	return c.negate(x)
}

// importCumSum folds the running sum along an axis of a constant.
func importCumSum(c *call) ([]*value, error) {
	exclusive, err := c.attrBool("exclusive", false)
	if err != nil {
		return nil, err
	}
	reverse, err := c.attrBool("reverse", false)
	if err != nil {
		return nil, err
	}
	if !c.allFixed() {
		return nil, errConstantsOnly
	}
	at, _, err := c.ints(1)
	if err != nil {
		return nil, err
	}
	k, err := c.constant(0)
	if err != nil {
		return nil, err
	}
	if len(at) != 1 || exclusive || reverse {
		return nil, fmt.Errorf("axes %v, exclusive %v, reverse %v", at, exclusive, reverse)
	}
	axis, err := normAxis(at[0], len(k.shape))
	if err != nil {
		return nil, err
	}
	out, err := c.newConstant(k.typ, k.shape)
	if err != nil {
		return nil, err
	}
	copy(out.floats, k.floats)
	copy(out.ints, k.ints)
	if slices.Contains(k.shape, 0) {
		return []*value{out.value()}, nil
	}
	walkLines(k.shape, axis, func(_, base, step, n int) {
		for i := base + step; i < base+n*step; i += step {
			if out.floats != nil {
				out.floats[i] += out.floats[i-step]
			} else {
				out.ints[i] += out.ints[i-step]
			}
		}
	})
	return []*value{out.value()}, out.checkFolded()
}
