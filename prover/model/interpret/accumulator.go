package interpret

import "github.com/weisyn/wes/prover/graph"

// accumulate is Σ terms + bias, exact in 64 bits by the graph's bounds.
func accumulate(a *graph.Accumulator, in []tensor, w graph.Weights, shape []int) []int64 {
	acc := make([]int64, graph.Elements(shape))
	if len(a.Bias.Data) > 0 {
		eachBroadcast(&a.Bias, shape, func(i int, v int64) { acc[i] = v })
	}
	seconds := a.Seconds()
	for k, t := range a.Terms {
		switch {
		case t.Conv != nil && t.Conv.Ids:
			lookUp(acc, t.Conv, in[k], w[t.Conv.Weight], shape)
		case t.Conv != nil:
			convolve(acc, t.Conv, in[k], w[t.Conv.Weight], shape)
		case t.Product != nil:
			multiply(acc, t.Product, t.Mult, in[k], in[seconds[k]], shape)
		default:
			for i, v := range in[k].cells {
				acc[i] += t.Mult * v
			}
		}
	}
	return acc
}
