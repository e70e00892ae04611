package model

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/weisyn/wes/prover/graph"
)

const (
	exact32   = 1 << 24 // float32 executes accumulators below this exactly
	splitRuns = 16      // into which an executor splits a matrix product at little cost
	maxSpread = 7       // between the shifts of a layer's channels
	plainBits = 3       // by which a multiplier is wider than the cells that it applies to
	idBits    = 5       // by which the weights of ids are finer than their sum
	fewBits   = 8       // weights are not narrowed below this width to reach exact32
)

// magnitudes are what the shifts of a sum follow from, by channel, in units of its quotient.
type magnitudes struct {
	weight []float64 // largest weight of a convolution
	total  []float64 // bound of the sum
}

// measure states magnitudes of a sum whose quotient has the given scale.
func (b *builder) measure(l *linear, scale float64) magnitudes {
	n := l.shape[l.channel]
	m := magnitudes{make([]float64, n), make([]float64, n)}
	for i := range l.terms {
		t := &l.terms[i]
		bound := b.bound(t)
		up, down := float64(max(bound.Hi, 0)), float64(max(-bound.Lo, 0))
		for c := range n {
			unit := math.Abs(t.gainOf(c)) * t.scale / scale
			if t.conv == nil {
				if t.cells != nil {
					unit *= t.cells.most()
				}
				m.total[c] += float64(unit * max(up, down))
				continue
			}
			most, plus, minus := extremes(t.row(c, n))
			if t.conv.Ids {
				m.weight[c] = max(m.weight[c], most*unit)
				m.total[c] += float64(most * unit)
				continue
			}
			m.weight[c] = max(m.weight[c], most*unit)
			m.total[c] += float64(unit * max(float64(plus*up)+float64(minus*down), float64(plus*down)+float64(minus*up)))
		}
	}
	if l.bias != nil {
		bias := make([]float64, n)
		eachChannel(l.bias, l.channel, n, func(c int, v float64) { bias[c] = max(bias[c], math.Abs(v)) })
		for c, v := range bias {
			m.total[c] += v / scale
		}
	}
	return m
}

// row is the weights of a channel of a convolution with n of them.
func (t *term) row(channel, n int) []float32 {
	size := len(t.w) / n
	return t.w[channel*size:][:size]
}

// extremes are the largest magnitude and the sums of the positive and negated negative
// values.
func extremes(w []float32) (most, plus, minus float64) {
	for _, v := range w {
		most = max(most, math.Abs(float64(v)))
		plus += max(float64(v), 0)
		minus += max(-float64(v), 0)
	}
	return most, plus, minus
}

// eachChannel calls f with every value of a constant for every one of n channels that it
// reaches.
func eachChannel(c *constant, channel, n int, f func(channel int, v float64)) {
	inner, d := graph.Elements(c.shape[channel+1:]), c.shape[channel]
	for i, v := range c.data {
		if d > 1 {
			f(i/inner%d, v)
			continue
		}
		for k := range n {
			f(k, v)
		}
	}
}

// shifts chooses the shift of a sum: one for all channels when a term is no convolution,
// else one for each. It is the largest that keeps weights within their width, and less
// where that lets float32 execute the accumulator, or where a channel alone would widen the
// domain of the table, which is bounded by the largest accumulator over the smallest shift.
func (b *builder) shifts(l *linear, m magnitudes, o *Options) []int {
	most := b.usefulShift(l, o)
	single, width, exact := l.single(), o.WeightBits, l.exact()
	if single {
		width = min(width+4, 16)
	}
	s := make([]int, len(m.weight))
	for c := range s {
		s[c] = channelShift(m.weight[c], m.total[c], exact, width, most)
	}
	return spread(s, m.total, single)
}

// single tells whether all channels have one shift, as a multiplier of a tensor has none for each.
func (l *linear) single() bool {
	return slices.ContainsFunc(l.terms, func(t term) bool { return t.conv == nil })
}

// spread lessens shifts that differ too much; total bounds the quotients of the channels.
func spread(s []int, total []float64, single bool) []int {
	least := slices.Min(s)
	if single {
		return []int{least}
	}
	widest, uniform := 0.0, true
	for _, t := range total {
		widest = max(widest, t)
	}
	for c := range s {
		s[c] = min(s[c], least+maxSpread)
		for s[c] > least && math.Ldexp(total[c], s[c]-least) > 2*widest {
			s[c]--
		}
		uniform = uniform && s[c] == s[0]
	}
	if uniform {
		return s[:1]
	}
	return s
}

