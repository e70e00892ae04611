package float

import (
	"fmt"

	"github.com/weisyn/wes/prover/model/onnx"
)

// importWhere folds Where. On activations it adds what a condition keeps of both sides; in front of a
// softmax a constant side may mask the cells that it gets.
func importWhere(c *call) ([]*value, error) {
	if c.allFixed() {
		return c.foldWhere()
	}
	var arg [3]*value
	shape := []int{}
	for i := range arg {
		v, err := c.source(i)
		if err != nil {
			return nil, err
		}
		if shape, err = broadcast(shape, v.shape); err != nil {
			return nil, err
		}
		arg[i] = v
	}
	cond, x, y := arg[0], arg[1], arg[2]
	if cond.typ != onnx.Bool || x.typ != y.typ || !x.typ.IsFloat() {
		return nil, fmt.Errorf("operands of types %v, %v and %v", cond.typ, x.typ, y.typ)
	}
	v, err := c.where(cond, x, y, shape)
	return []*value{v}, err
}

func (c *call) where(cond, x, y *value, shape []int) (*value, error) {
	takes, leaves, err := c.bothWays(cond)
	if err != nil {
		return nil, err
	}
	if x.fixed && !y.fixed {
		x, y, takes, leaves = y, x, leaves, takes
	}
	if y.fixed && y.c == nil {
		return nil, errLost
	}
	if y.fixed && c.leadsToSoftmax() && meansMasked(y.c) {
		if cond.fixed && !x.fixed {
			return c.maskedWhere(takes, x, shape)
		}
		y = numberConstant(masked).value()
	}
	if x.mask != nil || y.mask != nil {
		return nil, errMasked
	}
	if x, err = c.chosen(takes, x, shape); err != nil {
		return nil, err
	}
	if y, err = c.chosen(leaves, y, shape); err != nil {
		return nil, err
	}
	if x.fixed && y.fixed {
		return c.combineValues("Add", x, y)
	}
	sum, err := c.sum(x, y)
	if err != nil {
		return nil, err
	}
	return c.broadcastTo(sum[0], shape)
}

// bothWays returns a condition and its opposite as numbers.
func (c *call) bothWays(cond *value) (takes, leaves *value, err error) {
	if !cond.fixed {
		if leaves, err = c.inverted(cond); err != nil {
			return nil, nil, err
		}
		takes, leaves = retyped(cond), retyped(leaves)
		return takes, leaves, nil
	}
	if cond.c == nil {
		return nil, nil, errLost
	}
	t := cond.c.tensor()
	u, err := c.newConstant(onnx.Float32, t.Shape)
	if err != nil {
		return nil, nil, err
	}
	for i, v := range t.Data {
		u.floats[i] = 1 - v
	}
	return (&constant{onnx.Float32, t.Shape, t.Data, nil}).value(), u.value(), nil
}

// retyped is a value whose cells are numbers.
func retyped(v *value) *value {
	w := *v
	w.typ = onnx.Float32
	return &w
}

// meansMasked reports whether all cells of a constant are masked ones in front of a softmax.
func meansMasked(k *constant) bool {
	for _, v := range k.floats {
		if !(v <= masked) {
			return false
		}
	}
	return len(k.floats) > 0
}

// maskedWhere keeps the cells of x that a constant condition takes.
func (c *call) maskedWhere(takes, x *value, shape []int) (*value, error) {
	x, err := c.broadcastTo(x, shape)
	if err != nil {
		return nil, err
	}
	keep, err := alignedAny(takes, x)
	if err != nil {
		return nil, err
	}
	return c.withMask(x, &mask{keep})
}

