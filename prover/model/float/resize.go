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
	if r.mode, err = c.attrString("mode", "nearest"); err != nil {
		return r, err
	}
	if c.scalesOnly() {
		r.nearest, r.coordinate = "floor", "asymmetric"
		return r, r.check()
	}
	for _, a := range []struct {
		name, def string
		to        *string
	}{
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
	return r, r.check()
}

func (r resize) check() error {
	if r.mode != "nearest" && r.mode != "linear" {
		return fmt.Errorf("mode %q is not supported", r.mode)
	}
	return nil
}

// scalesOnly reports whether the node is an Upsample, or a Resize of opset 10, which is one.
func (c *call) scalesOnly() bool { return c.op == "Upsample" || c.opset < 11 }

// scales returns the scale of every axis that is resized.
func (c *call) scales() ([]float64, error) {
	if c.opset < 9 {
		list, err := c.attrFloats("scales")
		var out []float64
		for _, v := range list {
			out = append(out, float64(v))
		}
		return out, err
	}
	operand := 2
	if c.scalesOnly() {
		operand = 1
	}
	k, err := c.constant(operand)
	if err != nil {
		return nil, err
	}
	if len(k.shape) != 1 || !k.typ.IsFloat() {
		return nil, fmt.Errorf("scales are %v of shape %v", k.typ, k.shape)
	}
	out := make([]float64, k.size())
	for i := range out {
		out[i] = k.float(i)
	}
	return out, nil
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
	scales, err := c.scales()
	if err != nil {
		return 0, 0, err
	}
	if len(scales) != axes {
		return 0, 0, fmt.Errorf("%d scales for %d axes", len(scales), axes)
	}
	scale := scales[i]
	length := math.Floor(float64(n) * scale)
	if !(scale > 0 && length >= 1 && length <= math.MaxInt32) {
		return 0, 0, fmt.Errorf("scale %v of an axis of length %d", scale, n)
	}
	return int(length), scale, nil
}

func (c *call) resizeAxis(r resize, x *value, axis, n int, scale float64) (*value, error) {
	old := x.shape[axis]
	if n > maxCells {
		return nil, fmt.Errorf("axis %d of length %d: %w", axis, n, ErrLimit)
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
		// A length that follows from a scale is not rounded, but for the error of that product.
		length := scale * float64(old)
		if math.Abs(length-float64(n)) < 1e-6 {
			length = float64(n)
		}
		if n == 1 {
			return 0, nil
		}
		return float64(i) * float64(old-1) / (length - 1), nil
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
