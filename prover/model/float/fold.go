package float

import (
	"errors"
	"fmt"
	"math"

	"github.com/weisyn/wes/prover/model/onnx"
)

// newConstant allocates a zero constant within the limits.
func (im *importer) newConstant(typ onnx.DataType, shape []int) (*constant, error) {
	n, err := im.elements(shape)
	if err != nil {
		return nil, err
	}
	if err := im.countParams(n); err != nil {
		return nil, err
	}
	k := &constant{typ: typ, shape: shape}
	if typ.IsFloat() {
		k.floats = make([]float32, n)
	} else {
		k.ints = make([]int64, n)
	}
	return k, nil
}

// foldBinary returns the importer of an operator that is computed on constants
// only.
func foldBinary(op string) rule {
	return func(c *call) ([]*value, error) {
		if !c.allFixed() {
			return nil, errConstantsOnly
		}
		return c.foldPair(op)
	}
}

var errConstantsOnly = errors.New("it is supported on constants only")

// foldPair applies an element-wise operator to two constants.
func (c *call) foldPair(op string) ([]*value, error) {
	a, err := c.foldable(0)
	if err != nil {
		return nil, err
	}
	b, err := c.foldable(1)
	if err != nil {
		return nil, err
	}
	if len(c.in) != 2 || a.typ != b.typ && op != "Pow" {
		return nil, fmt.Errorf("%d constants of types %v and %v", len(c.in), a.typ, b.typ)
	}
	k, err := c.combine(op, a, b)
	if err != nil {
		return nil, err
	}
	return []*value{k.value()}, nil
}

// combineValues is combine for two constant values.
func (c *call) combineValues(op string, x, y *value) (*value, error) {
	if x.c == nil || y.c == nil {
		return nil, errLost
	}
	if x.typ != y.typ {
		return nil, fmt.Errorf("constants of types %v and %v", x.typ, y.typ)
	}
	k, err := c.combine(op, x.c, y.c)
	if err != nil {
		return nil, err
	}
	return k.value(), nil
}

func (c *call) combine(op string, a, b *constant) (*constant, error) {
	shape, err := broadcast(a.shape, b.shape)
	if err != nil {
		return nil, err
	}
	typ := a.typ
	if compares(op) {
		typ = onnx.Bool
	}
	out, err := c.newConstant(typ, shape)
	if err != nil {
		return nil, err
	}
	ia, ib := broadcastSteps(a.shape, shape), broadcastSteps(b.shape, shape)
	from := make([]int, size(shape))
	walkStrided(shape, 0, ia, func(i, j int) { from[i] = j })
	walkStrided(shape, 0, ib, func(i, j int) {
		if e := combineCell(op, out, i, a, from[i], b, j); e != nil {
			err = e
		}
	})
	if err != nil {
		return nil, err
	}
	return out, out.checkFolded()
}

// broadcastSteps returns the strides with which a tensor of that shape is read
// along a broadcast shape.
func broadcastSteps(shape, wide []int) []int {
	step := make([]int, len(wide))
	own := strides(shape)
	for d := range shape {
		if shape[d] != 1 {
			step[len(wide)-len(shape)+d] = own[d]
		}
	}
	return step
}

// combineCell sets cell i of out from cell j of a and cell k of b.
func combineCell(op string, out *constant, i int, a *constant, j int, b *constant, k int) error {
	if a.typ.IsFloat() {
		v := pairFloat(op, float64(a.floats[j]), b.float(k))
		if out.ints != nil {
			out.ints[i] = int64(v)
		} else {
			out.floats[i] = float32(v)
		}
		return nil
	}
	if b.typ.IsFloat() {
		return errors.New("integer and float operands")
	}
	v, err := pairInt(op, a.ints[j], b.ints[k])
	out.ints[i] = v
	return err
}

func (c *constant) float(i int) float64 {
	if c.typ.IsFloat() {
		return float64(c.floats[i])
	}
	return float64(c.ints[i])
}

func pairFloat(op string, x, y float64) float64 {
	switch op {
	case "Add":
		return x + y
	case "Sub":
		return x - y
	case "Mul":
		return x * y
	case "Div":
		return x / y
	case "Pow":
		return math.Pow(x, y)
	case "Min":
		return min(x, y)
	case "Max":
		return max(x, y)
	case "Mod": // fmod
		return math.Mod(x, y)
	}
	if compares(op) {
		return truth(compare(op, x, y))
	}
	panic("BUG: no such element-wise operator: " + op)
}

// pairInt wraps on overflow, as ONNX Runtime does. Division truncates.
func pairInt(op string, x, y int64) (int64, error) {
	switch op {
	case "Add":
		return x + y, nil
	case "Sub":
		return x - y, nil
	case "Mul":
		return x * y, nil
	case "Div":
		if y == 0 || x == math.MinInt64 && y == -1 {
			return 0, fmt.Errorf("division of %d by %d", x, y)
		}
		return x / y, nil
	case "Min":
		return min(x, y), nil
	case "Max":
		return max(x, y), nil
	case "Mod": // with the sign of the divisor
		if y == 0 {
			return 0, fmt.Errorf("remainder of %d by 0", x)
		}
		return ((x % y) + y) % y, nil
	case "And":
		return x & y, nil
	case "Or":
		return x | y, nil
	case "Xor":
		return x ^ y, nil
	}
	if compares(op) {
		return int64(truth(compare(op, x, y))), nil
	}
	return 0, errors.New("not supported on integers")
}

// foldUnary returns the importer of an element-wise function of a float
// constant.
func foldUnary(f func(float64) float64) rule {
	return func(c *call) ([]*value, error) {
		if !c.allFixed() {
			return nil, errConstantsOnly
		}
		k, err := c.constant(0)
		if err != nil {
			return nil, err
		}
		if !k.typ.IsFloat() {
			return nil, errors.New("not supported on integers")
		}
		out, err := c.newConstant(k.typ, k.shape)
		if err != nil {
			return nil, err
		}
		for i, v := range k.floats {
			out.floats[i] = float32(f(float64(v)))
		}
		return []*value{out.value()}, out.checkFinite()
	}
}
