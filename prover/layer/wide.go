package layer

import (
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/poly"
)

// wideTile is the number of wide cells that are weighed at a time, and wideRows the least
// number of their rows: the sums of as many share what is done for a weight.
const wideTile, wideRows = 1 << 15, 16

// wideSource holds wide integers: cells as a proof file has them, or constants.
type wideSource interface {
	Len() int
	At(i int) int64
	Narrow(dst []int32, from int) bool // see graph.Cells
}

type constantCells []int64

func (c constantCells) Len() int       { return len(c) }
func (c constantCells) At(i int) int64 { return c[i] }

func (c constantCells) Narrow(dst []int32, from int) bool {
	var lost int64
	for i, v := range c[from:][:len(dst)] {
		dst[i] = int32(v)
		lost |= v ^ int64(int32(v))
	}
	return lost == 0
}

// applyWide evaluates the term on a tensor of wide integers, tile by tile on all cores: where
// 32 bits hold all cells of a tile, as small ones. Zero weights at the ends of the last
// group, those of channels of other columns, cost nothing.
func (t Term) applyWide(cells wideSource) fr.Element {
	weights := t.Groups[len(t.Groups)-1].Vec
	stride := len(weights)
	rows := make([]fr.Element, cells.Len()/stride)
	first, weights := trimmed(weights)
	high := max(wideRows, wideTile/max(len(weights), 1))
	wide := min(len(weights), wideTile/wideRows)
	if wide == 0 {
		return fr.Element{}
	}
	across := (len(weights) + wide - 1) / wide
	var mu sync.Mutex
	var buffers sync.Pool
	poly.Parallel(across*((len(rows)+high-1)/high), 1, func(from, to int) {
		for i := from; i < to; i++ {
			at, row := i%across*wide, i/across*high
			tile := wideCells{cells, row*stride + first + at, stride, min(high, len(rows)-row)}
			buffer, ok := buffers.Get().(*[]int32)
			if !ok {
				b := make([]int32, min(high, len(rows))*wide)
				buffer = &b
			}
			part := tile.weigh(weights[at:min(at+wide, len(weights))], *buffer)
			buffers.Put(buffer)
			sums := fr.Vector(rows[row:][:len(part)])
			mu.Lock()
			sums.Add(sums, part)
			mu.Unlock()
		}
	})
	return t.contract(rows)
}

// trimmed leaves out the zeros at both ends, and counts the first ones.
func trimmed(v []fr.Element) (first int, rest []fr.Element) {
	for first < len(v) && v[first].IsZero() {
		first++
	}
	last := len(v)
	for last > first && v[last-1].IsZero() {
		last--
	}
	return first, v[first:last]
}

// wideCells are rows of cells, stride apart from the first cell on.
type wideCells struct {
	cells               wideSource
	first, stride, rows int
}

// weigh sums each row against the weights.
func (c *wideCells) weigh(weights []fr.Element, buffer []int32) []fr.Element {
	sums := make([]fr.Element, c.rows)
	narrow := buffer[:c.rows*len(weights)]
	if c.narrow(narrow, len(weights)) {
		poly.MatVec(sums, weights, narrow, len(weights))
		return sums
	}
	for i := range sums {
		for j := range weights {
			v := poly.FromInt64(c.cells.At(c.first + i*c.stride + j))
			v.Mul(&v, &weights[j])
			sums[i].Add(&sums[i], &v)
		}
	}
	return sums
}

// narrow converts the first n cells of each row to 32 bits and tells whether all fit.
func (c *wideCells) narrow(dst []int32, n int) bool {
	fit := true
	for i := range c.rows {
		fit = c.cells.Narrow(dst[i*n:][:n], c.first+i*c.stride) && fit
	}
	return fit
}
