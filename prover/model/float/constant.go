package float

import (
	"errors"
	"fmt"
	"math"

	"github.com/weisyn/wes/prover/model/onnx"
)

// importConstant reads the one value attribute of a Constant.
func importConstant(c *call) ([]*value, error) {
	if len(c.n.Attrs) != 1 {
		return nil, fmt.Errorf("%d attributes instead of 1", len(c.n.Attrs))
	}
	a := &c.n.Attrs[0]
	c.read[a.Name] = true
	var k *constant
	switch {
	case a.Name == "value" && a.Type == onnx.AttrTensor:
		var err error
		if k, err = constantOf(a.Tensor); err != nil {
			return nil, err
		}
	case a.Name == "value_int" && a.Type == onnx.AttrInt:
		k = &constant{typ: onnx.Int64, ints: []int64{a.Int}}
	case a.Name == "value_ints" && a.Type == onnx.AttrInts:
		k = intConstant(a.Ints...)
	case a.Name == "value_float" && a.Type == onnx.AttrFloat:
		k = &constant{typ: onnx.Float32, floats: []float32{a.Float}}
	case a.Name == "value_floats" && a.Type == onnx.AttrFloats:
		k = &constant{typ: onnx.Float32, shape: []int{len(a.Floats)}, floats: a.Floats}
	default:
		return nil, fmt.Errorf("attribute %q of type %d is not a number or tensor", a.Name, a.Type)
	}
	if err := c.countParams(int64(len(k.floats) + len(k.ints))); err != nil {
		return nil, err
	}
	return []*value{k.value()}, k.checkFolded()
}

// importConstantOfShape fills a constant shape with one value, float 0 by
// default.
func importConstantOfShape(c *call) ([]*value, error) {
	fill := &constant{typ: onnx.Float32, shape: []int{1}, floats: []float32{0}}
	a, err := c.attr("value", onnx.AttrTensor)
	if err != nil {
		return nil, err
	}
	if a != nil {
		if fill, err = constantOf(a.Tensor); err != nil {
			return nil, err
		}
	}
	if fill.size() != 1 {
		return nil, fmt.Errorf("fill value of shape %v", fill.shape)
	}
	shape, _, err := c.ints(0)
	if err != nil {
		return nil, err
	}
	one := &constant{typ: fill.typ, floats: fill.floats, ints: fill.ints}
	v, err := c.broadcastTo(one.value(), shape)
	return []*value{v}, err
}

// importShape folds Shape, of an activation too: all shapes are bound.
func importShape(c *call) ([]*value, error) {
	start, err := c.attrInt("start", 0)
	if err != nil {
		return nil, err
	}
	end, err := c.attrInt("end", math.MaxInt32)
	if err != nil {
		return nil, err
	}
	v, err := c.source(0)
	if err != nil {
		return nil, err
	}
	clamp := func(i int) int {
		if i < 0 {
			i += len(v.shape)
		}
		return min(max(i, 0), len(v.shape))
	}
	start, end = clamp(start), clamp(end)
	dims := []int64{}
	for i := start; i < end; i++ {
		dims = append(dims, int64(v.shape[i]))
	}
	return []*value{intConstant(dims...).value()}, nil
}

// importSize folds Size.
func importSize(c *call) ([]*value, error) {
	v, err := c.source(0)
	if err != nil {
		return nil, err
	}
	k := &constant{typ: onnx.Int64, ints: []int64{int64(size(v.shape))}}
	return []*value{k.value()}, nil
}

// importRange folds Range on integers, in files of floats too.
func importRange(c *call) ([]*value, error) {
	var arg [3]int64
	typ := onnx.Int64
	for i := range arg {
		k, err := c.constant(i)
		if err != nil {
			return nil, err
		}
		if k.size() != 1 {
			return nil, fmt.Errorf("operand %d is not one number", i)
		}
		if arg[i], err = k.int(0); err != nil || float64(arg[i]) != k.float(0) {
			return nil, fmt.Errorf("operand %d is %v, no integer", i, k.float(0))
		}
		typ = k.typ
	}
	start, limit, delta := arg[0], arg[1], arg[2]
	const bound = 1 << 40 // keeps limit − start far from overflow
	if delta == 0 || max(start, limit, delta) > bound || min(start, limit, delta) < -bound {
		return nil, fmt.Errorf("range from %d to %d by %d", start, limit, delta)
	}
	n := (limit - start) / delta
	if (limit-start)%delta != 0 && (limit > start) == (delta > 0) {
		n++
	}
	out, err := c.newConstant(onnx.Int64, []int{int(max(n, 0))})
	if err != nil {
		return nil, err
	}
	for i := range out.ints {
		out.ints[i] = start + int64(i)*delta
	}
	return c.castConstant(out, typ)
}

