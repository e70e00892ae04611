package sumcheck

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/prover/vec"
)

// blockSize is the number of entries a kernel works on at once: a few vectors of
// this size (16 KiB each) stay in the caches of a core.
const blockSize = 512

// table is a multilinear polynomial in vars variables, prefix dense, that is
// bound in place from the top variable down.
type table struct {
	values fr.Vector
	vars   int
}

// half is the number of index values below the top variable; vars must be > 0.
func (t *table) half() int { return 1 << (t.vars - 1) }

// foldRange sets values[i] to values[i] + r·(values[i+half]-values[i]) for
// start <= i < end <= half, as far as there are entries. Disjoint ranges may be
// folded concurrently.
func (t *table) foldRange(start, end int, r *fr.Element) {
	half := t.half()
	end = min(end, len(t.values))
	for start < end {
		stop := min(start+blockSize, end)
		pairs := min(max(len(t.values)-half, start), stop)
		if start < pairs {
			vec.Fold(t.values[start:pairs], t.values[start+half:pairs+half], r)
		}
		if pairs < stop {
			var c fr.Element
			c.SetOne().Sub(&c, r)
			lone := t.values[pairs:stop]
			vec.Scale(lone, lone, &c)
		}
		start = stop
	}
}

// shrink drops the top variable after all of [0, half) was folded.
func (t *table) shrink() {
	t.values = t.values[:min(len(t.values), t.half())]
	t.vars--
}

// load copies entries start.. to dst, zeros where the table has ended.
func (t *table) load(dst fr.Vector, start int) {
	n := 0
	if start < len(t.values) {
		n = copy(dst, t.values[start:])
	}
	clear(dst[n:])
}

// block returns len(buffer) entries from start on: those of the table where it
// has them all, otherwise a copy in buffer that zeros complete.
func (t *table) block(buffer fr.Vector, start int) fr.Vector {
	if end := start + len(buffer); end <= len(t.values) {
		return t.values[start:end]
	}
	t.load(buffer, start)
	return buffer
}

// slice returns the entries [start, end) as far as there are any.
func (t *table) slice(start, end int) fr.Vector {
	n := len(t.values)
	return t.values[min(start, n):min(end, n)]
}

// value returns the only entry of a table without variables.
func (t *table) value() fr.Element {
	if len(t.values) == 0 {
		return fr.Element{}
	}
	return t.values[0]
}
