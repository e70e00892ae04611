package model

import "github.com/weisyn/wes/prover/model/float"

// leastMask is the magnitude from which on a summand of a softmax's scores only hides cells.
const leastMask = 1000

// onlySoftmaxes tells whether nothing but softmaxes read a value.
func (l *lowering) onlySoftmaxes(id float.ValueID) bool {
	for _, node := range l.readers[id] {
		if _, ok := l.net.Nodes[node].Op.(*float.Softmax); !ok {
			return false
		}
	}
	return len(l.readers[id]) > 0 && len(l.readers[id]) == l.uses[id]
}

// hide shrinks a summand that hides cells of the other's, of −10000 or so where an input says that
// a token is none: a few times the range of the scores hides as well, and leaves them their precision.
func (l *lowering) hide(mask *linear, id, scores float.ValueID) {
	reach := func(id float.ValueID) float64 { return l.own[id] * float64(l.tops[id]) }
	most, enough := reach(id), 2*reach(scores)+faded
	if most < leastMask || enough >= most || mask.hasProduct() || mask.hasConv() || len(mask.funcs) > 0 {
		return
	}
	factor := constant{shape: make([]int, len(mask.shape)), data: []float64{enough / most}}
	for i := range factor.shape {
		factor.shape[i] = 1
	}
	mask.scale(factor)
}
