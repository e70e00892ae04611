package model

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
)

const (
	// squareRows bounds the quotients of the squares of a norm.
	squareRows = 1 << 19
	// fewSquares is the quotient of the least squares that calibration saw: to round it
	// changes the root by a quarter of a percent.
	fewSquares = 1 << 7
	// rootBits is the width of their reciprocal root.
	rootBits = 11
	// rootShift is the largest shift of the product of a difference and a reciprocal root.
	rootShift = 14
	// oddMean is the largest odd part of a length whose mean is taken exactly.
	oddMean = 31
	// finerMean is how much finer than its cells the mean of another length is.
	finerMean = 16
)

// centering is a tensor whose lines along the last axis a norm divides, with their means.
type centering struct {
	l      *lowering
	name   string
	x      int
	length int
	a      int64 // μ is in units of a cell over a
	mean   int   // the tensor of μ, −1 if the norm is not centered
}

// norm divides every line by the root of its mean square, less its mean if the norm is centered.
// For a line x of n cells:
//
//	μ   = floor(a·Σ x/n + 1/2)                     0 if not centered
//	q   = floor(Σ (a·x_i − μ)²/2^s + 1/2)
//	R   = round(2^b/√(q + e))                      e is Epsilon in units of q
//	y_i = floor(m·(a·x_i − μ)·R/2^t + 1/2)
//
// The squares are sums of products, a²·Σ x² − 2·a·μ·Σ x + n·μ², so that nothing but μ, q, R and y
// is rounded. Every step is a rescale with a table, so the result is unique.
func (l *lowering) norm(n *float.Node, op *float.Norm, seen lines) (value, error) {
	rank := len(n.Shape)
	if rank < 2 {
		return value{}, errors.New("a norm over the only axis of a tensor")
	}
	x, scale, err := l.tensor(n.Inputs[0])
	if err != nil {
		return value{}, err
	}
	c := &centering{l: l, name: n.Name, x: x, length: n.Shape[rank-1], a: 1, mean: -1}
	if op.Centered {
		if err := c.subtractMean(); err != nil {
			return value{}, err
		}
	}
	unit := scale / float64(c.a) // of a·x − μ
	perSquare := float64(c.length) / float64(unit*unit)
	return c.divide(seen.squares*perSquare, float64(op.Epsilon)*perSquare, l.scales[n.Output], l.tops[n.Output])
}

// subtractMean takes the mean exactly where the length has a small odd part.
func (c *centering) subtractMean() error {
	k := bits.TrailingZeros(uint(c.length))
	c.a = int64(c.length >> k)
	mult := int64(1)
	if c.a > oddMean {
		c.a = finerMean
		k = min(graph.MaxShift, bits.Len(uint(c.length))+rootBits)
		mult = round(math.Ldexp(finerMean, k) / float64(c.length))
	}
	v := c.l.b.bounds[c.x]
	most := c.a * max(v.Hi, -v.Lo)
	var err error
	c.mean, err = c.l.integer(c.name, []graph.Term{{Mult: mult}}, graph.Constant{}, []int{c.sum()}, k, clamp(-most, most))
	return err
}

// sum is Σ x.
func (c *centering) sum() int {
	axis := len(c.l.b.shapes[c.x]) - 1
	return c.l.b.sumWindow(c.name, c.x, graph.Window{Axis: axis, Kernel: c.length, Stride: 1, Dilation: 1, Out: 1})
}

// lineProduct is mult times the sum over the last axis of the product of two tensors of equal
// shape.
func (c *centering) lineProduct(mult int64, length int) graph.Term {
	p := &graph.Product{Length: length}
	for a := range len(c.l.b.shapes[c.x]) - 1 {
		p.Left, p.Right = append(p.Left, a), append(p.Right, a)
	}
	p.Left, p.Right = append(p.Left, graph.Contracted), append(p.Right, graph.Contracted)
	return graph.Term{Product: p, Mult: mult}
}

