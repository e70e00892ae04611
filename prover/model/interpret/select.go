package interpret

import "github.com/weisyn/wes/prover/graph"

func selectAt(op *graph.Select, x tensor) []int64 {
	outer, n, inner := x.split(op.Axis)
	out := make([]int64, 0, outer*len(op.Index)*inner)
	for o := range outer {
		for _, i := range op.Index {
			from := (o*n + i) * inner
			out = append(out, x.cells[from:from+inner]...)
		}
	}
	return out
}
