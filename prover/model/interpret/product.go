package interpret

import "github.com/weisyn/wes/prover/graph"

// multiply adds mult times a product of two tensors to acc, whose shape is shape.
func multiply(acc []int64, p *graph.Product, mult int64, left, right tensor, shape []int) {
	l, leftStep := along(p.Left, left.shape, len(shape))
	r, rightStep := along(p.Right, right.shape, len(shape))
	for i := range acc {
		x, y := 0, 0 // where the cells for k = 0 lie
		rest := i
		for a := len(shape) - 1; a >= 0; a-- {
			v := rest % shape[a]
			rest /= shape[a]
			x += v * l[a]
			y += v * r[a]
		}
		var sum int64
		for k := range p.Length {
			sum += left.cells[x+k*leftStep] * right.cells[y+k*rightStep]
		}
		acc[i] += mult * sum
	}
}

// along is the stride of an operand along each of rank output axes, 0 where it has none,
// and along the contracted axis.
func along(axes, shape []int, rank int) (steps []int, contracted int) {
	steps = make([]int, rank)
	for i, s := range strides(shape) {
		if axes[i] == graph.Contracted {
			contracted = s
			continue
		}
		steps[axes[i]] = s
	}
	return steps, contracted
}
