package model

import "github.com/weisyn/wes/prover/model/float"

// leastMask is the magnitude from which on a summand of a softmax's scores only hides cells.
const leastMask = 1000

// onlySoftmaxes tells whether nothing but softmaxes read a value.
func (l *lowering) onlySoftmaxes(id float.ValueID) bool {
	readers := 0
	for i := range l.net.Nodes {
		n := &l.net.Nodes[i]
		if _, ok := n.Op.(*float.Softmax); ok && n.Inputs[0] == id {
			readers++
		}
	}
	return readers > 0 && readers == l.uses[id]
}

// hide shrinks a summand that hides cells of the other's, of −10000 or so where an input says that
// a token is none: a few times the range of the scores hides as well, and leaves them their precision.
func (l *lowering) hide(mask *linear, id, scores float.ValueID) {
	reach := func(id float.ValueID) float64 { return l.own[id] * float64(l.tops[id]) }
	most, enough := reach(id), 2*reach(scores)+faded
	if most < leastMask || enough >= most || mask.hasProduct() || mask.hasConv() || len(mask.funcs) > 0 {
		return
	}
	one := constant{shape: make([]int, len(mask.shape)), data: []float64{enough / most}}
	for i := range one.shape {
		one.shape[i] = 1
	}
	mask.scale(one)
}
