package model

import (
	"fmt"
	"math"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
)

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
		return 0, fmt.Errorf("a product would be multiplied by %d instead of %g: a larger MaxShift makes it precise", k, m)
	}
	return k, nil
}
