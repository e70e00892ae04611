package float

import (
	"math"
	"slices"
)

// importMax joins activations by Maximum and clips by constants.
func importMax(c *call) ([]*value, error) {
	return c.folded(func(acc, v *value) (*value, error) {
		if acc.fixed && v.fixed {
			return c.combineValues("Max", acc, v)
		}
		return c.larger(acc, v)
	})
}

// importMin is −max of −x.
func importMin(c *call) ([]*value, error) {
	return c.folded(func(acc, v *value) (*value, error) {
		if acc.fixed && v.fixed {
			return c.combineValues("Min", acc, v)
		}
		return c.smaller(acc, v)
	})
}

// larger is the maximum of two values, of which at least one is an activation.
func (c *call) larger(x, y *value) (*value, error) {
	if x.fixed {
		x, y = y, x
	}
	if !y.fixed && (x.mask != nil || y.mask != nil) {
		return nil, errMasked
	}
	x, y, err := c.broadcastPair(x, y)
	if err != nil {
		return nil, err
	}
	if !y.fixed {
		return c.emit(&Maximum{}, x, y)
	}
	k, err := c.aligned(y, x)
	switch {
	case err != nil:
		return nil, err
	case x.mask == nil:
		return c.largerConst(x, k)
	case slices.ContainsFunc(k.Data, func(v float32) bool { return v > masked }):
		return nil, errMasked
	}
	return x, nil // a floor for masked cells
}

// largerConst is the maximum of an activation and a constant: max(x − k, 0) + k.
func (c *call) largerConst(x *value, k Tensor) (*value, error) {
	if v, ok := uniform(k); ok {
		if v == 0 {
			return c.emit(&Relu{}, x)
		}
		return c.emit(&Clip{v, float32(math.Inf(1))}, x)
	}
	x, err := c.emit(&AddConst{negated(k)}, x)
	if err != nil {
		return nil, err
	}
	if x, err = c.emit(&Relu{}, x); err != nil {
		return nil, err
	}
	return c.emit(&AddConst{k}, x)
}

func (c *call) smaller(x, y *value) (*value, error) {
	if x.fixed {
		x, y = y, x
	}
	if y.fixed {
		if y.c == nil || !x.known {
			return nil, errLost
		}
		if v, ok := uniform(y.c.tensor()); ok && y.typ.IsFloat() && y.c.size() == 1 {
			return c.emit(&Clip{float32(math.Inf(-1)), v}, x)
		}
	}
	x, err := c.negate(x)
	if err != nil {
		return nil, err
	}
	if y, err = c.negate(y); err != nil {
		return nil, err
	}
	v, err := c.larger(x, y)
	if err != nil {
		return nil, err
	}
	return c.negate(v)
}
