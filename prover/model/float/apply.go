package float

import "errors"

// scalar returns the importer of a function of single cells.
func scalar(op func(*call) (Scalar, error)) rule {
	return func(c *call) ([]*value, error) {
		f, err := op(c)
		if err != nil {
			return nil, err
		}
		if c.allFixed() {
			return c.foldScalar(f)
		}
		x, err := c.activation(0)
		if err != nil {
			return nil, err
		}
		return c.one(f, x)
	}
}

// foldScalar applies a function to a constant.
func (c *call) foldScalar(f Scalar) ([]*value, error) {
	k, err := c.foldable(0)
	if err != nil {
		return nil, err
	}
	out, err := c.newConstant(k.typ, k.shape)
	if err != nil {
		return nil, err
	}
	switch f.(type) {
	case *Abs, *Sign:
	default:
		if !k.typ.IsFloat() {
			return nil, errors.New("not supported on integers")
		}
	}
	for i := range k.size() {
		v := f.Apply(k.float(i))
		if out.floats != nil {
			out.floats[i] = float32(v)
		} else {
			if v > 1<<53 {
				return nil, errors.New("integers beyond 53 bits")
			}
			out.ints[i] = int64(v)
		}
	}
	return []*value{out.value()}, out.checkFolded()
}

// function returns the importer of a function without parameters.
func function[T any, F interface {
	*T
	Scalar
}]() rule {
	return scalar(func(*call) (Scalar, error) { return F(new(T)), nil })
}

func importGelu(c *call) (Scalar, error) {
	kind, err := c.attrString("approximate", "none")
	switch {
	case err != nil:
		return nil, err
	case kind == "tanh":
		return &GeluTanh{}, nil
	case kind != "none":
		return nil, errors.New("approximation " + kind + " is not supported")
	}
	return &Gelu{}, nil
}

func importElu(c *call) (Scalar, error) {
	alpha, err := c.attrFloat("alpha", 1)
	return &Elu{alpha}, err
}

func importHardSigmoid(c *call) (Scalar, error) {
	alpha, err := c.attrFloat("alpha", 0.2)
	if err != nil {
		return nil, err
	}
	beta, err := c.attrFloat("beta", 0.5)
	return &HardSigmoid{alpha, beta}, err
}

func importLeakyRelu(c *call) (Scalar, error) {
	alpha, err := c.attrFloat("alpha", 0.01)
	return &LeakyRelu{alpha}, err
}

// importPow takes a constant exponent.
func importPow(c *call) ([]*value, error) {
	if c.allFixed() {
		return c.foldPair("Pow")
	}
	k, err := c.constant(1)
	if err != nil {
		return nil, err
	}
	e, ok := uniform(k.tensor())
	if !ok {
		return nil, errors.New("exponents differ")
	}
	x, err := c.activation(0)
	if err != nil {
		return nil, err
	}
	if x, _, err = c.broadcastPair(x, k.value()); err != nil {
		return nil, err
	}
	switch e {
	case 0.5:
		return c.one(&Sqrt{}, x)
	case 1:
		return []*value{x}, nil
	case -1:
		return c.one(&Reciprocal{}, x)
	}
	return c.one(&Pow{e}, x)
}
