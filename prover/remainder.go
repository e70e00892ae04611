package prover

import (
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/layer"
)

// remainders are the digits that a Rescale's column commits and looks up, see layer.Digits.
// They are zero before they are set, as those of padding are.
type remainders struct {
	bits, digits int
	high         []int32  // nil without a second digit
	lows, highs  []uint32 // rows of the range table
	counts       []uint32 // of the range table
}

func (w *witness) remainders(column int, op *graph.Rescale) remainders {
	r := remainders{bits: w.sys.RangeBits, digits: layer.Digits(op)}
	if r.digits > 0 {
		r.lows, r.counts = w.leaf(layer.LeafRemainder, column)
	}
	if r.digits == 2 {
		r.high = w.slot(layer.SlotHigh, column)
		r.highs, _ = w.leaf(layer.LeafHigh, column)
	}
	return r
}

// set enters the remainder of a cell, below 2^shift.
func (r *remainders) set(at int, remainder int64, shift int) {
	if r.digits == 0 {
		return
	}
	scaled := uint32(remainder) << (r.digits*r.bits - shift)
	r.lows[at] = scaled & (1<<r.bits - 1)
	if r.digits == 2 {
		r.highs[at] = scaled >> r.bits
		r.high[at] = int32(r.highs[at])
	}
}

func (r *remainders) count() {
	count(r.counts, r.lows)
	count(r.counts, r.highs)
}
