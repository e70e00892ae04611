package float

import (
	"fmt"
	"math"
	"slices"

	"github.com/weisyn/wes/prover/model/onnx"
)

// noID is the ValueID of a value that could not be computed because something
// before it is unsupported.
const noID ValueID = -1

// value is what the importer knows about one ONNX value.
//
// A value is a constant (fixed), a graph value (id ≠ noID) or lost: a part of
// it is unsupported and already reported. Shapes of lost values are kept where
// they can be told, so that the nodes behind them are still checked.
type value struct {
	id    ValueID
	typ   onnx.DataType
	shape []int
	known bool // shape is meaningful
	fixed bool // computable from constants
	c     *constant
	tail  Op // applied to id: one that an Output may have
	mask  *mask
	grid  *grid  // of an int8 or uint8 activation, or of a constant that was dequantised; nil: none
	inner *value // the value of a node that applies tail, once something inside of the graph reads it
}

func (v *value) lost() bool { return v.id == noID && v.c == nil }

// constant is a folded tensor: floats for float types, ints for the others.
type constant struct {
	typ    onnx.DataType
	shape  []int
	floats []float32
	ints   []int64
}

// constantOf takes a file's tensor over, float64 narrowed to float32.
func constantOf(t *onnx.Tensor) (*constant, error) {
	c := &constant{typ: t.Type, floats: t.Floats, ints: t.Ints, shape: make([]int, len(t.Dims))}
	for i, d := range t.Dims {
		c.shape[i] = int(d)
	}
	if t.Type == onnx.Float64 {
		c.floats = make([]float32, len(t.Doubles))
		for i, v := range t.Doubles {
			c.floats[i] = float32(v)
		}
	}
	return c, c.checkFolded()
}

func intConstant(v ...int64) *constant {
	return &constant{typ: onnx.Int64, shape: []int{len(v)}, ints: v}
}

// checkFolded refuses what no constant may hold. −Inf is allowed while only
// constants are computed: there it means a masked cell.
func (c *constant) checkFolded() error {
	for i, v := range c.floats {
		if v-v != 0 && !math.IsInf(float64(v), -1) {
			return fmt.Errorf("element %d is %v: %w", i, v, ErrNotFinite)
		}
	}
	return nil
}

// checkFinite refuses what no operator of the graph may hold.
func (c *constant) checkFinite() error {
	for i, v := range c.floats {
		if v-v != 0 {
			return fmt.Errorf("element %d is %v: %w", i, v, ErrNotFinite)
		}
	}
	return nil
}

func (c *constant) size() int { return size(c.shape) }

func (c *constant) value() *value {
	return &value{id: noID, typ: c.typ, shape: c.shape, known: true, fixed: true, c: c}
}

// tensor returns the constant as float32.
func (c *constant) tensor() Tensor {
	if c.typ.IsFloat() {
		return Tensor{c.shape, c.floats}
	}
	t := NewTensor(c.shape)
	for i, v := range c.ints {
		t.Data[i] = float32(v)
	}
	return t
}

// smallInts returns an integer constant of rank 0 or 1 as ints, saturated far
// beyond any size so that sums of a few do not overflow.
func (c *constant) smallInts() ([]int, error) {
	if c.typ.IsFloat() || len(c.shape) > 1 {
		return nil, fmt.Errorf("%v of shape %v instead of a list of integers", c.typ, c.shape)
	}
	return saturate(c.ints), nil
}

func saturate(v []int64) []int {
	out := make([]int, len(v))
	for i, x := range v {
		out[i] = int(min(max(x, math.MinInt32), math.MaxInt32))
	}
	return out
}

// normAxis resolves an axis counted from the end.
func normAxis(axis, rank int) (int, error) {
	if axis < -rank || axis >= rank {
		return 0, errAxis(axis, rank)
	}
	if axis < 0 {
		axis += rank
	}
	return axis, nil
}

// normAxes resolves, sorts and checks a list of distinct axes.
func normAxes(axes []int, rank int) ([]int, error) {
	out := make([]int, len(axes))
	for i, a := range axes {
		var err error
		if out[i], err = normAxis(a, rank); err != nil {
			return nil, err
		}
	}
	slices.Sort(out)
	for i := 1; i < len(out); i++ {
		if out[i] == out[i-1] {
			return nil, fmt.Errorf("axis %d given twice", out[i])
		}
	}
	return out, nil
}
