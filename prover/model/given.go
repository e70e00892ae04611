package model

import (
	"fmt"
	"math"
	"slices"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
)

// directRows bounds a table that is applied to cells as they are.
const directRows = 1 << 11

// quantized is a value as a tensor with the scale and the domain that the model states.
func (l *lowering) quantized(n *float.Node, op *float.Quantized) (value, error) {
	id := n.Inputs[0]
	scale := float64(op.Scale)
	if v := l.values[id]; v.lin == nil && v.scale == scale {
		if b := l.b.bounds[v.tensor]; b.Lo >= op.Lo && b.Hi <= op.Hi {
			return v, nil
		}
	}
	lin, err := l.sum(id, true)
	if err != nil {
		return value{}, err
	}
	lin.name, lin.given = n.Name, op
	t, err := l.rescaleGiven(lin)
	if err != nil {
		return value{}, err
	}
	return value{tensor: l.b.reshape(n.Name, t, n.Shape), scale: scale}, nil
}

// rescaleGiven adds a sum to the graph as a tensor with the scale and the domain that it is given.
func (l *lowering) rescaleGiven(lin *linear) (int, error) {
	lin.depthwise()
	if t, ok, err := l.direct(lin); ok {
		return t, err
	}
	op := lin.given
	scale := float64(op.Scale)
	lo, hi, clamps := asClamp(lin.funcs)
	if !clamps {
		t, _, err := l.rescaleCurved(lin, scale, op.Top())
		return t, err
	}
	a, err := l.rescaled(lin, scale)
	if err != nil {
		return 0, err
	}
	return l.addRescale(lin, a, clamp(op.Cell(lo), op.Cell(hi)))
}

// direct applies functions and rounding to the cells of a tensor by one table, without any error.
func (l *lowering) direct(lin *linear) (tensor int, ok bool, err error) {
	t := &lin.terms[0]
	if len(lin.terms) != 1 || t.conv != nil || t.cells != nil || t.product != nil || lin.bias != nil && len(lin.bias.data) > 1 {
		return 0, false, nil
	}
	if b := l.b.bounds[t.tensor]; b.Hi-b.Lo >= directRows {
		return 0, false, nil
	}
	bias := 0.0
	if lin.bias != nil {
		bias = lin.bias.data[0]
	}
	tensor, err = l.integer(lin.name, []graph.Term{{Mult: 1}}, graph.Constant{}, []int{t.tensor}, 0,
		composedGiven(lin.funcs, t.gain[0]*t.scale, bias, lin.given))
	return tensor, true, err
}

// composed is the table of a sum's functions, from numbers to the steps that it is given or to those of
// scale.
func (l *linear) composed(in, scale float64, top int64) function {
	if l.given != nil {
		return composedGiven(l.funcs, in, 0, l.given)
	}
	return composed(l.funcs, in, scale, top)
}

// composedGiven applies functions to numbers, q·in + bias, and rounds to given steps.
func composedGiven(funcs []float.Scalar, in, bias float64, op *float.Quantized) function {
	f := function{lo: op.Lo, hi: op.Hi}
	f.key = fmt.Sprintf("given %s %x %x %v", functionNames(funcs), math.Float64bits(in), math.Float64bits(bias), *op)
	if len(funcs) > 0 && nonNegative(funcs[len(funcs)-1]) {
		f.lo = max(f.lo, 0)
	}
	f.apply = func(q int64) int64 {
		x := float64(float64(q)*in) + bias
		for _, s := range funcs {
			x = s.Apply(x)
		}
		return op.Cell(x)
	}
	return f
}

// rounded tells whether a value is read by one node only, which rounds it to given steps.
func (l *lowering) rounded(id float.ValueID) bool {
	if l.uses[id] != 1 {
		return false
	}
	return slices.ContainsFunc(l.net.Nodes, func(n float.Node) bool {
		_, rounds := n.Op.(*float.Quantized)
		return rounds && n.Inputs[0] == id
	})
}

// givenInput is how a network rounds an input before it reads it, nil if some reader does not.
func (l *lowering) givenInput(id float.ValueID) *float.Quantized {
	var op *float.Quantized
	reads := 0
	for i := range l.net.Nodes {
		n := &l.net.Nodes[i]
		q, ok := n.Op.(*float.Quantized)
		if !ok || n.Inputs[0] != id || op != nil && *q != *op {
			continue
		}
		op = q
		reads++
	}
	if reads != l.uses[id] {
		return nil
	}
	return op
}
