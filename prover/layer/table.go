package layer

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/poly"
)

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
	w := newRunWeights(p)
	key, c0 := w.eval(second), w.eval(first)
	key.Mul(&key, &ch.Beta)
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
