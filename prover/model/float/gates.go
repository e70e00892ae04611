package float

import (
	"fmt"
	"slices"
)

// importPRelu is x for x ≥ 0 and a slope times x otherwise: max(x, 0) − slope·max(−x, 0).
func importPRelu(c *call) ([]*value, error) {
	k, err := c.constant(1)
	if err != nil {
		return nil, err
	}
	x, err := c.activation(0)
	if err != nil {
		return nil, err
	}
	slope, err := c.aligned(k.value(), x)
	if err != nil {
		return nil, err
	}
	if one, ok := uniform(slope); ok {
		return c.one(&LeakyRelu{one}, x)
	}
	above, err := c.emit(&Relu{}, x)
	if err != nil {
		return nil, err
	}
	below, err := c.negate(x)
	if err != nil {
		return nil, err
	}
	if below, err = c.emit(&Relu{}, below); err != nil {
		return nil, err
	}
	if below, err = c.emit(&MulConst{negated(slope)}, below); err != nil {
		return nil, err
	}
	return c.one(&Add{}, above, below)
}

// importSelu is Gamma·Elu.
func importSelu(c *call) ([]*value, error) {
	alpha, err := c.attrFloat("alpha", 1.67326319217681884765625)
	if err != nil {
		return nil, err
	}
	gamma, err := c.attrFloat("gamma", 1.05070102214813232421875)
	if err != nil {
		return nil, err
	}
	x, err := c.activation(0)
	if err != nil {
		return nil, err
	}
	if x, err = c.emit(&Elu{alpha}, x); err != nil {
		return nil, err
	}
	v, err := c.scaled(x, gamma)
	return []*value{v}, err
}

// importCelu is alpha·Elu(x/alpha).
func importCelu(c *call) ([]*value, error) {
	alpha, err := c.attrFloat("alpha", 1)
	if err != nil {
		return nil, err
	}
	if alpha <= 0 {
		return nil, fmt.Errorf("alpha is %v", alpha)
	}
	x, err := c.activation(0)
	if err != nil {
		return nil, err
	}
	if alpha == 1 {
		return c.one(&Elu{1}, x)
	}
	if x, err = c.scaled(x, 1/alpha); err != nil {
		return nil, err
	}
	if x, err = c.emit(&Elu{1}, x); err != nil {
		return nil, err
	}
	v, err := c.scaled(x, alpha)
	return []*value{v}, err
}

// importThresholdedRelu is x above a threshold and 0 otherwise.
func importThresholdedRelu(c *call) ([]*value, error) {
	alpha, err := c.attrFloat("alpha", 1)
	if err != nil {
		return nil, err
	}
	return c.gated(&Step{Threshold: alpha})
}

// importMish is x·tanh(softplus(x)).
func importMish(c *call) ([]*value, error) { return c.gated(&Softplus{}, &Tanh{}) }

// importSoftsign is x/(1 + |x|).
func importSoftsign(c *call) ([]*value, error) {
	one := Tensor{slices.Repeat([]int{1}, c.rank()), []float32{1}}
	return c.gated(&Abs{}, &AddConst{one}, &Reciprocal{})
}

func (c *call) rank() int {
	if v := c.operand(0); v != nil {
		return len(v.shape)
	}
	return 0
}

// gated multiplies operand 0 by the last of several functions of it.
func (c *call) gated(ops ...Op) ([]*value, error) {
	x, err := c.activation(0)
	if err != nil {
		return nil, err
	}
	gate := x
	for _, op := range ops {
		if gate, err = c.emit(op, gate); err != nil {
			return nil, err
		}
	}
	return c.one(&Mul{}, x, gate)
}
