package layer

import (
	"fmt"

	"github.com/weisyn/wes/prover/graph"
)

// pull turns a functional on a view's output into functionals on its inputs, in order.
// in and out are shapes. It is the table of virtual operators; tensors of other operators
// are public or committed.
func pull(op graph.Op, t Term, in [][]int, out []int) ([]Term, error) {
	switch op := op.(type) {
	case *graph.Slice:
		return pullSlice(op, t, in[0], out), nil
	case *graph.Pad:
		return pullPad(op, t, in[0], out), nil
	case *graph.Select:
		return pullSelect(op, t, in[0], out), nil
	case *graph.Broadcast:
		return pullBroadcast(op, t, out), nil
	case *graph.SumWindow:
		return pullSumWindow(op, t, in[0], out), nil
	case *graph.Concat:
		return pullConcat(op, t, in, out), nil
	case *graph.Scale:
		return pullScale(op, t, out)
	case *graph.Transpose:
		return pullTranspose(op, t, out)
	case *graph.Reshape:
		return pullReshape(t, in[0], out)
	}
	return nil, fmt.Errorf("%s is not a view", graph.KindName(op))
}

// IsView tells whether an operator's output is virtual: a linear map of its inputs.
func IsView(op graph.Op) bool {
	switch op.(type) {
	case *graph.Input, *graph.Trees, *graph.Rescale, *graph.Reveal, *graph.Max:
		return false
	}
	return true
}