// divide is the tensor y. least are the least squares that calibration saw, 0 if it saw none, and
// epsilon what is added to squares.
func (c *centering) divide(least, epsilon, scale float64, top int64) (value, error) {
	acc := graph.Accumulator{Terms: []graph.Term{c.lineProduct(c.a*c.a, c.length)}, Channel: len(c.l.b.shapes[c.x]) - 2}
	left, right := []int{c.x}, []int{c.x}
	if c.mean >= 0 {
		acc.Terms = append(acc.Terms, c.lineProduct(-2*c.a, 1), c.lineProduct(int64(c.length), 1))
		left, right = append(left, c.mean, c.mean), append(right, c.sum(), c.mean)
	}
	inputs := slices.Concat(left, right)
	s, err := c.squareShift(&acc, inputs, least)
	if err != nil {
		return value{}, err
	}
	r := newRoot(max(math.Ldexp(max(least, 1), -s), 1), math.Ldexp(epsilon, -s))
	m, t := int64(1), 0
	for ; ; r.b-- {
		unit := math.Sqrt(float64(c.length)) * math.Exp2(-float64(r.b)-float64(s)/2) // of (a·x − μ)·R
		if m, t = multiplier(unit / scale); t <= rootShift || r.b == 0 {
			scale = math.Ldexp(unit, t) / float64(m)
			break
		}
	}
	shape := c.l.b.shapes[c.x]
	roots, err := c.l.integerSum(c.name, acc, shape[:len(shape)-1], inputs, s, r.function())
	if err != nil {
		return value{}, err
	}
	y, err := c.times(roots, m, t, clamp(-top, top))
	return value{tensor: y, scale: scale}, err
}

// squareShift makes the least squares fewSquares or more, if the table then stays small.
func (c *centering) squareShift(acc *graph.Accumulator, inputs []int, least float64) (int, error) {
	bounds := make([]graph.Interval, len(inputs))
	for i, t := range inputs {
		bounds[i] = c.l.b.bounds[t]
	}
	v, err := acc.Bound(bounds, nil, c.l.b.shapes[c.x][acc.Channel])
	if err != nil {
		return 0, err
	}
	s := 0
	for s < graph.MaxShift && ((v.Hi-v.Lo)>>s > squareRows || math.Ldexp(least, -s) >= 2*fewSquares) {
		s++
	}
	return s, nil
}

// multiplier is m/2^t, with m of 1 and 3 and t ≥ 0, that is nearest below a factor.
func multiplier(factor float64) (m int64, t int) {
	one, three := math.Ceil(-math.Log2(factor)), math.Ceil(math.Log2(3)-math.Log2(factor))
	if one >= 0 && math.Exp2(-one) >= 3*math.Exp2(-three) {
		return 1, int(one)
	}
	return 3, int(max(three, 0))
}

// times is floor(m·(a·x − μ)·R/2^t + 1/2) by the function f.
func (c *centering) times(roots int, m int64, t int, f function) (int, error) {
	shape := c.l.b.shapes[c.x]
	last := len(shape) - 1
	p := &graph.Product{Length: 1}
	for a := range shape {
		p.Left = append(p.Left, a)
	}
	p.Left = append(p.Left, graph.Contracted)
	p.Right = append(slices.Clone(p.Left[:last]), graph.Contracted)
	column := append(slices.Clone(shape), 1)
	r := c.l.b.reshape(c.name, roots, with(shape, last, 1))
	acc := graph.Accumulator{Terms: []graph.Term{{Product: p, Mult: m * c.a}}, Channel: last}
	inputs := []int{c.l.b.reshape(c.name, c.x, column), r}
	if c.mean >= 0 {
		acc.Terms = append(acc.Terms, graph.Term{Product: p, Mult: -m})
		mean := c.l.b.reshape(c.name, c.l.b.broadcast(c.name, c.mean, last, c.length), column)
		inputs = []int{inputs[0], mean, r, r}
	}
	return c.l.integerSum(c.name, acc, shape, inputs, t, f)
}

// root is the function 2^b/√(q + e), constant below a quotient.
type root struct {
	b     int
	least int64
	e     float64
}

// newRoot gives the quotient of the least squares a root of rootBits. Lines whose squares are far
// smaller are not expected; an epsilon that does not show is left out, so that norms share tables.
func newRoot(quotient, e float64) root {
	if e < quotient/256 {
		e = 0
	}
	return root{
		b:     rootBits + int(math.Ceil(math.Log2(quotient+e)/2)),
		least: int64(math.Exp2(math.Floor(math.Log2(quotient)) - 4)),
		e:     e,
	}
}

func (r root) function() function {
	at := func(q int64) int64 {
		return round(math.Ldexp(1, r.b) / math.Sqrt(max(float64(max(q, r.least))+r.e, 1)))
	}
	return function{key: fmt.Sprintf("root %d %d %x", r.b, r.least, math.Float64bits(r.e)), lo: 0, hi: at(r.least), apply: at}
}
