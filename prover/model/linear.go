package model

import (
	"math"
	"slices"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
)

// linear is a sum that is no tensor of the graph yet: Σ terms + bias, then funcs in order.
// shape is that of the accumulator; it may differ from the value's in axes of length one
// and, as the cells keep their order, in the way they are counted.
type linear struct {
	name    string
	terms   []term
	bias    *constant // nil: none
	shape   []int
	channel int
	funcs   []float.Scalar
	reach   float64          // magnitude of the first function's arguments; 0: unknown
	pooled  bool             // a term sums a window or has the cells of trees, which no convolution should read
	wide    bool             // its cells need all of the shift to be divided precisely: it joins no other sum
	given   *float.Quantized // scale and domain that the model states for its tensor; nil: none
}

// term is gain · tensor, gain · cells · tensor, gain · convolution of tensor, or gain ·
// product of tensor and second, where a cell of what the gain multiplies stands for scale.
type term struct {
	tensor  int
	second  int // right operand of the product
	scale   float64
	gain    []float64      // by channel of the sum, or one for all; one for a product
	cells   *constant      // factors within a channel; nil: ones
	conv    *graph.Conv    // nil: no convolution
	w       []float32      // in the order of graph.Weights
	grid    []float64      // by channel: weights are integers times it; nil: any numbers
	product *graph.Product // nil: no product
}

// constant broadcasts: each dimension is one or that of the sum.
type constant struct {
	shape []int
	data  []float64
}

func plain(name string, b *builder, tensor int, scale float64) *linear {
	return &linear{
		name: name, shape: b.shapes[tensor], channel: b.channel[tensor],
		terms: []term{{tensor: tensor, scale: scale, gain: []float64{1}}},
	}
}

// plain tells whether the sum is one tensor, scaled and shifted.
func (l *linear) plain() bool {
	t := &l.terms[0]
	return len(l.terms) == 1 && t.conv == nil && t.cells == nil && t.product == nil && len(l.funcs) == 0 && !l.pooled && !l.wide
}

// cell is what one in a cell stands for, if the sum is one tensor times a number, else 0.
func (l *linear) cell() float64 {
	t := &l.terms[0]
	if len(l.terms) > 1 || t.conv != nil || t.cells != nil || t.product != nil || len(t.gain) > 1 || l.bias != nil {
		return 0
	}
	return math.Abs(t.gain[0]) * t.scale
}

// clone is a copy of a plain sum that may be changed.
func (l *linear) clone() *linear {
	c := *l
	c.terms = slices.Clone(l.terms)
	for i := range c.terms {
		c.terms[i].gain = slices.Clone(c.terms[i].gain)
	}
	if l.bias != nil {
		bias := *l.bias
		c.bias = &bias
	}
	return &c
}

func (l *linear) hasProduct() bool {
	return slices.ContainsFunc(l.terms, func(t term) bool { return t.product != nil })
}

func (l *linear) hasConv() bool {
	return slices.ContainsFunc(l.terms, func(t term) bool { return t.conv != nil })
}

// fit gives a constant, which broadcasts to the value's shape, the rank of the sum. It
// reports false when the sum counts its cells in another way.
func (l *linear) fit(c float.Tensor, value []int) (constant, bool) {
	out := constant{shape: make([]int, len(l.shape)), data: make([]float64, len(c.Data))}
	for i, v := range c.Data {
		out.data[i] = float64(v)
	}
	if len(c.Data) == 1 {
		for i := range out.shape {
			out.shape[i] = 1
		}
		return out, true
	}
	k := 0
	for i, d := range l.shape {
		out.shape[i] = 1
		if d == 1 {
			continue
		}
		for k < len(value) && value[k] == 1 {
			k++
		}
		if k == len(value) || value[k] != d {
			return out, false
		}
		out.shape[i] = c.Shape[k]
		k++
	}
	return out, true
}