// usefulShift is the shift beyond which finer weights gain nothing: the errors of all
// weights, rounded independently, add to about a tenth of a step of the output when
// activations average a quarter of their largest value. A multiplier, whose error grows with
// the cells that it applies to, is a few bits wider than they are.
func (b *builder) usefulShift(l *linear, o *Options) int {
	s, depth := 0, 0
	for i := range l.terms {
		t := &l.terms[i]
		if t.conv == nil {
			v := b.bound(t)
			s = max(s, bits.Len64(uint64(max(v.Hi, -v.Lo)))+plainBits)
			continue
		}
		if !t.conv.Ids {
			depth += len(t.w) / t.conv.OutChannels
			continue
		}
		s = max(s, idBits)
	}
	errors := math.Sqrt(float64(depth)/12) * float64(o.top()) / 4
	for s < o.MaxShift && math.Ldexp(errors, -s) > 0.1 {
		s++
	}
	return min(s, o.MaxShift)
}

// exact bounds the accumulators that float32 executes exactly: matrix products in several runs.
func (l *linear) exact() float64 {
	for i := range l.terms {
		if c := l.terms[i].conv; c != nil && len(c.Spatial) > 0 {
			return exact32
		}
	}
	return exact32 * splitRuns
}

// channelShift keeps weights within their width, and totals below exact unless weights would have
// fewBits.
func channelShift(weight, total, exact float64, width, most int) int {
	limit := float64(int64(1)<<(width-1) - 1)
	s := most
	for s > 0 && math.Ldexp(weight, s) > limit {
		s--
	}
	for s > 0 && math.Ldexp(total, s) >= exact && math.Ldexp(weight, s) > 1<<(fewBits-1) {
		s--
	}
	return s
}

// accumulator is a quantised sum.
type accumulator struct {
	acc     graph.Accumulator
	inputs  []int
	weights graph.Weights
	shift   []int
}

// quantize states a sum in integers: unit(c) of them make one quotient of the given scale
// at channel c.
func (b *builder) quantize(l *linear, scale float64, unit func(channel int) float64) (*accumulator, error) {
	a := &accumulator{acc: graph.Accumulator{Channel: l.channel}}
	n := l.shape[l.channel]
	var bounds []graph.Interval
	for i := range l.terms {
		t := &l.terms[i]
		tensor := t.tensor
		if t.cells != nil {
			var err error
			if tensor, err = b.quantizeCells(l.name, t, t.gain[0]*t.scale/scale*unit(0)); err != nil {
				return nil, err
			}
		}
		a.inputs = append(a.inputs, tensor)
		bounds = append(bounds, b.bounds[tensor])
		if t.cells != nil {
			a.acc.Terms = append(a.acc.Terms, graph.Term{Mult: 1})
			continue
		}
		if t.conv == nil {
			m, err := t.multiplier(t.gain[0] * t.scale / scale * unit(0))
			if err != nil {
				return nil, err
			}
			a.acc.Terms = append(a.acc.Terms, graph.Term{Product: t.product, Mult: m})
			continue
		}
		w, err := t.quantize(n, scale, unit)
		if err != nil {
			return nil, err
		}
		conv := *t.conv
		conv.Weight = len(a.weights)
		a.weights = append(a.weights, w)
		a.acc.Terms = append(a.acc.Terms, graph.Term{Conv: &conv})
	}
	for i := range l.terms {
		if l.terms[i].product != nil {
			a.inputs = append(a.inputs, l.terms[i].second)
			bounds = append(bounds, b.bounds[l.terms[i].second])
		}
	}
	if err := a.quantizeBias(l, scale, unit); err != nil {
		return nil, err
	}
	bound, err := a.acc.Bound(bounds, a.weights, n)
	a.acc.Lo, a.acc.Hi = bound.Lo, bound.Hi
	return a, err
}

