package interpret

import "github.com/weisyn/wes/prover/graph"

func pad(op *graph.Pad, x tensor) []int64 {
	outer, n, inner := x.split(op.Axis)
	row := (op.Before + n + op.After) * inner
	out := make([]int64, outer*row)
	for o := range outer {
		copy(out[o*row+op.Before*inner:], x.cells[o*n*inner:(o+1)*n*inner])
	}
	return out
}
