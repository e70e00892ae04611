package interpret

import "github.com/weisyn/wes/prover/graph"

func transpose(op *graph.Transpose, x tensor) []int64 {
	from := strides(x.shape)
	shape, steps := make([]int, len(op.Perm)), make([]int, len(op.Perm))
	for i, p := range op.Perm {
		shape[i], steps[i] = x.shape[p], from[p]
	}
	out := make([]int64, 0, len(x.cells))
	eachPosition(shape, steps, func(at int) { out = append(out, x.cells[at]) })
	return out
}

// eachPosition calls f with Σ index·step for every index of shape in row-major order.
func eachPosition(shape, steps []int, f func(at int)) {
	index := make([]int, len(shape))
	at := 0
	for range graph.Elements(shape) {
		f(at)
		for a := len(shape) - 1; a >= 0; a-- {
			index[a]++
			at += steps[a]
			if index[a] < shape[a] {
				break
			}
			at -= index[a] * steps[a]
			index[a] = 0
		}
	}
}
