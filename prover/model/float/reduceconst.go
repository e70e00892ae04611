package float

import (
	"fmt"
	"slices"
)

// foldReduce computes a sum, a product, a maximum or a minimum over axes of a constant.
func (c *call) foldReduce(axes []int, keep bool) ([]*value, error) {
	k, err := c.constant(0)
	if err != nil {
		return nil, err
	}
	pair, ok := map[string]string{"ReduceSum": "Add", "ReduceProd": "Mul", "ReduceMax": "Max", "ReduceMin": "Min"}[c.op]
	if !ok || slices.Contains(k.shape, 0) {
		return nil, fmt.Errorf("it is not supported on a constant of shape %v", k.shape)
	}
	kept, err := reducedShape(k.shape, axes, true)
	if err != nil {
		return nil, err
	}
	out, err := c.newConstant(k.typ, kept)
	if err != nil {
		return nil, err
	}
	seen := make([]bool, out.size())
	walkStrided(k.shape, 0, broadcastSteps(kept, k.shape), func(i, j int) {
		switch {
		case !seen[j] && out.floats != nil:
			out.floats[j] = k.floats[i]
		case !seen[j]:
			out.ints[j] = k.ints[i]
		default:
			if e := combineCell(pair, out, j, out, j, k, i); e != nil {
				err = e
			}
		}
		seen[j] = true
	})
	if err != nil {
		return nil, err
	}
	if out.shape, err = reducedShape(k.shape, axes, keep); err != nil {
		return nil, err
	}
	return []*value{out.value()}, out.checkFinite()
}
