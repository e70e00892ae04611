package emit

import (
	"fmt"

	"github.com/weisyn/wes/prover/graph"
)

// view emits an operator without rounding. Its inputs are cast first when its values need
// float64.
func (e *emitter) view(op graph.Op, in []value, double bool, shape []int) value {
	for k := range in {
		in[k] = e.cast(in[k], double || in[k].double)
	}
	x := in[0]
	switch op := op.(type) {
	case *graph.Slice:
		return e.sliceOp(op, x)
	case *graph.Pad:
		before, after := make([]int, len(shape)), make([]int, len(shape))
		before[op.Axis], after[op.Axis] = op.Before, op.After
		return e.pad(x, before, after)
	case *graph.Select:
		return e.selectAt(x, op.Axis, op.Index)
	case *graph.Broadcast:
		return e.op("Expand", x.double, shape, []string{x.name, e.indices(shape...)})
	case *graph.SumWindow:
		return e.sumWindow(op.Window, x, shape)
	case *graph.Scale:
		return e.binary("Mul", x, e.integers(x.double, &op.Coef))
	case *graph.Transpose:
		return e.transpose(x, op.Perm)
	case *graph.Reshape:
		return e.reshape(x, op.Shape)
	case *graph.Concat:
		return e.concat(in, op.Axis)
	}
	panic(fmt.Sprintf("BUG: %s is not a view", graph.KindName(op)))
}

// sliceOp emits a step forward as Slice, any other as Gather.
func (e *emitter) sliceOp(op *graph.Slice, x value) value {
	if op.Step > 0 {
		return e.slice(x, cut{op.Axis, op.Start, op.Step, op.Len})
	}
	index := make([]int, op.Len)
	for i := range index {
		index[i] = op.Start + i*op.Step
	}
	return e.selectAt(x, op.Axis, index)
}

func (e *emitter) selectAt(x value, axis int, index []int) value {
	shape := append([]int{}, x.shape...)
	shape[axis] = len(index)
	return e.op("Gather", x.double, shape, []string{x.name, e.indices(index...)}, intAttr("axis", axis))
}

// sumWindow emits a sum over a whole axis as ReduceSum, any other as slices added.
func (e *emitter) sumWindow(w graph.Window, x value, shape []int) value {
	if w.Kernel == x.shape[w.Axis] && w.Out == 1 && w.Pad == 0 && w.Dilation == 1 {
		return e.op("ReduceSum", x.double, shape, []string{x.name, e.indices(w.Axis)}, intAttr("keepdims", 1))
	}
	x = e.reach(x, w)
	sum := e.tap(x, []graph.Window{w}, 0)
	for k := 1; k < w.Kernel; k++ {
		sum = e.add(sum, e.tap(x, []graph.Window{w}, k))
	}
	return sum
}
