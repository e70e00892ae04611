package model

import (
	"errors"
	"fmt"
	"math"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
)

// errCoarse refuses a multiplier of a product that is far from what it stands for.
var errCoarse = errors.New("a larger MaxShift makes it precise")

// product is the sum of one product of two tensors.
func (l *lowering) product(n *float.Node, op *float.Product) (value, error) {
	x, xScale, err := l.tensor(n.Inputs[0])
	if err != nil {
		return value{}, err
	}
	y, yScale, err := l.tensor(n.Inputs[1])
	if err != nil {
		return value{}, err
	}
	rank := len(n.Shape)
	p := &graph.Product{Length: op.K}
	for a := range len(l.b.shapes[x]) - 1 {
		p.Left = append(p.Left, rank-len(l.b.shapes[x])+a)
	}
	p.Left = append(p.Left, graph.Contracted)
	for a := range len(l.b.shapes[y]) - 2 {
		p.Right = append(p.Right, rank-len(l.b.shapes[y])+a)
	}
	p.Right = append(p.Right, graph.Contracted, rank-1)
	if _, err := p.Bound(l.b.bounds[x], l.b.bounds[y]); err != nil {
		return value{}, err
	}
	return value{lin: &linear{
		name: n.Name, shape: n.Shape, channel: rank - 1,
		terms: []term{{tensor: x, second: y, scale: xScale * yScale, gain: []float64{1}, product: p}},
	}}, nil
}

// bound is the interval of what a term multiplies by its gain: the tensor, or the product.
func (b *builder) bound(t *term) graph.Interval {
	if t.product == nil {
		return b.bounds[t.tensor]
	}
	v, err := t.product.Bound(b.bounds[t.tensor], b.bounds[t.second])
	if err != nil {
		panic("BUG: " + err.Error()) // checked when the term was made
	}
	return v
}

// multiplier is the factor of a term as an integer. That of a product has to be precise: it is
// small, as products have finer units than sums.
func (t *term) multiplier(m float64) (int64, error) {
	if !(math.Abs(m) < 1<<31-1) {
		return 0, fmt.Errorf("an input is %g times as coarse as the output", m)
	}
	k := round(m)
	if t.product != nil && m != 0 && math.Abs(float64(k)/m-1) > 1.0/32 {
		return 0, fmt.Errorf("a product would be multiplied by %d instead of %g: %w", k, m, errCoarse)
	}
	return k, nil
}

// rescaled quantises a sum for a rescale. Products that are small in it, so that their multipliers would be
// coarse, become tensors first.
func (l *lowering) rescaled(lin *linear, scale float64) (*accumulator, error) {
	a, err := l.b.rescaled(lin, scale, l.options)
	if len(lin.terms) == 1 || !errors.Is(err, errCoarse) {
		return a, err
	}
	for i := range lin.terms {
		if err := l.settle(lin, &lin.terms[i]); err != nil {
			return nil, err
		}
	}
	return l.b.rescaled(lin, scale, l.options)
}

// settle makes a tensor of the product of a term, fine enough for all that its operands allow.
func (l *lowering) settle(lin *linear, t *term) error {
	if t.product == nil {
		return nil
	}
	one := &linear{name: lin.name, shape: lin.shape, channel: lin.channel, terms: []term{*t}}
	one.terms[0].gain = []float64{1}
	v, top := l.b.bound(t), l.options.top()
	tensor, scale, err := l.rescaleExactly(one, scaleOf(float64(max(v.Hi, -v.Lo))*t.scale, top), top)
	*t = term{tensor: tensor, scale: scale, gain: t.gain}
	return err
}
