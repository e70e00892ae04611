package emit

import (
	"slices"

	"github.com/weisyn/wes/prover/graph"
)

// forest makes an input of a program from one of the graph: trees are no work for a runtime that multiplies
// matrices, and the interpreter is done with them before it has started.
type forest struct {
	trees    *graph.Trees
	input    int // among the graph's inputs
	features int
}

func (e *emitter) forest(op *graph.Trees, table int) *forest {
	return &forest{op, slices.Index(e.graph.Inputs(), table), e.info.Shapes[table][1]}
}

func (f *forest) apply(inputs [][]int32) []int64 {
	cells := make([]int64, len(inputs[f.input]))
	for i, v := range inputs[f.input] {
		cells[i] = int64(v)
	}
	return f.trees.Apply(cells, f.features)
}