// importIdentity renames its operand.
func importIdentity(c *call) ([]*value, error) {
	if v := c.operand(0); v != nil {
		return []*value{v}, nil
	}
	return nil, errors.New("operand 0 is missing")
}

// importDropout removes a Dropout, which does nothing outside training.
func importDropout(c *call) ([]*value, error) {
	c.read["seed"], c.read["ratio"] = true, true
	if c.operand(2) != nil {
		training, err := c.constant(2)
		if err != nil {
			return nil, err
		}
		if training.size() != 1 || training.float(0) != 0 {
			return nil, errors.New("training mode is not supported")
		}
	}
	return importIdentity(c)
}

// importCast converts constants. On activations, whose values are float32
// throughout, it is the identity between float types, between integer types and
// from integers to floats; a truth value tells whether a number is not 0.
func importCast(c *call) ([]*value, error) {
	c.read["saturate"] = true
	to, err := c.attrInt("to", 0)
	if err != nil {
		return nil, err
	}
	typ := onnx.DataType(to)
	v := c.operand(0)
	switch {
	case v == nil:
		return nil, errors.New("operand 0 is missing")
	case typ.Size() == 0:
		return nil, fmt.Errorf("conversion to %v is not supported", typ)
	case v.fixed && v.c == nil:
		return nil, errLost
	case v.fixed:
		return c.castConstant(v.c, typ)
	case typ == onnx.Bool && v.tail == nil:
		return c.castTruth(v)
	case v.typ.IsFloat() && !typ.IsFloat() || v.tail != nil && v.typ.IsFloat() != typ.IsFloat() || typ == onnx.Bool:
		return nil, fmt.Errorf("conversion of an activation from %v to %v is not supported", v.typ, typ)
	}
	w := *v
	w.typ = typ
	return []*value{&w}, nil
}

func (c *call) castTruth(v *value) ([]*value, error) {
	if v.typ == onnx.Bool {
		return []*value{v}, nil
	}
	zero, err := c.emit(&Equal{0}, v)
	if err != nil {
		return nil, err
	}
	w, err := c.inverted(zero)
	if err != nil {
		return nil, err
	}
	w.typ = onnx.Bool
	return []*value{w}, nil
}

func (c *call) castConstant(k *constant, typ onnx.DataType) ([]*value, error) {
	out, err := c.newConstant(typ, k.shape)
	if err != nil {
		return nil, err
	}
	for i := range k.size() {
		switch {
		case typ.IsFloat():
			out.floats[i] = float32(k.float(i))
		case typ == onnx.Bool:
			if k.float(i) != 0 {
				out.ints[i] = 1
			}
		default:
			if out.ints[i], err = k.int(i); err != nil {
				return nil, err
			}
			if !fits(out.ints[i], typ) {
				return nil, fmt.Errorf("%d does not fit %v", out.ints[i], typ)
			}
		}
	}
	return []*value{out.value()}, nil
}

// int returns element i truncated towards zero.
func (c *constant) int(i int) (int64, error) {
	if !c.typ.IsFloat() {
		return c.ints[i], nil
	}
	v := float64(c.floats[i])
	if math.IsInf(v, -1) { // as ONNX Runtime does; exporters choose another cell in its place
		return math.MinInt64, nil
	}
	if math.Abs(v) >= 1<<62 {
		return 0, fmt.Errorf("%v does not fit an integer", v)
	}
	return int64(v), nil
}

func fits(v int64, typ onnx.DataType) bool {
	switch typ {
	case onnx.Int8:
		return v == int64(int8(v))
	case onnx.Uint8:
		return v == int64(uint8(v))
	case onnx.Int32:
		return v == int64(int32(v))
	}
	return true
}
