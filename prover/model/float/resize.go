package float

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/weisyn/wes/prover/model/onnx"
)

// resize holds the attributes of a Resize.
type resize struct{ mode, nearest, coordinate string }

// importResize picks the nearest cells, or multiplies by the weights of a linear interpolation, axis
// by axis.
func importResize(c *call) ([]*value, error) {
	r, err := c.resizeModes()
	if err != nil {
		return nil, err
	}
	axes, haveAxes, err := c.attrInts("axes")
	if err != nil {
		return nil, err
	}
	x, err := c.activation(0)
	if err != nil {
		return nil, err
	}
	for i := 0; !haveAxes && i < len(x.shape); i++ {
		axes = append(axes, i)
	}
	if _, err := normAxes(axes, len(x.shape)); err != nil {
		return nil, err
	}
	for i, a := range axes {
		a, _ = normAxis(a, len(x.shape))
		n, scale, err := c.resized(i, len(axes), x.shape[a])
		if err != nil {
			return nil, err
		}
		if n == x.shape[a] && scale == 1 {
			continue
		}
		if x, err = c.resizeAxis(r, x, a, n, scale); err != nil {
			return nil, err
		}
	}
	return []*value{x}, nil
}

func (c *call) resizeModes() (r resize, err error) {
	for _, a := range []struct {
		name, def string
		to        *string
	}{
		{"mode", "nearest", &r.mode},
		{"nearest_mode", "round_prefer_floor", &r.nearest},
		{"coordinate_transformation_mode", "half_pixel", &r.coordinate},
	} {
		if *a.to, err = c.attrString(a.name, a.def); err != nil {
			return r, err
		}
	}
	policy, err := c.attrString("keep_aspect_ratio_policy", "stretch")
	if err != nil {
		return r, err
	}
	antialias, err := c.attrBool("antialias", false)
	if err != nil {
		return r, err
	}
	// These belong to modes that are refused.
	c.read["cubic_coeff_a"], c.read["exclude_outside"], c.read["extrapolation_value"] = true, true, true
	if policy != "stretch" || antialias {
		return r, errors.New("antialias and aspect ratios are not supported")
	}
	if r.mode != "nearest" && r.mode != "linear" {
		return r, fmt.Errorf("mode %q is not supported", r.mode)
	}
	return r, nil
}

// resized returns the new length of the axis with entry i of the scales or sizes, and its scale.
func (c *call) resized(i, axes, n int) (int, float64, error) {
	if v := c.operand(3); v != nil {
		sizes, _, err := c.ints(3)
		if err != nil {
			return 0, 0, err
		}
		if len(sizes) != axes || sizes[i] < 1 {
			return 0, 0, fmt.Errorf("sizes %v for %d axes", sizes, axes)
		}
		return sizes[i], float64(sizes[i]) / float64(n), nil
	}
	k, err := c.constant(2)
	if err != nil {
		return 0, 0, err
	}
	if len(k.shape) != 1 || k.shape[0] != axes || !k.typ.IsFloat() {
		return 0, 0, fmt.Errorf("scales are %v of shape %v for %d axes", k.typ, k.shape, axes)
	}
	scale := k.float(i)
	length := math.Floor(float64(n) * scale)
	if !(scale > 0 && length >= 1 && length <= math.MaxInt32) {
		return 0, 0, fmt.Errorf("scale %v of an axis of length %d", scale, n)
	}
	return int(length), scale, nil
}

func (c *call) resizeAxis(r resize, x *value, axis, n int, scale float64) (*value, error) {
	old := x.shape[axis]
	if _, err := c.elements([]int{old, n}); err != nil {
		return nil, err
	}
	at := make([]float64, n)
	for i := range at {
		var err error
		if at[i], err = r.source(i, old, n, scale); err != nil {
			return nil, err
		}
	}
	if r.mode == "linear" {
		return c.interpolate(x, axis, at)
	}
	cells := make([]int, n)
	for i, v := range at {
		switch r.nearest {
		case "floor":
			v = math.Floor(v)
		case "ceil":
			v = math.Ceil(v)
		case "round_prefer_ceil":
			v = math.Floor(v + 0.5)
		case "round_prefer_floor":
			v = math.Ceil(v - 0.5)
		default:
			return nil, fmt.Errorf("nearest_mode %q is not supported", r.nearest)
		}
		cells[i] = int(min(max(v, 0), float64(old-1)))
	}
	return c.take(x, axis, cells)
}

// source is where cell i of the n of a resized axis lies on the old one.
func (r resize) source(i, old, n int, scale float64) (float64, error) {
	switch r.coordinate {
	case "asymmetric":
		return float64(i) / scale, nil
	case "align_corners":
		return float64(i) * float64(old-1) / float64(max(n-1, 1)), nil
	case "pytorch_half_pixel":
		if n == 1 {
			return 0, nil
		}
	case "half_pixel":
	default:
		return 0, fmt.Errorf("coordinate_transformation_mode %q is not supported", r.coordinate)
	}
	return (float64(i)+0.5)/scale - 0.5, nil
}

// interpolate multiplies an axis by a matrix with two weights a column.
func (c *call) interpolate(x *value, axis int, at []float64) (*value, error) {
	old, n := x.shape[axis], len(at)
	w, err := c.newConstant(onnx.Float32, []int{old, n})
	if err != nil {
		return nil, err
	}
	for i, v := range at {
		v = min(max(v, 0), float64(old-1))
		low := int(v)
		high := min(low+1, old-1)
		w.floats[low*n+i] += float32(1 - (v - float64(low)))
		w.floats[high*n+i] += float32(v - float64(low))
	}
	perm := make([]int, len(x.shape))
	for i := range perm {
		perm[i] = i
	}
	last := len(perm) - 1
	perm[axis], perm[last] = last, axis
	if axis != last {
		if x, err = c.apply(&Transpose{slices.Clone(perm)}, x); err != nil {
			return nil, err
		}
	}
	if x, err = c.emit(&MatMul{K: old, N: n, W: w.floats, B: make([]float32, n)}, x); err != nil || axis == last {
		return x, err
	}
	return c.apply(&Transpose{perm}, x)
}
