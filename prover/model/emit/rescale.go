package emit

import (
	"math"
	"slices"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/onnx"
)

// rescale emits Table[floor((acc + half) / 2^s)].
func (e *emitter) rescale(op *graph.Rescale, acc value) value {
	bound := graph.Interval{Lo: op.Acc.Lo, Hi: op.Acc.Hi}
	if magnitude(bound)+graph.Half(op.MaxShift()) > exact {
		acc = e.cast(acc, true)
	}
	q := acc
	if op.MaxShift() > 0 {
		factor, half := e.shift(op, acc)
		q = e.binary("Add", e.binary("Mul", acc, factor), half)
		q = e.op("Floor", q.double, q.shape, []string{q.name})
	}
	t := &e.graph.Tables[op.Table]
	if offset, ok := clamp(t); ok {
		return e.clip(q, t, offset)
	}
	return e.lookUp(q, t)
}

// shift makes the constants 2^-s and half·2^-s, one for all or one for each channel.
func (e *emitter) shift(op *graph.Rescale, acc value) (factor, half string) {
	var shape []int
	if len(op.Shift) > 1 {
		shape = slices.Repeat([]int{1}, len(acc.shape))
		shape[op.Acc.Channel] = len(op.Shift)
	}
	factor = e.numbers(acc.double, shape, func(i int) float64 { return math.Ldexp(1, -op.Shift[i]) })
	half = e.numbers(acc.double, shape, func(i int) float64 { return math.Ldexp(float64(graph.Half(op.Shift[i])), -op.Shift[i]) })
	return factor, half
}

// clamp says whether a table is q ↦ min(max(q + offset, lo), hi) for its own range.
func clamp(t *graph.Table) (offset int64, ok bool) {
	r := t.Range()
	offset = climb(t, r.Lo)
	fits := func(q, y int64) bool { return min(max(q+offset, r.Lo), r.Hi) == y }
	q := t.Lo
	for _, s := range t.Segments {
		// Between its ends a clamp has no slope but 0 and 1, so equal ends make equal runs.
		last := int64(s.Len - 1)
		if s.Len > 1 && s.Slope != 0 && s.Slope != 1 || !fits(q, s.Value) || !fits(q+last, s.Value+last*s.Slope) {
			return 0, false
		}
		q += int64(s.Len)
	}
	return offset, true
}

// climb is value − argument at the first row whose value is not lo, 0 if there is none.
func climb(t *graph.Table, lo int64) int64 {
	q := t.Lo
	for _, s := range t.Segments {
		switch {
		case s.Value != lo:
			return s.Value - q
		case s.Len > 1 && s.Slope != 0:
			return s.Value + s.Slope - (q + 1)
		}
		q += int64(s.Len)
	}
	return 0
}

// clip emits a clamp. Sums with the offset must be exact too.
func (e *emitter) clip(q value, t *graph.Table, offset int64) value {
	r := t.Range()
	if magnitude(t.Domain())+max(offset, -offset) >= exact || wide(r) {
		q = e.cast(q, true)
	}
	if offset != 0 {
		q = e.binary("Add", q, e.scalar(q.double, float64(offset)))
	}
	return e.op("Clip", q.double, q.shape, []string{q.name, e.scalar(q.double, float64(r.Lo)), e.scalar(q.double, float64(r.Hi))})
}

// lookUp emits Gather from the rows of a table.
func (e *emitter) lookUp(q value, t *graph.Table) value {
	if wide(t.Domain()) {
		q = e.cast(q, true)
	}
	if t.Lo != 0 {
		q = e.binary("Add", q, e.scalar(q.double, float64(-t.Lo)))
	}
	row := e.op("Cast", false, q.shape, []string{q.name}, intAttr("to", int(onnx.Int32)))
	rows := t.Values()
	double := wide(t.Range())
	table := e.numbers(double, []int{len(rows)}, func(i int) float64 { return float64(rows[i]) })
	return e.op("Gather", double, q.shape, []string{table, row.name}, intAttr("axis", 0))
}
