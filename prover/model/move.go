package model

import (
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
)

// move lowers the operators that put cells elsewhere. A Reshape leaves a sum a sum.
func (l *lowering) move(n *float.Node) (value, error) {
	if _, ok := n.Op.(*float.Reshape); ok {
		if v := l.values[n.Inputs[0]]; v.lin != nil {
			return v, nil
		}
	}
	t, scale, err := l.tensor(n.Inputs[0])
	if err != nil {
		return value{}, err
	}
	switch op := n.Op.(type) {
	case *float.Reshape:
		t = l.b.reshape(n.Name, t, op.Shape)
	case *float.Transpose:
		t = l.b.transpose(n.Name, t, op.Perm)
	case *float.Pad:
		for a := range op.Begin {
			t = l.b.pad(n.Name, t, a, op.Begin[a], op.End[a])
		}
	case *float.Broadcast:
		for a, d := range op.Shape {
			t = l.b.broadcast(n.Name, t, a, d)
		}
	case *float.Slice:
		t = l.slice(n.Name, t, op)
	}
	return value{tensor: t, scale: scale}, nil
}

// concat joins tensors on one scale: that of its class, a coarser one that an input got, or the one that most have.
// An input that has another is rescaled.
func (l *lowering) concat(n *float.Node, op *float.Concat) (value, error) {
	have := make([]float64, len(n.Inputs))
	for i, id := range n.Inputs {
		var err error
		if _, have[i], err = l.tensor(id); err != nil {
			return value{}, err
		}
	}
	scale := l.common(have, n.Output)
	tensors := make([]int, len(n.Inputs))
	for i, id := range n.Inputs {
		t, s, err := l.tensor(id)
		if err == nil && s != scale {
			t, _, err = l.rescale(plain(n.Name, &l.b, t, s), scale, l.tops[n.Output])
		}
		if err != nil {
			return value{}, err
		}
		tensors[i] = t
	}
	return value{tensor: l.b.concat(n.Name, tensors, op.Axis), scale: scale}, nil
}

// common is the scale that most inputs of a Concat have among those that hold the range of its class, the
// coarsest of several; the one that all have; or that of the class.
func (l *lowering) common(have []float64, id float.ValueID) float64 {
	counts, best := map[float64]int{}, l.scales[id]
	for _, s := range have {
		counts[s]++
	}
	if counts[have[0]] == len(have) {
		return have[0]
	}
	for _, s := range have {
		if s >= l.scales[id] && (counts[s] > counts[best] || counts[s] == counts[best] && s > best) {
			best = s
		}
	}
	return best
}

func (l *lowering) slice(name string, t int, op *float.Slice) int {
	for a := range op.Sizes {
		step := op.Steps[a]
		if op.Sizes[a] == 1 {
			step = 1
		}
		t = l.b.slice(name, t, graph.Slice{Axis: a, Start: op.Starts[a], Step: step, Len: op.Sizes[a]})
	}
	return t
}
