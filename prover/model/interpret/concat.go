package interpret

import "github.com/weisyn/wes/prover/graph"

func concat(op *graph.Concat, in []tensor, shape []int) []int64 {
	outer := graph.Elements(shape[:op.Axis])
	out := make([]int64, 0, graph.Elements(shape))
	for o := range outer {
		for _, x := range in {
			row := len(x.cells) / outer
			out = append(out, x.cells[o*row:(o+1)*row]...)
		}
	}
	return out
}
