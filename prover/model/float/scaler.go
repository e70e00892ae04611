package float

import "fmt"

// importScaler makes (x − offset)·scale of it.
func importScaler(c *call) ([]*value, error) {
	x, err := c.table()
	if err != nil {
		return nil, err
	}
	offset, err := c.feature("offset", x.shape[1])
	if err != nil {
		return nil, err
	}
	scale, err := c.feature("scale", x.shape[1])
	if err != nil {
		return nil, err
	}
	for i := range offset.Data {
		offset.Data[i] = -offset.Data[i]
	}
	if x, err = c.emit(&AddConst{offset}, x); err != nil {
		return nil, err
	}
	return c.one(&MulConst{scale}, x)
}

// feature reads a list with one number for all features or one for each.
func (c *call) feature(name string, features int) (Tensor, error) {
	v, err := c.attrFloats(name)
	if err == nil && len(v) != 1 && len(v) != features {
		err = fmt.Errorf("attribute %q has %d numbers for %d features", name, len(v), features)
	}
	if err != nil {
		return Tensor{}, err
	}
	t := NewTensor([]int{1, len(v)})
	copy(t.Data, v)
	return t, c.countParams(int64(len(v)))
}
