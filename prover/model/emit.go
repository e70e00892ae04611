package model

import (
	"fmt"
	"math"
	"slices"

	"github.com/weisyn/wes/prover/graph"
)

// mostRevealed bounds revealed accumulators well below what graphs allow, whatever the bias.
const mostRevealed = 1 << 48

// fineRows is the domain up to which a curved function gets quotients finer than its
// values.
const fineRows = 1 << 14

// rescaleExactly is rescale with the scale of quotients chosen so that the rounded divisor of
// a mean distorts nothing.
func (l *lowering) rescaleExactly(lin *linear, scale float64, top int64) (int, float64, error) {
	switch {
	case !curved(lin.funcs):
		scale = l.exactly(lin, scale)
	case top >= sharedTop:
		scale = powerOfTwo(scale)
	}
	return l.rescale(lin, scale, top)
}

// sharedTop is the magnitude from which on cells are fine enough that functions get scales of powers
// of two: layers then share their tables.
const sharedTop = 1<<10 - 1

// powerOfTwo is the least one that is no smaller.
func powerOfTwo(x float64) float64 { return math.Exp2(math.Ceil(math.Log2(x))) }

// exactly is the scale nearest above the given one at which the multiplier of a sum of one
// term is exact. That of a wide sum may be below, as a mean never exceeds its cells.
func (l *lowering) exactly(lin *linear, scale float64) float64 {
	unit := l.exactUnit(lin)
	if lin.wide && unit > 0 {
		scale = min(scale, unit)
	}
	if unit >= scale*nearlyOne {
		return unit / max(1, math.Floor(unit/scale))
	}
	return scale
}

// nearlyOne is how much of a range may be left out so that a multiplier of one is exact.
const nearlyOne = 31. / 32

// exactUnit is the largest scale with an exact multiplier of a sum that is one multiplied tensor,
// or that has one product, whose multiplier is small; 0 for other sums.
func (l *lowering) exactUnit(lin *linear) float64 {
	var exact *term
	for i := range lin.terms {
		t := &lin.terms[i]
		if t.product == nil && (len(lin.terms) > 1 || t.conv != nil || t.cells != nil || len(t.gain) != 1) {
			continue
		}
		if exact != nil {
			return 0
		}
		exact = t
	}
	if exact == nil {
		return 0
	}
	return math.Ldexp(math.Abs(exact.gain[0])*exact.scale, l.b.usefulShift(lin, l.options))
}

// finest is the least scale that makes sense for a sum: a range that fills activations at a
// smaller one is that of the rounding errors of a value that is always zero.
func (l *lowering) finest(lin *linear) float64 {
	return slices.Max(l.b.measure(lin, 1).total) / (graph.MaxDomain / 4)
}

// narrowest is the smallest magnitude of a bound of a clamp, without bounds that are zero.
func narrowest(lo, hi float64) float64 {
	least := math.Inf(1)
	for _, v := range [2]float64{lo, hi} {
		if v != 0 {
			least = min(least, math.Abs(v))
		}
	}
	return least
}

// rescale adds a sum to the graph as a tensor whose cells stand for scale, none larger than top.
func (l *lowering) rescale(lin *linear, scale float64, top int64) (int, float64, error) {
	lin.depthwise()
	if curved(lin.funcs) {
		return l.rescaleCurved(lin, scale, top)
	}
	lo, hi, clamps := asClamp(lin.funcs)
	alpha, _ := asLeaky(lin.funcs)
	if least := l.finest(lin); !clamps || least <= narrowest(lo, hi)/float64(top) {
		scale = max(scale, least)
	}
	a, err := l.rescaled(lin, scale)
	if err != nil {
		return 0, 0, err
	}
	f := leaky(alpha, top)
	if clamps {
		most := float64(top)
		from, to := round(min(max(lo/scale, -most), most)), round(min(max(hi/scale, -most), most))
		if a.acc.Lo >= 0 {
			from = max(from, min(0, to))
		}
		f = clamp(from, to)
	}
	t, err := l.addRescale(lin, a, f)
	return t, scale, err
}

// rescaleCurved looks one tensor's cells up as they are. Of another sum it takes quotients half a
// step of the steepest value apart, or coarser ones when the table would be large.
func (l *lowering) rescaleCurved(lin *linear, scale float64, top int64) (int, float64, error) {
	if cell := lin.cell(); cell > 0 {
		a, err := l.b.quantize(lin, cell, func(int) float64 { return 1 })
		if err != nil {
			return 0, 0, err
		}
		a.shift = []int{0}
		t, err := l.addRescale(lin, a, lin.composed(cell, scale, top))
		return t, scale, err
	}
	least := steepest(lin.funcs)
	reach := slices.Max(l.b.measure(lin, 1).total)
	if top >= sharedTop {
		least = powerOfTwo(least)
	}
	for slope := 2 * max(least, steepestWithin(lin.funcs, reach, scale*float64(top))); ; slope = max(slope/2, least) {
		in := l.exactly(lin, scale/slope)
		a, err := l.rescaled(lin, in)
		if err != nil {
			return 0, 0, err
		}
		rows := size(a.quotients())
		if slope > least && rows > fineRows {
			continue
		}
		if lin.reach > 0 && rows > max(fineRows, 2*int64(graph.Elements(lin.shape))) {
			return l.clampFirst(lin, scale, top)
		}
		t, err := l.addRescale(lin, a, lin.composed(in, scale, top))
		return t, scale, err
	}
}

