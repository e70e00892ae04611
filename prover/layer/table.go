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

// cells are the two coordinates of a table's rows as runs that cover 2^Vars rows, the last
// row repeated.
func (s *System) cells(t *LookupTable) (first, second []run) {
	pad := 1<<t.Vars - t.Size
	switch t.Kind {
	case LeafRemainder:
		return []run{{t.Size, 0, 1}}, nil
	case LeafFunction:
		f := &s.Graph.Tables[t.Func]
		for _, seg := range f.Segments {
			first = append(first, run{seg.Len, seg.Value, seg.Slope})
		}
		last := first[len(first)-1]
		first = append(first, run{pad, last.value + int64(last.len-1)*last.slope, 0})
		d := f.Domain()
		return first, []run{{t.Size, d.Lo, 1}, {pad, d.Hi, 0}}
	default: // LeafMaximum: (0, 0…D), then (1…D, 0)
		d := (t.Size - 1) / 2
		return []run{{d + 1, 0, 0}, {d, 1, 1}, {pad, int64(d), 0}}, []run{{d + 1, 0, 1}, {d + pad, 0, 0}}
	}
}

// evalRuns is the multilinear extension of consecutive runs at a point. The runs cover the
// cube, or there are none.
func evalRuns(runs []run, point []fr.Element) fr.Element {
	if 2*len(runs)*len(point) > 1<<len(point) { // cell by cell is less work
		cells := make([]fr.Element, 1<<len(point))
		subtractRuns(cells, runs, fr.One())
		v := poly.Evaluate(cells, point)
		return *v.Neg(&v)
	}
	var sum, before, indexBefore fr.Element
	at := 0
	for _, r := range runs {
		if r.len == 0 {
			continue
		}
		end := at + r.len
		upTo, indexUpTo := poly.Less(point, uint64(end)), lessIndex(point, uint64(end))
		var count, index fr.Element
		count.Sub(&upTo, &before)
		index.Sub(&indexUpTo, &indexBefore)
		base, slope := poly.FromInt64(r.value-int64(at)*r.slope), poly.FromInt64(r.slope)
		count.Mul(&count, &base)
		index.Mul(&index, &slope)
		sum.Add(&sum, &count).Add(&sum, &index)
		at, before, indexBefore = end, upTo, indexUpTo
	}
	return sum
}

// lessIndex is Σ_{i<n} i·eq(point, i), in O(len(point)).
func lessIndex(point []fr.Element, n uint64) fr.Element {
	vars := len(point)
	if n == 1<<vars {
		return poly.IndexEval(point)
	}
	suffix := make([]fr.Element, vars+1) // Σ of the index over the bits from j on
	for j := vars - 1; j >= 0; j-- {
		w := fr.NewElement(1 << (vars - 1 - j))
		suffix[j].Mul(&w, &point[j]).Add(&suffix[j], &suffix[j+1])
	}
	var sum fr.Element
	prefix, one := fr.One(), fr.One()
	base := uint64(0)
	for j := range vars {
		bit := uint64(1) << (vars - 1 - j)
		var zero fr.Element
		zero.Sub(&one, &point[j])
		if n&bit == 0 {
			prefix.Mul(&prefix, &zero)
			continue
		}
		block := fr.NewElement(base)
		block.Add(&block, &suffix[j+1]).Mul(&block, &zero).Mul(&block, &prefix)
		sum.Add(&sum, &block)
		prefix.Mul(&prefix, &point[j])
		base |= bit
	}
	return sum
}

// RowsEval is the multilinear extension of the table rows' denominators α − key at a
// point, ones beyond the last row.
func (s *System) RowsEval(ch *Challenges, point []fr.Element) fr.Element {
	parts := make([]fr.Element, len(s.Tables))
	poly.Parallel(len(parts), 1, func(from, to int) {
		for i := from; i < to; i++ {
			parts[i] = s.tableEval(ch, &s.Tables[i], point)
		}
	})
	v := fr.Vector(parts)
	sum, one := v.Sum(), fr.One()
	return *sum.Add(&sum, &one)
}

// tableEval is what a table's denominators differ from ones by, at a point.
func (s *System) tableEval(ch *Challenges, t *LookupTable, point []fr.Element) fr.Element {
	var betaSquared fr.Element
	betaSquared.Square(&ch.Beta)
	sel := selector(point, t.Vars, t.Offset)
	p := point[len(point)-t.Vars:]
	first, second := s.cells(t)
	key := evalRuns(second, p)
	key.Mul(&key, &ch.Beta)
	c0 := evalRuns(first, p)
	tag := fr.NewElement(t.Tag)
	tag.Mul(&tag, &betaSquared)
	key.Add(&key, &c0).Add(&key, &tag)
	key.Sub(&ch.Alpha, &key)
	one := fr.One()
	key.Sub(&key, &one)
	return *key.Mul(&key, &sel)
}

// Denominators sets dens to α − key for the rows of a table, all 2^Vars of them.
func (s *System) Denominators(ch *Challenges, table int, dens []fr.Element) {
	t := &s.Tables[table]
	first, second := s.cells(t)
	tag := fr.NewElement(t.Tag)
	tag.Mul(&tag, &ch.Beta).Mul(&tag, &ch.Beta)
	start := ch.Alpha
	start.Sub(&start, &tag)
	for i := range dens {
		dens[i] = start
	}
	one := fr.One()
	subtractRuns(dens, first, one)
	subtractRuns(dens, second, ch.Beta)
}

// subtractRuns subtracts the runs' cells, times a factor, from consecutive elements.
func subtractRuns(dst []fr.Element, runs []run, factor fr.Element) {
	at := 0
	for _, r := range runs {
		value, step := poly.FromInt64(r.value), poly.FromInt64(r.slope)
		value.Mul(&value, &factor)
		step.Mul(&step, &factor)
		for range r.len {
			dst[at].Sub(&dst[at], &value)
			value.Add(&value, &step)
			at++
		}
	}
}
