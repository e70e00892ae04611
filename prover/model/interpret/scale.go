package interpret

import "github.com/weisyn/wes/prover/graph"

func scale(op *graph.Scale, x tensor) []int64 {
	out := make([]int64, len(x.cells))
	eachBroadcast(&op.Coef, x.shape, func(i int, coef int64) { out[i] = coef * x.cells[i] })
	return out
}

// eachBroadcast calls f with the index of every cell of shape and the constant's value there.
func eachBroadcast(c *graph.Constant, shape []int, f func(i int, v int64)) {
	steps := strides(c.Shape)
	for a, d := range c.Shape {
		if d == 1 {
			steps[a] = 0
		}
	}
	i := 0
	eachPosition(shape, steps, func(at int) {
		f(i, c.Data[at])
		i++
	})
}

// strides are the distances in cells between neighbours along each axis.
func strides(shape []int) []int {
	s := make([]int, len(shape))
	step := 1
	for a := len(shape) - 1; a >= 0; a-- {
		s[a] = step
		step *= shape[a]
	}
	return s
}
