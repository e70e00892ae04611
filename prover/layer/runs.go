package layer

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/poly"
)

// run is an arithmetic progression of table rows: cell i of it is value + i·slope.
type run struct {
	len          int
	value, slope int64
}

// runWeights evaluates the multilinear extension of runs at a point, with a few
// multiplications for each run. The cube is cut into blocks; eq is the weight of a block
// times that of the place in it.
type runWeights struct {
	blocks []fr.Element // eq over the high part of the index
	// counts and places are Σ_{j<i} eq_j and Σ_{j<i} j·eq_j over the low part.
	counts, places []fr.Element
}

func newRunWeights(point []fr.Element) *runWeights {
	split := len(point) / 2
	eq := poly.Eq(point[split:])
	w := &runWeights{blocks: poly.Eq(point[:split]), counts: make([]fr.Element, len(eq)+1), places: make([]fr.Element, len(eq)+1)}
	var before fr.Element // Σ_{k<i} counts[k]
	for i := range eq {
		w.counts[i+1].Add(&w.counts[i], &eq[i])
		before.Add(&before, &w.counts[i])
		place := fr.NewElement(uint64(i))
		place.Mul(&place, &w.counts[i+1])
		w.places[i+1].Sub(&place, &before)
	}
	return w
}

// eval sums up consecutive runs that cover the cube, or none.
func (w *runWeights) eval(runs []run) (sum fr.Element) {
	size := len(w.counts) - 1
	block, at := 0, 0
	var part fr.Element // of the block
	for _, r := range runs {
		for r.len > 0 {
			n := min(r.len, size-at)
			cells := w.cells(at, at+n, r)
			part.Add(&part, &cells)
			r.len, r.value = r.len-n, r.value+int64(n)*r.slope
			if at += n; at == size {
				part.Mul(&part, &w.blocks[block])
				sum.Add(&sum, &part)
				block, at, part = block+1, 0, fr.Element{}
			}
		}
	}
	return sum
}

// cells are the first cells of a run, at the places [from, to) of a block.
func (w *runWeights) cells(from, to int, r run) fr.Element {
	var sum, part fr.Element
	slope := r.slope
	if to-from == 1 {
		slope = 0
	}
	factor := poly.FromInt64(r.value - int64(from)*slope)
	sum.Sub(&w.counts[to], &w.counts[from]).Mul(&sum, &factor)
	if slope != 0 {
		factor = poly.FromInt64(slope)
		part.Sub(&w.places[to], &w.places[from]).Mul(&part, &factor)
		sum.Add(&sum, &part)
	}
	return sum
}