// clampFirst rounds the argument of a function to wide cells, clamped to the range that calibration
// saw, which are looked up as they are: a third lookup for each, but no table for all that weights
// allow.
func (l *lowering) clampFirst(lin *linear, scale float64, top int64) (int, float64, error) {
	funcs, name, given := lin.funcs, lin.name, lin.given
	lin.funcs, lin.given = nil, nil
	t, s, err := l.rescaleExactly(lin, scaleOf(lin.reach, argumentCell), argumentCell)
	if err != nil {
		return 0, 0, err
	}
	next := plain(name, &l.b, t, s)
	next.funcs, next.given = funcs, given
	return l.rescaleCurved(next, scale, top)
}

// argumentCell is the largest magnitude of an argument that is rounded before its function.
const argumentCell = 1<<11 - 1

// quotients is the domain that a table needs for the accumulator.
func (a *accumulator) quotients() graph.Interval {
	s := (&graph.Rescale{Shift: a.shift}).MinShift()
	return graph.Interval{Lo: graph.ShiftRight(a.acc.Lo, s), Hi: graph.ShiftRight(a.acc.Hi, s)}
}

// size is the number of integers of an interval.
func size(v graph.Interval) int64 { return v.Hi - v.Lo + 1 }

func (l *lowering) addRescale(lin *linear, a *accumulator, f function) (int, error) {
	e := l.b.tables.use(f, a.quotients())
	if rows := size(e.domain); rows > graph.MaxDomain {
		return 0, fmt.Errorf("its function needs a table of %d rows, more than %d", rows, graph.MaxDomain)
	}
	op := &graph.Rescale{Acc: a.acc, Shift: a.shift}
	t := l.b.add(graph.Node{Name: lin.name, Op: op, Inputs: a.inputs}, lin.shape, graph.Interval{Lo: f.lo, Hi: f.hi}, lin.channel)
	l.b.read(t, a.weights)
	l.b.uses[t] = e
	return t, nil
}

// reveal adds a sum to the graph as a public accumulator. One unit serves all channels; it
// is as fine as the width of weights and float32 allow.
func (l *lowering) reveal(lin *linear) (int, float64, error) {
	lin.depthwise()
	if len(lin.terms) == 1 && lin.terms[0].conv == nil && lin.terms[0].cells == nil && lin.bias == nil && lin.terms[0].gain[0] != 0 {
		return l.addReveal(lin, math.Abs(lin.terms[0].gain[0])*lin.terms[0].scale)
	}
	coarse, least := l.largest(lin), slices.Max(l.b.measure(lin, 1).total)/mostRevealed
	if unit := lin.gridUnit(); unit > least {
		return l.addReveal(lin, unit)
	}
	lin.forgetGrids()
	wide, precise := l.readsWide(lin), l.precise(lin)
	for bits := l.options.RevealBits; ; bits-- {
		unit := max(least, min(precise, coarse/float64(int64(1)<<(bits-1)-1)))
		if !wide && bits > min(fewBits, l.options.RevealBits) && slices.Max(l.b.measure(lin, unit).total) >= lin.exact() {
			continue
		}
		return l.addReveal(lin, unit)
	}
}

// precise is the largest unit at which the rounding of the multipliers of tensors and products moves
// a sum by no more than a quarter of the step of a tensor as wide as its bound.
func (l *lowering) precise(lin *linear) float64 {
	cells := 0.0
	for i := range lin.terms {
		if t := &lin.terms[i]; t.conv == nil && t.cells == nil {
			v := l.b.bound(t)
			cells += float64(max(v.Hi, -v.Lo))
		}
	}
	if total := slices.Max(l.b.measure(lin, 1).total); cells > 0 && total > 0 {
		return total / float64(2*l.options.top()) / cells
	}
	return math.Inf(1)
}

// readsWide tells whether a sum reads cells that are wider than activations: float32 does not execute it
// with any width of weights.
func (l *lowering) readsWide(lin *linear) bool {
	return slices.ContainsFunc(lin.terms, func(t term) bool {
		return l.b.bounds[t.tensor].Hi > l.options.top() && (t.conv == nil || !t.conv.Ids)
	})
}

// largest is the largest factor of a sum's terms, in numbers for each integer of their
// inputs; 1 when all are zero.
func (l *lowering) largest(lin *linear) float64 {
	most := slices.Max(l.b.measure(lin, 1).weight)
	for i := range lin.terms {
		if t := &lin.terms[i]; t.conv == nil {
			k := math.Abs(t.gain[0]) * t.scale
			if t.cells != nil {
				k *= t.cells.most()
			}
			most = max(most, k)
		}
	}
	if most < minRange {
		return 1
	}
	return most
}

func (l *lowering) addReveal(lin *linear, unit float64) (int, float64, error) {
	a, err := l.b.quantize(lin, unit, func(int) float64 { return 1 })
	if err != nil {
		return 0, 0, err
	}
	t := l.b.add(graph.Node{Name: lin.name, Op: &graph.Reveal{Acc: a.acc}, Inputs: a.inputs}, lin.shape,
		graph.Interval{Lo: a.acc.Lo, Hi: a.acc.Hi}, lin.channel)
	l.b.read(t, a.weights)
	return t, unit, nil
}
