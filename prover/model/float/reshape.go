package float

import (
	"fmt"
	"slices"
)

// Reshape keeps the row-major order of the cells. Flatten, Squeeze and
// Unsqueeze are reshapes too.
type Reshape struct{ Shape []int }

var _ mover = (*Reshape)(nil)

// Kind returns "Reshape".
func (*Reshape) Kind() string { return "Reshape" }

// InferShape returns Shape.
func (r *Reshape) InferShape(in [][]int) ([]int, error) {
	if err := wantInputs(in, 1); err != nil {
		return nil, err
	}
	if size(in[0]) != size(r.Shape) {
		return nil, fmt.Errorf("%v cannot be reshaped to %v", in[0], r.Shape)
	}
	return r.Shape, nil
}

func (r *Reshape) move(in [][]int, _ []int, put func(k, from, to int)) {
	for i := range size(in[0]) {
		put(0, i, i)
	}
}

func (*Reshape) eval(in []Tensor, out Tensor) { copy(out.Data, in[0].Data) }

// reshaped emits nothing when the shape stays.
func (c *call) reshaped(v *value, shape []int) ([]*value, error) {
	if slices.Equal(v.shape, shape) {
		return []*value{v}, nil
	}
	if _, err := c.elements(shape); err != nil {
		return nil, err
	}
	return c.moved(&Reshape{shape}, v)
}

func importReshape(c *call) ([]*value, error) {
	allowZero, err := c.attrBool("allowzero", false)
	if err != nil {
		return nil, err
	}
	want, _, err := c.ints(1)
	if err != nil {
		return nil, err
	}
	x, err := c.source(0)
	if err != nil {
		return nil, err
	}
	shape, err := resolveShape(x.shape, want, allowZero)
	if err != nil {
		return nil, err
	}
	return c.reshaped(x, shape)
}

// resolveShape replaces a 0 by the input's dimension, unless zeros are literal,
// and one −1 by what is left.
func resolveShape(in, want []int, allowZero bool) ([]int, error) {
	shape, rest, free := slices.Clone(want), size(in), -1
	for i, d := range want {
		switch {
		case d == -1 && free >= 0:
			return nil, fmt.Errorf("shape %v has more than one -1", want)
		case d == -1:
			free = i
			continue
		case d < 0:
			return nil, fmt.Errorf("shape %v has a negative dimension", want)
		case d == 0 && !allowZero:
			if i >= len(in) {
				return nil, fmt.Errorf("shape %v copies a dimension that %v lacks", want, in)
			}
			shape[i] = in[i]
		}
		if shape[i] != 0 {
			if rest%shape[i] != 0 {
				return nil, fmt.Errorf("%v cannot be reshaped to %v", in, want)
			}
			rest /= shape[i]
		}
	}
	if free >= 0 {
		shape[free] = rest
	}
	return shape, nil
}

func importFlatten(c *call) ([]*value, error) {
	axis, err := c.attrInt("axis", 1)
	if err != nil {
		return nil, err
	}
	x, err := c.source(0)
	if err != nil {
		return nil, err
	}
	if axis < -len(x.shape) || axis > len(x.shape) {
		return nil, errAxis(axis, len(x.shape))
	}
	if axis < 0 {
		axis += len(x.shape)
	}
	return c.reshaped(x, []int{size(x.shape[:axis]), size(x.shape[axis:])})
}

func importSqueeze(c *call) ([]*value, error) {
	axes, given, err := c.axes(13)
	if err != nil {
		return nil, err
	}
	x, err := c.source(0)
	if err != nil {
		return nil, err
	}
	if axes, err = normAxes(axes, len(x.shape)); err != nil {
		return nil, err
	}
	shape := []int{}
	for i, d := range x.shape {
		drop := slices.Contains(axes, i) || !given && d == 1
		if drop && d != 1 {
			return nil, fmt.Errorf("axis %d of %v is not 1", i, x.shape)
		}
		if !drop {
			shape = append(shape, d)
		}
	}
	return c.reshaped(x, shape)
}

func importUnsqueeze(c *call) ([]*value, error) {
	axes, _, err := c.axes(13)
	if err != nil {
		return nil, err
	}
	x, err := c.source(0)
	if err != nil {
		return nil, err
	}
	if axes, err = normAxes(axes, len(x.shape)+len(axes)); err != nil {
		return nil, err
	}
	shape := slices.Clone(x.shape)
	for _, a := range axes {
		shape = slices.Insert(shape, a, 1)
	}
	return c.reshaped(x, shape)
}
