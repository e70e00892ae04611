package interpret

import "github.com/weisyn/wes/prover/graph"

func sumWindow(op *graph.SumWindow, x tensor) []int64 {
	w := op.Window
	outer, n, inner := x.split(w.Axis)
	out := make([]int64, outer*w.Out*inner)
	for o := range outer {
		for p := range w.Out {
			sum := out[(o*w.Out+p)*inner:][:inner]
			for k := range w.Kernel {
				if i := w.Tap(p, k); i >= 0 && i < n {
					for j, v := range x.cells[(o*n+i)*inner:][:inner] {
						sum[j] += v
					}
				}
			}
		}
	}
	return out
}
