package interpret

import "github.com/weisyn/wes/prover/graph"

func broadcast(op *graph.Broadcast, x tensor) []int64 {
	outer, _, inner := x.split(op.Axis)
	out := make([]int64, 0, outer*op.N*inner)
	for o := range outer {
		for range op.N {
			out = append(out, x.cells[o*inner:(o+1)*inner]...)
		}
	}
	return out
}
