package model

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
)

const (
	// expBits is the width of exponentials.
	expBits = 12
	// expOne is exp(0), so that a sum of n of them stays below n·2^expBits.
	expOne = 1<<expBits - 1
	// shareBits is the width of a softmax's results: 1 is 2^shareBits.
	shareBits = 11
	// sumBits bounds the quotients of a softmax's sums, for each of which a table has the
	// reciprocal; those of few cells stay below lineBits times as many.
	sumBits, lineBits = 16, 9
	// reciprocalBits is where the reciprocal of the quotient 1 would be, 2^reciprocalBits.
	reciprocalBits = 22
	// shareShift is the largest shift of the product of exponential and reciprocal.
	shareShift = 14
)

// softmax divides exponentials by their sum. For a line x of scale S with n cells and maximum m:
//
//	e_k = round((2^12 − 1)·exp(−(m − x_k)·S))    0 where a cell takes no part
//	R   = round(2^b / floor(Σ e/2^s + 1/2))
//	y_k = floor(e_k·R/2^t + 1/2)                 1 is 2^11
//
// with b + s − t = 11. Every step is a rescale with a table, so the result is unique.
func (l *lowering) softmax(n *float.Node, op *float.Softmax) (value, error) {
	x, scale, err := l.scores(n, op)
	if err != nil {
		return value{}, err
	}
	e, err := l.exponentials(n.Name, x, scale, op)
	if err != nil {
		return value{}, err
	}
	length := l.b.shapes[x][op.Axis]
	sum := l.b.sumWindow(n.Name, e, graph.Window{Axis: op.Axis, Kernel: length, Stride: 1, Dilation: 1, Out: 1})
	s := max(expBits-lineBits, expBits+bits.Len(uint(length-1))-sumBits)
	b := min(reciprocalBits, shareShift+shareBits-s)
	r, err := l.integer(n.Name, []graph.Term{{Mult: 1}}, graph.Constant{}, []int{sum}, s, reciprocal(b, expOne>>s))
	if err != nil {
		return value{}, err
	}
	if l.rounded(n.Output) {
		return value{lin: l.shares(n.Name, e, r, op.Axis, math.Ldexp(1, -b-s))}, nil
	}
	y, err := l.share(n.Name, e, r, op.Axis, b+s-shareBits)
	return value{tensor: y, scale: math.Ldexp(1, -shareBits)}, err
}

// scores is the tensor that a softmax reads. Cells that take no part have its least value.
func (l *lowering) scores(n *float.Node, op *float.Softmax) (tensor int, scale float64, err error) {
	id := n.Inputs[0]
	if op.Keep.Data == nil {
		return l.tensor(id)
	}
	lin, kept, err := l.joinable(n, op.Keep)
	if err != nil {
		return 0, 0, err
	}
	top := l.tops[id]
	scale = max(l.scales[id], l.finest(lin))
	below := slices.Max(l.b.measure(lin, 1).total) + float64(top+1)*scale
	for i, k := range kept.data {
		kept.data[i] = (k - 1) * below
	}
	lin.addBias(kept)
	lin.name = n.Name
	tensor, scale, err = l.rescaleExactly(lin, scale, top)
	return l.b.reshape(n.Name, tensor, n.Shape), scale, err
}

// exponentials are those of the differences from the maximum of each line.
func (l *lowering) exponentials(name string, x int, scale float64, op *float.Softmax) (int, error) {
	shape, v := l.b.shapes[x], l.b.bounds[x]
	most := l.b.broadcast(name, l.largestOf(name, x, op.Axis), op.Axis, shape[op.Axis])
	width := v.Hi - v.Lo
	var bias graph.Constant
	if op.Keep.Data != nil {
		bias = graph.Constant{Shape: op.Keep.Shape, Data: make([]int64, len(op.Keep.Data))}
		for i, k := range op.Keep.Data {
			if k == 0 {
				bias.Data[i] = width + 1
			}
		}
	}
	f := function{key: fmt.Sprintf("exp %x %d", math.Float64bits(scale), width), lo: 0, hi: expOne}
	f.apply = func(d int64) int64 {
		if d > width {
			return 0
		}
		return round(expOne * math.Exp(float64(-max(d, 0))*scale))
	}
	return l.integer(name, []graph.Term{{Mult: 1}, {Mult: -1}}, bias, []int{most, x}, 0, f)
}

// largestOf is the maximum along an axis: of both halves, overlapping if the length is odd.
func (l *lowering) largestOf(name string, x, axis int) int {
	for n := l.b.shapes[x][axis]; n > 1; n = l.b.shapes[x][axis] {
		half := (n + 1) / 2
		low := l.b.slice(name, x, graph.Slice{Axis: axis, Step: 1, Len: half})
		x = l.b.max(name, low, l.b.slice(name, x, graph.Slice{Axis: axis, Start: n - half, Step: 1, Len: half}))
	}
	return x
}

// reciprocal is round(2^b/q) for quotients from least on.
func reciprocal(b int, least int64) function {
	at := func(q int64) int64 { return round(math.Ldexp(1, b) / float64(max(q, least))) }
	return function{key: fmt.Sprintf("reciprocal %d %d", b, least), lo: 0, hi: at(0), apply: at}
}

// share is floor(e·r/2^shift + 1/2), clamped to 1.
func (l *lowering) share(name string, e, r, axis, shift int) (int, error) {
	lin := l.shares(name, e, r, axis, 1)
	t := &lin.terms[0]
	acc := graph.Accumulator{Terms: []graph.Term{{Product: t.product, Mult: 1}}, Channel: lin.channel}
	return l.integerSum(name, acc, lin.shape, []int{t.tensor, t.second}, shift, clamp(0, 1<<shareBits))
}

// shares is the sum e·r, with one r for each line of e along an axis. One in it stands for scale.
func (l *lowering) shares(name string, e, r, axis int, scale float64) *linear {
	p := &graph.Product{Length: 1}
	shape := l.b.shapes[e]
	for a := range shape {
		p.Left = append(p.Left, a)
		if a == axis {
			a = graph.Contracted
		}
		p.Right = append(p.Right, a)
	}
	p.Left = append(p.Left, graph.Contracted)
	channel := l.b.channel[e]
	e = l.b.reshape(name, e, append(slices.Clone(shape), 1))
	return &linear{
		name: name, shape: shape, channel: channel,
		terms: []term{{tensor: e, second: r, scale: scale, gain: []float64{1}, product: p}},
	}
}
