package emit

import (
	"slices"

	"github.com/weisyn/wes/prover/graph"
)

// accumulator emits Σ terms + bias, in float32 when every partial sum fits it.
func (e *emitter) accumulator(t int, a *graph.Accumulator, in []value) (value, error) {
	node := &e.graph.Nodes[t]
	bounds := make([]graph.Interval, len(in))
	for k, i := range node.Inputs {
		bounds[k] = e.info.Bounds[i]
	}
	shape := e.info.Shapes[t]
	sum, err := a.Bound(bounds, e.weights, shape[a.Channel])
	if err != nil {
		return value{}, err
	}
	double := wide(sum)
	bias := &a.Bias
	var acc value
	seconds := a.Seconds()
	for k, term := range a.Terms {
		var part value
		switch {
		case term.Product != nil:
			second := seconds[k]
			if part, err = e.product(&term, [2]value{in[k], in[second]}, [2]graph.Interval{bounds[k], bounds[second]}, shape); err != nil {
				return value{}, err
			}
		case term.Conv != nil && term.Conv.Ids:
			part = e.ids(term.Conv, in[k])
		case term.Conv != nil:
			c := e.newConv(term.Conv, in[k], bounds[k], shape)
			if k == 0 && !double && c.foldsBias(bias) {
				c.bias, bias = bias.Data, &graph.Constant{}
			}
			part = e.conv(c)
		default:
			part = e.multiple(term.Mult, in[k], bounds[k])
		}
		if part = e.cast(part, double); k > 0 {
			part = e.add(acc, part)
		}
		acc = part
	}
	if len(bias.Data) > 0 {
		acc = e.binary("Add", acc, e.integers(double, bias))
	}
	return acc, nil
}

// multiple is m·x, in float32 when it fits.
func (e *emitter) multiple(m int64, x value, b graph.Interval) value {
	if m == 1 {
		return x
	}
	if m != 0 && magnitude(b) >= (exact+max(m, -m)-1)/max(m, -m) || max(m, -m) >= exact {
		x = e.cast(x, true)
	}
	return e.binary("Mul", x, e.scalar(x.double, float64(m)))
}

// integers is an integer constant as floats.
func (e *emitter) integers(double bool, c *graph.Constant) string {
	return e.numbers(double, c.Shape, func(i int) float64 { return float64(c.Data[i]) })
}

// perChannel says that a constant has one value for each index of an axis.
func perChannel(c *graph.Constant, axis, channels int) bool {
	shape := slices.Repeat([]int{1}, len(c.Shape))
	if len(c.Data) == 0 {
		return false
	}
	shape[axis] = channels
	return slices.Equal(shape, c.Shape)
}
