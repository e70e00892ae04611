package interpret

import "github.com/weisyn/wes/prover/graph"

func slice(op *graph.Slice, x tensor) []int64 {
	outer, n, inner := x.split(op.Axis)
	out := make([]int64, 0, outer*op.Len*inner)
	for o := range outer {
		for i := range op.Len {
			from := (o*n + op.Start + i*op.Step) * inner
			out = append(out, x.cells[from:from+inner]...)
		}
	}
	return out
}
