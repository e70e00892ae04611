package model

import (
	"fmt"
	"math"
	"strings"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
)

// function maps the quotient of a rescale to an activation. Functions with one key are one
// function, whatever layer uses them, and share one table.
type function struct {
	key    string
	lo, hi int64 // values lie in [lo, hi]
	apply  func(q int64) int64
}

func clamp(lo, hi int64) function {
	return function{fmt.Sprintf("clamp %d %d", lo, hi), lo, hi, func(q int64) int64 { return min(max(q, lo), hi) }}
}

// leaky is x·alpha for negative x, clamped, on one scale.
func leaky(alpha float64, top int64) function {
	f := function{key: fmt.Sprintf("leaky %x %d", math.Float64bits(alpha), top), lo: -top, hi: top}
	f.apply = func(q int64) int64 {
		if q < 0 {
			q = round(alpha * float64(q))
		}
		return min(max(q, -top), top)
	}
	return f
}

// composed applies functions to numbers: quotients have scale in, values scale out.
func composed(funcs []float.Scalar, in, out float64, top int64) function {
	f := function{lo: -top, hi: top}
	f.key = fmt.Sprintf("%s %x %x %d", functionNames(funcs), math.Float64bits(in), math.Float64bits(out), top)
	if nonNegative(funcs[len(funcs)-1]) {
		f.lo = 0
	}
	lo, hi := float64(f.lo), float64(f.hi)
	f.apply = func(q int64) int64 {
		x := float64(q) * in
		for _, s := range funcs {
			x = s.Apply(x)
		}
		return round(min(max(x/out, lo), hi))
	}
	return f
}

// functionNames names functions with their parameters.
func functionNames(funcs []float.Scalar) string {
	var names []string
	for _, f := range funcs {
		names = append(names, fmt.Sprintf("%s%v", f.Kind(), f))
	}
	return strings.Join(names, ",")
}

func nonNegative(f float.Scalar) bool {
	switch f := f.(type) {
	case *float.Relu, *float.Sigmoid:
		return true
	case *float.Clip:
		return f.Lo >= 0
	}
	return false
}

// round is to the nearest integer, halves up.
func round(x float64) int64 { return int64(math.Floor(float64(x) + 0.5)) }

// asClamp is the interval that a chain of functions clamps to, if clamping is all it does.
func asClamp(funcs []float.Scalar) (lo, hi float64, ok bool) {
	lo, hi = math.Inf(-1), math.Inf(1)
	for _, f := range funcs {
		switch f := f.(type) {
		case *float.Relu:
			lo, hi = max(lo, 0), max(hi, 0)
		case *float.Clip:
			a, b := float64(f.Lo), float64(f.Hi)
			lo, hi = min(max(lo, a), b), min(max(hi, a), b)
		default:
			return 0, 0, false
		}
	}
	return lo, hi, true
}

// asLeaky is the slope for negative arguments of a chain that is one LeakyRelu no steeper
// than its argument, which a quotient on the scale of the value serves.
func asLeaky(funcs []float.Scalar) (alpha float64, ok bool) {
	if len(funcs) != 1 {
		return 0, false
	}
	f, ok := funcs[0].(*float.LeakyRelu)
	if !ok || math.Abs(float64(f.Alpha)) > 1 {
		return 0, false
	}
	return float64(f.Alpha), true
}

// curved tells whether a chain of functions needs quotients of another scale than its values.
func curved(funcs []float.Scalar) bool {
	_, _, clamps := asClamp(funcs)
	_, leaks := asLeaky(funcs)
	return !clamps && !leaks
}

// steepest bounds the slope of a chain of functions: 1 for those that follow their
// argument, 1/4 for a sigmoid. Others may be steeper.
func steepest(funcs []float.Scalar) float64 {
	s := 1.0
	for _, f := range funcs {
		switch f := f.(type) {
		case *float.Sigmoid:
			s /= 4
		case *float.LeakyRelu:
			s *= max(1, math.Abs(float64(f.Alpha)))
		}
	}
	return s
}

// steepestWithin is the steepest slope of a chain of functions, found on a grid, for arguments up to
// reach in magnitude where the values are at most most.
func steepestWithin(funcs []float.Scalar, reach, most float64) float64 {
	const grid = 1 << 10
	step := reach / grid
	if !(step > 0) {
		return 0
	}
	slope, before := 0.0, math.NaN()
	for i := -grid; i <= grid; i++ {
		y := float64(i) * step
		for _, f := range funcs {
			y = f.Apply(y)
		}
		if d := math.Abs(y - before); math.Abs(y) <= most && math.Abs(before) <= most {
			slope = max(slope, d/step)
		}
		before = y
	}
	return slope
}

// tableSet holds the tables of a graph under construction, by function.
type tableSet struct{ byKey map[string]*tableEntry }

// tableEntry is a function with the hull of the quotients that reach it.
type tableEntry struct {
	function
	domain graph.Interval
	index  int // in the graph, −1 before it has one
}

// use widens the domain of a function to hold q.
func (s *tableSet) use(f function, q graph.Interval) *tableEntry {
	if s.byKey == nil {
		s.byKey = map[string]*tableEntry{}
	}
	e := s.byKey[f.key]
	if e == nil {
		e = &tableEntry{function: f, domain: q, index: -1}
		s.byKey[f.key] = e
	}
	e.domain = graph.Interval{Lo: min(e.domain.Lo, q.Lo), Hi: max(e.domain.Hi, q.Hi)}
	return e
}

// number is the index of the table in g, to which it is added at its first use.
func (e *tableEntry) number(g *graph.Graph) int {
	if e.index < 0 {
		values := make([]int32, e.domain.Hi-e.domain.Lo+1)
		for i := range values {
			values[i] = int32(e.apply(e.domain.Lo + int64(i)))
		}
		e.index = len(g.Tables)
		g.Tables = append(g.Tables, graph.NewTable(e.domain.Lo, values))
	}
	return e.index
}
