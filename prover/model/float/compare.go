package float

import (
	"cmp"
	"fmt"

	"github.com/weisyn/wes/prover/model/onnx"
)

// compares tells the operators whose result is a truth value, 1 or 0.
func compares(op string) bool {
	switch op {
	case "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual":
		return true
	}
	return false
}

func compare[T cmp.Ordered](op string, x, y T) bool {
	switch op {
	case "Less":
		return x < y
	case "LessOrEqual":
		return x <= y
	case "Greater":
		return x > y
	case "GreaterOrEqual":
		return x >= y
	}
	return x == y
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// mirrored is the comparison with its operands exchanged.
func mirrored(op string) string {
	switch op {
	case "Less":
		return "Greater"
	case "LessOrEqual":
		return "GreaterOrEqual"
	case "Greater":
		return "Less"
	case "GreaterOrEqual":
		return "LessOrEqual"
	}
	return op
}

// importCompare makes a step of the difference of two operands.
func importCompare(c *call) ([]*value, error) {
	if c.allFixed() {
		return c.foldPair(c.op)
	}
	x, y, err := c.pair()
	if err != nil {
		return nil, err
	}
	if x.typ != y.typ {
		return nil, fmt.Errorf("operands of types %v and %v", x.typ, y.typ)
	}
	op := c.op
	if x.fixed {
		x, y, op = y, x, mirrored(op)
	}
	if x, y, err = c.broadcastPair(x, y); err != nil {
		return nil, err
	}
	at := float32(0)
	if y.fixed {
		x, at, err = c.lessConstant(x, y)
	} else {
		x, err = c.emit(&Add{Subtract: true}, x, y)
	}
	if err != nil {
		return nil, err
	}
	return c.stepped(op, x, at)
}

// lessConstant returns what is compared with which number instead of x with a constant.
func (c *call) lessConstant(x, y *value) (*value, float32, error) {
	if y.c == nil {
		return nil, 0, errLost
	}
	t, err := c.aligned((&constant{onnx.Float32, y.shape, y.c.tensor().Data, nil}).value(), x)
	if err != nil {
		return nil, 0, err
	}
	if at, ok := uniform(t); ok {
		return x, at, nil
	}
	x, err = c.emit(&AddConst{negated(t)}, x)
	return x, 0, err
}

// stepped compares every cell of x with a number.
func (c *call) stepped(op string, x *value, at float32) ([]*value, error) {
	var step Scalar
	inverse := false
	switch op {
	case "Equal":
		step = &Equal{at}
	case "Greater":
		step = &Step{Threshold: at}
	case "GreaterOrEqual":
		step = &Step{Threshold: at, OrEqual: true}
	case "LessOrEqual":
		step, inverse = &Step{Threshold: at}, true
	default:
		step, inverse = &Step{Threshold: at, OrEqual: true}, true
	}
	v, err := c.emit(step, x)
	if err == nil && inverse {
		v, err = c.inverted(v)
	}
	if err != nil {
		return nil, err
	}
	v.typ = onnx.Bool
	return []*value{v}, nil
}

// inverted is 1 − v of an activation of truth values.
func (c *call) inverted(v *value) (*value, error) {
	w, err := c.scaled(v, -1)
	if err != nil {
		return nil, err
	}
	return c.shifted(w, 1)
}

func importNot(c *call) ([]*value, error) {
	if c.allFixed() {
		k, err := c.foldable(0)
		if err != nil {
			return nil, err
		}
		out, err := c.newConstant(k.typ, k.shape)
		if err != nil {
			return nil, err
		}
		if k.typ != onnx.Bool {
			return nil, fmt.Errorf("operand of %v", k.typ)
		}
		for i, v := range k.ints {
			out.ints[i] = 1 - v
		}
		return []*value{out.value()}, nil
	}
	x, err := c.activation(0)
	if err != nil {
		return nil, err
	}
	if x.typ != onnx.Bool {
		return nil, fmt.Errorf("operand of %v", x.typ)
	}
	v, err := c.inverted(x)
	return []*value{v}, err
}

// importLogic makes a product (And), the maximum (Or) or a comparison (Xor) of truth values.
func importLogic(c *call) ([]*value, error) {
	x, y, err := c.pair()
	if err != nil {
		return nil, err
	}
	if x.typ != onnx.Bool || y.typ != onnx.Bool {
		return nil, fmt.Errorf("operands of types %v and %v", x.typ, y.typ)
	}
	if c.allFixed() {
		return c.foldPair(c.op)
	}
	if x.fixed {
		x, y = y, x
	}
	if y.fixed {
		if y.c == nil {
			return nil, errLost
		}
		y = (&constant{onnx.Float32, y.shape, y.c.tensor().Data, nil}).value()
	}
	v, err := c.logic(x, y)
	if err != nil {
		return nil, err
	}
	w := *v
	w.typ = onnx.Bool
	return []*value{&w}, nil
}

func (c *call) logic(x, y *value) (*value, error) {
	x, y, err := c.broadcastPair(x, y)
	if err != nil {
		return nil, err
	}
	if c.op == "Xor" {
		if y.fixed {
			if y, err = c.minus(x, y); err != nil {
				return nil, err
			}
			return c.emit(&Abs{}, y)
		}
		d, err := c.emit(&Add{Subtract: true}, x, y)
		if err != nil {
			return nil, err
		}
		return c.emit(&Abs{}, d)
	}
	if y.fixed {
		k, err := c.aligned(y, x)
		if err != nil {
			return nil, err
		}
		if c.op == "And" {
			return c.emit(&MulConst{k}, x)
		}
		return c.largerConst(x, k)
	}
	if c.op == "And" {
		return c.multiply(x, y)
	}
	return c.emit(&Maximum{}, x, y)
}

// minus subtracts a constant.
func (c *call) minus(x, y *value) (*value, error) {
	k, err := c.aligned(y, x)
	if err != nil {
		return nil, err
	}
	return c.emit(&AddConst{negated(k)}, x)
}
