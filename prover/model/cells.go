package model

import (
	"fmt"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
)

// cellProduct is the sum of one product, cell by cell, of two tensors whose dimensions are equal
// or one.
func (l *lowering) cellProduct(n *float.Node) (value, error) {
	x, xScale, err := l.tensor(n.Inputs[0])
	if err != nil {
		return value{}, err
	}
	y, yScale, err := l.tensor(n.Inputs[1])
	if err != nil {
		return value{}, err
	}
	if len(n.Shape) == 0 {
		return value{}, fmt.Errorf("a product of numbers without axes")
	}
	p := &graph.Product{Length: 1}
	channel := l.b.channel[x]
	x, p.Left = l.factor(n, x)
	y, p.Right = l.factor(n, y)
	if _, err := p.Bound(l.b.bounds[x], l.b.bounds[y]); err != nil {
		return value{}, err
	}
	return value{lin: &linear{
		name: n.Name, shape: n.Shape, channel: channel,
		terms: []term{{tensor: x, second: y, scale: xScale * yScale, gain: []float64{1}, product: p}},
	}}, nil
}

// factor is an operand without the axes along which it repeats, and with one more, of length one,
// to contract.
func (l *lowering) factor(n *float.Node, t int) (tensor int, axes []int) {
	var shape []int
	for a, d := range l.b.shapes[t] {
		if d == n.Shape[a] {
			shape, axes = append(shape, d), append(axes, a)
		}
	}
	return l.b.reshape(n.Name, t, append(shape, 1)), append(axes, graph.Contracted)
}

// larger is the larger of two tensors, on one scale.
func (l *lowering) larger(n *float.Node) (value, error) {
	x, scale, err := l.tensor(n.Inputs[0])
	if err != nil {
		return value{}, err
	}
	y, other, err := l.tensor(n.Inputs[1])
	if err != nil {
		return value{}, err
	}
	if other > scale {
		x, scale, err = l.rescale(plain(n.Name, &l.b, x, scale), other, l.tops[n.Output])
	} else if other < scale {
		y, _, err = l.rescale(plain(n.Name, &l.b, y, other), scale, l.tops[n.Output])
	}
	return value{tensor: l.b.max(n.Name, x, y), scale: scale}, err
}