// perChannel is the constant as one number for all channels or one for each; it reports
// false when the constant varies along another axis.
func (l *linear) perChannel(c constant) ([]float64, bool) {
	return c.data, len(c.data) == 1 || len(c.data) == c.shape[l.channel]
}

// scale multiplies the sum by a constant that varies along the channels only.
func (l *linear) scale(c constant) bool {
	k, ok := l.perChannel(c)
	if !ok || len(l.funcs) > 0 || len(k) > 1 && l.hasProduct() {
		return false
	}
	for i := range l.terms {
		l.terms[i].gain = multiply(l.terms[i].gain, k)
	}
	if l.bias != nil {
		*l.bias = combine(*l.bias, c, func(x, y float64) float64 { return x * y })
	}
	return true
}

// multiply is the product of two lists of one length, or of a list and a list of one.
func multiply(a, b []float64) []float64 {
	if len(a) < len(b) {
		a, b = b, a
	}
	out := slices.Clone(a)
	for i := range out {
		out[i] *= b[i%len(b)]
	}
	return out
}

func (l *linear) addBias(c constant) {
	if l.bias == nil {
		l.bias = &c
		return
	}
	*l.bias = combine(*l.bias, c, func(x, y float64) float64 { return float64(x) + float64(y) })
}

// combine applies f to two constants of one rank, broadcast to each other.
func combine(a, b constant, f func(x, y float64) float64) constant {
	out := constant{shape: make([]int, len(a.shape))}
	for i := range a.shape {
		out.shape[i] = max(a.shape[i], b.shape[i])
	}
	out.data = make([]float64, graph.Elements(out.shape))
	index := make([]int, len(out.shape))
	for i := range out.data {
		rest := i
		for d := len(index) - 1; d >= 0; d-- {
			index[d] = rest % out.shape[d]
			rest /= out.shape[d]
		}
		out.data[i] = f(a.at(index), b.at(index))
	}
	return out
}

// most is the largest magnitude.
func (c *constant) most() float64 {
	most := 0.0
	for _, v := range c.data {
		most = max(most, math.Abs(v))
	}
	return most
}

func (c *constant) at(index []int) float64 {
	i := 0
	for d, n := range c.shape {
		i *= n
		if n > 1 {
			i += index[d]
		}
	}
	return c.data[i]
}

// perChannel is a constant that varies along one of rank axes.
func perChannel(data []float64, rank, channel int) constant {
	c := constant{shape: make([]int, rank), data: data}
	for i := range c.shape {
		c.shape[i] = 1
	}
	c.shape[channel] = len(data)
	return c
}

func (l *linear) negate() {
	minus := constant{shape: make([]int, len(l.shape)), data: []float64{-1}}
	for i := range minus.shape {
		minus.shape[i] = 1
	}
	l.scale(minus)
}

// depthwise turns terms with one gain for each channel into convolutions, for a multiplier
// of an accumulator holds for all its channels. Factors within a channel take gains up.
func (l *linear) depthwise() {
	n := l.shape[l.channel]
	for i := range l.terms {
		t := &l.terms[i]
		if t.conv != nil || len(t.gain) == 1 {
			continue
		}
		if t.cells != nil {
			gain := perChannel(t.gain, len(l.shape), l.channel)
			cells := combine(*t.cells, gain, func(x, y float64) float64 { return x * y })
			t.cells, t.gain = &cells, []float64{1}
			continue
		}
		t.conv = &graph.Conv{Channel: l.channel, InChannels: n, OutChannels: n, Groups: n}
		t.w = make([]float32, n)
		for c := range t.w {
			t.w[c] = 1
		}
		if l.given != nil {
			t.grid = slices.Repeat([]float64{1}, n)
		}
	}
}

// gainOf is the gain of a term at a channel.
func (t *term) gainOf(channel int) float64 {
	if len(t.gain) == 1 {
		return t.gain[0]
	}
	return t.gain[channel]
}
