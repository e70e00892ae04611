package emit

import "slices"

// reduced is a convolution with the common factor of the weights of every output channel taken out, nil if it
// needs no fewer runs: weights on a grid are small integers times a factor that is not.
func (c *conv) reduced() *conv {
	r := *c
	r.w, r.factor = slices.Clone(c.w), make([]int64, c.OutChannels)
	row := len(c.w) / c.OutChannels
	for oc := range r.factor {
		w := r.w[oc*row:][:row]
		f := commonFactor(w)
		for i := range w {
			w[i] = int32(int64(w[i]) / f)
		}
		r.factor[oc] = f
	}
	r.chunks = r.fewest()
	if r.chunks == 0 || c.chunks > 0 && r.chunks >= c.chunks {
		return nil
	}
	return &r
}

// commonFactor is the greatest common divisor of weights, 1 if all are zero.
func commonFactor(w []int32) int64 {
	f := int64(0)
	for _, v := range w {
		for a := max(int64(v), -int64(v)); a != 0; {
			f, a = a, f%a
		}
	}
	return max(f, 1)
}

// multiplied emits a reduced convolution and its factors, in float64.
func (e *emitter) multiplied(c *conv) value {
	factor := c.factor
	c.factor = nil
	y := e.cast(e.conv(c), true)
	shape := slices.Repeat([]int{1}, len(c.out))
	shape[c.Channel] = c.OutChannels
	return e.binary("Mul", y, e.numbers(true, shape, func(i int) float64 { return float64(factor[i]) }))
}