// chosen is a side of a Where, 0 where the other side is taken.
func (c *call) chosen(cond, side *value, shape []int) (*value, error) {
	switch {
	case side.fixed && side.c == nil:
		return nil, errLost
	case side.fixed && cond.fixed:
		return c.combineValues("Mul", cond, (&constant{onnx.Float32, side.shape, side.c.floats, nil}).value())
	case !side.fixed && !cond.fixed:
		return c.multiply(cond, side)
	case side.fixed:
		cond, side = side, cond
	}
	side, cond, err := c.broadcastPair(side, cond)
	if err != nil {
		return nil, err
	}
	k, err := c.aligned(cond, side)
	if err != nil {
		return nil, err
	}
	if v, ok := uniform(k); ok && v == 1 {
		return side, nil
	}
	return c.emit(&MulConst{k}, side)
}

// foldWhere folds Where on constants.
func (c *call) foldWhere() ([]*value, error) {
	var arg [3]*constant
	shape := []int{}
	for i := range arg {
		k, err := c.foldable(i)
		if err != nil {
			return nil, err
		}
		if shape, err = broadcast(shape, k.shape); err != nil {
			return nil, err
		}
		arg[i] = k
	}
	if arg[0].typ != onnx.Bool || arg[1].typ != arg[2].typ {
		return nil, fmt.Errorf("operands of types %v, %v and %v", arg[0].typ, arg[1].typ, arg[2].typ)
	}
	out, err := c.newConstant(arg[1].typ, shape)
	if err != nil {
		return nil, err
	}
	pick := make([]bool, size(shape))
	walkStrided(shape, 0, broadcastSteps(arg[0].shape, shape), func(i, j int) { pick[i] = arg[0].ints[j] != 0 })
	for side, k := range arg[1:] {
		walkStrided(shape, 0, broadcastSteps(k.shape, shape), func(i, j int) {
			switch {
			case pick[i] != (side == 0):
			case out.floats != nil:
				out.floats[i] = k.floats[j]
			default:
				out.ints[i] = k.ints[j]
			}
		})
	}
	return []*value{out.value()}, nil
}

// importIsNaN is false everywhere: activations count as finite.
func importIsNaN(c *call) ([]*value, error) {
	x, err := c.source(0)
	if err != nil {
		return nil, err
	}
	out, err := c.newConstant(onnx.Bool, x.shape)
	if err != nil {
		return nil, err
	}
	return []*value{out.value()}, nil
}

// importTrilu keeps one triangle of the last two axes.
func importTrilu(c *call) ([]*value, error) {
	upper, err := c.attrBool("upper", true)
	if err != nil {
		return nil, err
	}
	diagonal, given, err := c.ints(1)
	if err != nil {
		return nil, err
	}
	if !given {
		diagonal = []int{0}
	}
	x, err := c.source(0)
	if err != nil {
		return nil, err
	}
	if len(diagonal) != 1 {
		return nil, fmt.Errorf("%d diagonals", len(diagonal))
	}
	if len(x.shape) < 2 {
		return nil, fmt.Errorf("rank %d", len(x.shape))
	}
	keeps := func(row, column int) bool {
		if upper {
			return column-row >= diagonal[0]
		}
		return column-row <= diagonal[0]
	}
	return c.triangle(x, keeps)
}

func (c *call) triangle(x *value, keeps func(row, column int) bool) ([]*value, error) {
	shape := x.shape[len(x.shape)-2:]
	if !x.fixed {
		k, err := c.newConstant(onnx.Float32, shape)
		if err != nil {
			return nil, err
		}
		for i := range k.floats {
			k.floats[i] = float32(truth(keeps(i/shape[1], i%shape[1])))
		}
		t, err := c.aligned(k.value(), x)
		if err != nil {
			return nil, err
		}
		return c.one(&MulConst{t}, x)
	}
	if x.c == nil {
		return nil, errLost
	}
	out, err := c.newConstant(x.typ, x.shape)
	if err != nil {
		return nil, err
	}
	for i := range x.c.size() {
		switch {
		case !keeps(i/shape[1]%shape[0], i%shape[1]):
		case out.floats != nil:
			out.floats[i] = x.c.floats[i]
		default:
			out.ints[i] = x.c.ints[i]
		}
	}
	return []*value{out.value()}, nil
}
