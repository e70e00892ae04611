package float

import "fmt"

// importGemm folds alpha, beta and transB into constant weights. An addend that is
// not a bias becomes an addition of its own.
func importGemm(c *call) ([]*value, error) {
	alpha, err := c.attrFloat("alpha", 1)
	if err != nil {
		return nil, err
	}
	beta, err := c.attrFloat("beta", 1)
	if err != nil {
		return nil, err
	}
	var operands [2]*value
	for i, name := range []string{"transA", "transB"} {
		trans, err := c.attrBool(name, false)
		if err != nil {
			return nil, err
		}
		if operands[i], err = c.gemmOperand(i, trans); err != nil {
			return nil, err
		}
	}
	x, y := operands[0], operands[1]
	scale := &x
	if y.fixed {
		scale = &y
	}
	if alpha != 1 {
		if *scale, err = c.scaled(*scale, alpha); err != nil {
			return nil, err
		}
	}
	v, err := c.times(x, y)
	if err != nil || c.operand(2) == nil {
		return []*value{v}, err
	}
	return c.addend(v, beta)
}

// gemmOperand is a matrix, transposed if trans.
func (c *call) gemmOperand(i int, trans bool) (*value, error) {
	v, err := c.source(i)
	if err != nil {
		return nil, err
	}
	if err := wantRank(v.shape, 2); err != nil {
		return nil, fmt.Errorf("operand %d: %w", i, err)
	}
	if trans {
		return c.apply(&Transpose{[]int{1, 0}}, v)
	}
	return v, nil
}

// addend adds beta times operand 2 to the product v: fuse moves a
// constant row into the bias.
func (c *call) addend(v *value, beta float32) ([]*value, error) {
	y, err := c.source(2)
	switch {
	case err != nil:
		return nil, err
	case !y.fixed && beta != 1:
		if y, err = c.scaled(y, beta); err != nil {
			return nil, err
		}
		return c.sum(v, y)
	case !y.fixed:
		return c.sum(v, y)
	}
	t, err := c.aligned(y, v)
	if err != nil {
		return nil, err
	}
	k := &constant{typ: y.typ, shape: t.Shape, floats: make([]float32, len(t.Data))}
	for i := range t.Data {
		k.floats[i] = beta * t.Data[i]
	}
	if err := k.checkFinite(); err != nil {
		return nil, err
	}
	return c.sum(v, k.value())
}
