package model

import (
	"math"

	"github.com/weisyn/wes/prover/graph"
)

const (
	// givenError is what the rounded multipliers of a sum may add to a quotient, in steps, where scales are
	// given; coarseError where that avoids shifts beyond fastShift, which cost a look-up more.
	givenError, coarseError = 1.0 / 32, 1.0 / 8
	fastShift               = 14
	biasBits                = 6       // of a step, to which a bias is rounded that is on no grid
	mostInteger             = 1 << 16 // of weights on a grid
	revealedBits            = 15      // of the factor of the coarsest channel of a revealed sum
)

// onGrid gives a convolution the grid of its weights, if they lie on it: gain is what they were multiplied by,
// one number or one for each input channel.
func (t *term) onGrid(grid []float32, gain []float64, channels int) {
	if grid == nil || len(gain) != 1 {
		return
	}
	steps := make([]float64, channels)
	for c := range steps {
		steps[c] = float64(grid[c%len(grid)]) * gain[0]
		for _, v := range t.row(c, channels) {
			if !isInteger(float64(v), steps[c]) {
				return
			}
		}
	}
	t.grid = steps
}

// isInteger tells whether a weight is an integer times a step, as far as float32 can say.
func isInteger(v, step float64) bool {
	if v == 0 {
		return true
	}
	q := math.Abs(v / step)
	return q < mostInteger && math.Abs(q-math.Round(q)) < 1.0/64
}

// onGrids tells whether all convolutions of a sum have weights on grids, or its scale is given and it has none.
func (l *linear) onGrids() bool {
	grids := l.given != nil
	for i := range l.terms {
		t := &l.terms[i]
		if t.conv != nil && t.grid == nil {
			return false
		}
		grids = grids || t.grid != nil
	}
	return grids
}

// forgetGrids leaves the weights of a sum any numbers: each is rounded by itself.
func (l *linear) forgetGrids() {
	for i := range l.terms {
		l.terms[i].grid = nil
	}
}

// factor is what a sum multiplies integers by at a channel.
type factor struct {
	k     float64 // in quotients
	reach float64 // magnitude of the integers, those of which the quotient is clamped left out
	most  float64 // the largest factor that the integers of the graph have room for
}

// factors lists those of a sum's terms at a channel, in units of a quotient of that scale; no quotient counts
// beyond top.
func (b *builder) factors(l *linear, scale float64, channel int, top float64) []factor {
	list := make([]factor, len(l.terms))
	for i := range l.terms {
		t, f := &l.terms[i], &list[i]
		v := b.bound(t)
		most := float64(max(v.Hi, -v.Lo))
		f.k, f.reach, f.most = math.Abs(t.gainOf(channel))*t.scale/scale, most, 1<<30
		switch {
		case t.grid != nil:
			row := t.row(channel, l.shape[l.channel])
			largest, plus, minus := extremes(row)
			step := math.Abs(t.grid[channel])
			if largest == 0 || step == 0 {
				*f = factor{most: 1}
				continue
			}
			f.k *= step
			f.reach = (plus + minus) / step * most
			f.most = (graph.MaxWeight - 1) / math.Round(largest/step)
		case t.cells != nil:
			f.k *= t.cells.most()
		case t.product != nil:
			f.reach = math.Inf(1) // it is multiplied precisely however small it is
		}
		if f.k > 0 {
			f.reach = min(f.reach, top/f.k)
		}
	}
	return list
}

// need is the least shift with which rounding the factor changes a quotient by at most e.
func (f *factor) need(e float64) int {
	s := 0
	for s < graph.MaxShift && f.reach > 0 && math.Ldexp(f.reach, -s-1) > e && (math.IsInf(f.reach, 1) || f.k*f.reach > e) {
		s++
	}
	return s
}

// limit is the largest shift that leaves the factor room.
func (f *factor) limit() int {
	s := graph.MaxShift
	for s > 0 && math.Ldexp(f.k, s) > f.most {
		s--
	}
	return s
}

// gridShifts chooses the shifts of a sum on grids: one for all channels, less where weights would leave their
// width. Nothing of the sum is rounded but its factors.
func (b *builder) gridShifts(l *linear, scale float64, o *Options) []int {
	top := float64(o.top())
	if l.given != nil {
		top = float64(l.given.Top()) * float64(l.given.Scale) / scale
	}
	n := l.shape[l.channel]
	all := make([][]factor, n)
	fine, coarse := 0, 0
	for c := range all {
		all[c] = b.factors(l, scale, c, top)
		for i := range all[c] {
			fine, coarse = max(fine, all[c][i].need(givenError)), max(coarse, all[c][i].need(coarseError))
		}
	}
	want := fine
	if coarse <= fastShift {
		want = min(fine, fastShift)
	}
	least := 0
	if l.bias != nil && !l.biasOnGrid() {
		want, least = max(want, biasBits), biasBits
	}
	s := make([]int, n)
	for c := range s {
		s[c] = want
		for i := range all[c] {
			s[c] = min(s[c], all[c][i].limit())
		}
	}
	if e := exactShift(all, least, want); e <= want {
		return []int{e}
	}
	return spread(s, b.measure(l, scale).total, l.single())
}

// exactShift is the least shift with which no factor is rounded, more than most if there is none.
func exactShift(all [][]factor, least, most int) int {
	for s := least; s <= most; s++ {
		exact := true
		for _, list := range all {
			for i := range list {
				m := math.Ldexp(list[i].k, s)
				exact = exact && m == math.Trunc(m) && m <= list[i].most
			}
		}
		if exact {
			return s
		}
	}
	return most + 1
}

// biasStep is what the bias of a sum of one convolution counts in at a channel, 0 if it has no grid.
func (l *linear) biasStep(channel int) float64 {
	t := &l.terms[0]
	if len(l.terms) != 1 || t.grid == nil {
		return 0
	}
	return t.gainOf(channel) * t.scale * t.grid[channel]
}

// biasOnGrid tells whether the bias is in whole steps of the sum.
func (l *linear) biasOnGrid() bool {
	on := true
	eachChannel(l.bias, l.channel, l.shape[l.channel], func(c int, v float64) {
		_, ok := wholeSteps(v, l.biasStep(c))
		on = on && ok
	})
	return on
}

// wholeSteps is a bias in steps, if those are an integer as far as float32 can say.
func wholeSteps(v, step float64) (n float64, ok bool) {
	if v == 0 {
		return 0, true
	}
	if step == 0 {
		return 0, false
	}
	n = math.Round(v / step)
	return n, math.Abs(v/step-n) <= math.Ldexp(math.Abs(n), -22)+1.0/(1<<20)
}

// gridUnit is the unit of a revealed sum of one convolution on a grid: a step of its integers where all channels
// have one, else one that is fine enough for each. It is 0 without a grid.
func (l *linear) gridUnit() float64 {
	most, least := 0.0, math.Inf(1)
	for c := range l.shape[l.channel] {
		step := math.Abs(l.biasStep(c))
		most, least = max(most, step), min(least, step)
	}
	if most == least {
		return most
	}
	return most / (1 << revealedBits)
}
