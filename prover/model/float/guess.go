package float

import (
	"slices"

	"github.com/weisyn/wes/prover/model/onnx"
)

// lostOutput is output i of a node that could not be imported.
func (c *call) lostOutput(i int) *value {
	v := &value{id: noID, typ: onnx.Float32, fixed: c.allFixed() || c.op == "Shape" || c.op == "Size"}
	if i == 0 && !v.fixed {
		v.shape, v.known = c.guessShape()
	}
	return v
}

// guessShape tells the shape of an unsupported operator's output where that is
// simple, so that the nodes behind it can be checked.
func (c *call) guessShape() ([]int, bool) {
	for _, v := range c.in {
		if v != nil && !v.known {
			return nil, false
		}
	}
	x := c.operand(0)
	if x == nil {
		return nil, false
	}
	switch c.op {
	case "Softmax", "LogSoftmax", "LayerNormalization", "InstanceNormalization", "GroupNormalization", "LpNormalization",
		"BatchNormalization", "Clip", "PRelu", "Selu", "Celu", "Elu", "LeakyRelu", "HardSigmoid", "HardSwish", "Hardmax",
		"ThresholdedRelu", "Shrink", "Softsign", "Softplus", "Mish", "Gelu", "Erf", "Exp", "Log", "Sqrt", "Abs", "Sign",
		"Reciprocal", "Floor", "Ceil", "Round", "Sin", "Cos", "Tan", "Sinh", "Cosh", "Asin", "Acos", "Atan", "Not", "Neg",
		"Cast", "CumSum", "Trilu", "IsNaN", "IsInf":
		return x.shape, true
	case "Mul", "Div", "Add", "Sub", "Sum", "Mean", "Pow", "Mod", "Where", "Min", "Max",
		"And", "Or", "Xor", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual":
		return c.guessBroadcast()
	case "MatMul":
		return c.guessProduct()
	case "Gather":
		y, axis := c.operand(1), 0
		if a := c.n.Attr("axis"); a != nil {
			axis = int(a.Int)
		}
		if axis, err := normAxis(axis, len(x.shape)); err == nil && y != nil {
			return slices.Concat(x.shape[:axis], y.shape, x.shape[axis+1:]), true
		}
	}
	return nil, false
}

func (c *call) guessBroadcast() ([]int, bool) {
	shape := []int{}
	for _, v := range c.in {
		if v == nil {
			return nil, false
		}
		var err error
		if shape, err = broadcast(shape, v.shape); err != nil {
			return nil, false
		}
	}
	return shape, true
}

func (c *call) guessProduct() ([]int, bool) {
	if len(c.in) != 2 || c.in[0] == nil || c.in[1] == nil {
		return nil, false
	}
	x, y := c.in[0].shape, c.in[1].shape
	n, m := len(x)-2, len(y)-2
	if n < 0 || m < 0 {
		return nil, false
	}
	batch, err := broadcast(x[:n], y[:m])
	return slices.Concat(batch, []int{x[n], y[m+1]}), err == nil
}