// quantizeCells is the tensor of a term times k and its factors.
func (b *builder) quantizeCells(name string, t *term, k float64) (int, error) {
	coef := graph.Constant{Shape: t.cells.shape, Data: make([]int64, len(t.cells.data))}
	v := b.bounds[t.tensor]
	limit := graph.MaxExact / float64(max(v.Hi, -v.Lo, 1))
	for i, c := range t.cells.data {
		q := math.Floor(float64(c*k) + 0.5)
		if !(math.Abs(q) < limit) {
			return 0, fmt.Errorf("factor %g is %g in units of its output: the product reaches 2^53", c, q)
		}
		coef.Data[i] = int64(q)
	}
	return b.scaleBy(name, t.tensor, coef), nil
}

func (t *term) quantize(n int, scale float64, unit func(channel int) float64) ([]int32, error) {
	w := make([]int32, 0, len(t.w))
	for c := range n {
		k := t.gainOf(c) * t.scale / scale * unit(c)
		step := 0.0
		if t.grid != nil {
			step, k = t.grid[c], t.multiple(c, unit(c)/scale)
		}
		for _, v := range t.row(c, n) {
			x := float64(v)
			if step != 0 {
				x = math.Round(x / step)
			}
			q := math.Floor(float64(x*k) + 0.5)
			if !(math.Abs(q) < graph.MaxWeight) {
				return nil, fmt.Errorf("weight %g at channel %d is %g in units of its output: more than %d", v, c, q, graph.MaxWeight)
			}
			w = append(w, int32(q))
		}
	}
	return w, nil
}

// multiple is what the integers of weights on a grid are multiplied by at a channel.
func (t *term) multiple(channel int, perUnit float64) float64 {
	return math.Floor(float64(t.gainOf(channel)*t.scale*t.grid[channel]*perUnit) + 0.5)
}

func (a *accumulator) quantizeBias(l *linear, scale float64, unit func(channel int) float64) error {
	if l.bias == nil {
		return nil
	}
	bias := l.bias
	n := l.shape[l.channel]
	if bias.shape[l.channel] == 1 && n > 1 {
		wide := constant{shape: make([]int, len(l.shape)), data: make([]float64, n)}
		for i := range wide.shape {
			wide.shape[i] = 1
		}
		wide.shape[l.channel] = n
		*bias = combine(*bias, wide, func(x, _ float64) float64 { return x })
	}
	out := graph.Constant{Shape: bias.shape, Data: make([]int64, len(bias.data))}
	inner := graph.Elements(bias.shape[l.channel+1:])
	zero := true
	for i, v := range bias.data {
		c := i / inner % n
		k, step := unit(c)/scale, l.biasStep(c)
		if steps, ok := wholeSteps(v, step); ok && step != 0 {
			v, k = steps, l.terms[0].multiple(c, k)
		}
		q := math.Floor(float64(v*k) + 0.5)
		if !(math.Abs(q) < graph.MaxExact) {
			return fmt.Errorf("bias %g is %g in units of its output: it reaches 2^53", v, q)
		}
		out.Data[i] = int64(q)
		zero = zero && q == 0
	}
	if !zero {
		a.acc.Bias = out
	}
	return nil
}

// rescaled quantises a sum for a rescale whose quotient has the given scale.
func (b *builder) rescaled(l *linear, scale float64, o *Options) (*accumulator, error) {
	var s []int
	if l.onGrids() {
		s = b.gridShifts(l, scale, o)
	} else {
		l.forgetGrids()
		s = b.shifts(l, b.measure(l, scale), o)
	}
	a, err := b.quantize(l, scale, func(c int) float64 { return math.Ldexp(1, s[c%len(s)]) })
	if err != nil {
		return nil, err
	}
	a.shift = s
	a.reduce()
	return a, nil
}

// reduce halves an accumulator without convolutions and its shift while that changes no
// quotient.
func (a *accumulator) reduce() {
	for len(a.weights) == 0 && a.shift[0] > 0 {
		odd := int64(0)
		for _, t := range a.acc.Terms {
			odd |= t.Mult & 1
		}
		for _, v := range a.acc.Bias.Data {
			odd |= v & 1
		}
		if odd != 0 {
			return
		}
		for i := range a.acc.Terms {
			a.acc.Terms[i].Mult /= 2
		}
		for i := range a.acc.Bias.Data {
			a.acc.Bias.Data[i] /= 2
		}
		a.acc.Lo, a.acc.Hi = a.acc.Lo/2, a.acc.Hi/2
		a.shift = []int{a.shift[0] - 1}
	}
}
