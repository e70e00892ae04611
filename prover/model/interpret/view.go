package interpret

import (
	"fmt"

	"github.com/weisyn/wes/prover/graph"
)

// view applies an operator whose result is a linear map of its inputs, or public as they are.
func view(op graph.Op, in []tensor, shape []int) []int64 {
	switch op := op.(type) {
	case *graph.Slice:
		return slice(op, in[0])
	case *graph.Pad:
		return pad(op, in[0])
	case *graph.Select:
		return selectAt(op, in[0])
	case *graph.Broadcast:
		return broadcast(op, in[0])
	case *graph.SumWindow:
		return sumWindow(op, in[0])
	case *graph.Scale:
		return scale(op, in[0])
	case *graph.Transpose:
		return transpose(op, in[0])
	case *graph.Reshape:
		return in[0].cells
	case *graph.Concat:
		return concat(op, in, shape)
	case *graph.Trees:
		return op.Apply(in[0].cells, in[0].shape[1])
	}
	panic(fmt.Sprintf("BUG: %s is not a view", graph.KindName(op)))
}

// View computes the cells of any tensor but a revealed accumulator from the committed ones:
// values[t] for inputs, Rescale and Max, as in graph.Trace.
func View(g *graph.Graph, info *graph.Info, values [][]int32, t int) ([]int64, error) {
	known := map[int][]int64{}
	if err := resolve(g, info, values, t, known); err != nil {
		return nil, fmt.Errorf("view of tensor %d: %w", t, err)
	}
	return known[t], nil
}

// resolve fills known with the cells of t and of the tensors it is a view of.
func resolve(g *graph.Graph, info *graph.Info, values [][]int32, t int, known map[int][]int64) error {
	if known[t] != nil {
		return nil
	}
	n := &g.Nodes[t]
	switch n.Op.(type) {
	case *graph.Reveal:
		return fmt.Errorf("node %d %q is a revealed accumulator", t, n.Name)
	case *graph.Input, *graph.Rescale, *graph.Max:
		if len(values[t]) != graph.Elements(info.Shapes[t]) {
			return fmt.Errorf("node %d %q has %d values, want %d", t, n.Name, len(values[t]), graph.Elements(info.Shapes[t]))
		}
		known[t] = widen(values[t])
		return nil
	}
	in := make([]tensor, len(n.Inputs))
	for k, i := range n.Inputs {
		if err := resolve(g, info, values, i, known); err != nil {
			return err
		}
		in[k] = tensor{info.Shapes[i], known[i]}
	}
	known[t] = view(n.Op, in, info.Shapes[t])
	return nil
}
