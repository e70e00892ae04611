package emit

import (
	"slices"

	"github.com/weisyn/wes/prover/graph"
)

// conv is a convolution to emit. Its weights are w[oc][tap][ic], its input lies in bound.
type conv struct {
	*graph.Conv
	mode   Mode
	x      value
	bound  graph.Interval
	w      []int32
	out    []int
	inCh   int // input channels of a group
	taps   int
	chunks int     // runs of input channels whose sums fit float32; 0: none do
	bias   []int64 // one per output channel, or nil
	factor []int64 // by output channel: multiplies what w makes of it; nil: ones
}

func (e *emitter) newConv(g *graph.Conv, x value, bound graph.Interval, out []int) *conv {
	c := &conv{Conv: g, mode: e.mode, x: x, bound: bound, w: e.weights[g.Weight], out: out, inCh: g.InChannels / g.Groups, taps: g.KernelSize()}
	if x.double {
		return c
	}
	c.chunks = c.fewest()
	if c.chunks != 1 {
		if r := c.reduced(); r != nil {
			return r
		}
	}
	return c
}

// fewest is the least number of runs that fit float32, 0 if none does.
func (c *conv) fewest() int {
	for n := 1; n <= min(c.inCh, maxChunks); n++ {
		if c.fits(n) {
			return n
		}
	}
	return 0
}

// maxChunks is the number of float32 parts that still costs less than float64.
const maxChunks = 32

// span is the n-th of chunks equal runs of the input channels.
func (c *conv) span(i, chunks int) (from, to int) {
	return i * c.inCh / chunks, (i + 1) * c.inCh / chunks
}

// fits says whether the partial sums of every run of input channels stay below 2^24, in
// any order.
func (c *conv) fits(chunks int) bool {
	lo, hi := min(c.bound.Lo, 0), max(c.bound.Hi, 0)
	for i := range chunks {
		from, to := c.span(i, chunks)
		for oc := range c.OutChannels {
			var plus, minus int64
			for k := range c.taps {
				for _, v := range c.w[(oc*c.taps+k)*c.inCh:][from:to] {
					plus += max(int64(v), 0)
					minus += min(int64(v), 0)
				}
			}
			if wide(graph.Interval{Lo: plus*lo + minus*hi, Hi: plus*hi + minus*lo}) {
				return false
			}
		}
	}
	return true
}

// conv emits a convolution: in one piece when it fits float32, else in float32 pieces added
// in float64, else in float64.
func (e *emitter) conv(c *conv) value {
	if c.factor != nil {
		return e.multiplied(c)
	}
	if c.chunks == 0 {
		c.x = e.cast(c.x, true)
		return e.linear(c, 0, c.inCh)
	}
	if c.chunks == 1 {
		return e.linear(c, 0, c.inCh)
	}
	var sum value
	for i := range c.chunks {
		from, to := c.span(i, c.chunks)
		part := e.cast(e.linear(c, from, to), true)
		if i > 0 {
			part = e.add(sum, part)
		}
		sum = part
	}
	return sum
}

// linear emits the part of a convolution that reads the channels [from, to) of each group.
func (e *emitter) linear(c *conv, from, to int) value {
	switch {
	case c.isMatMul():
		x := e.slice(c.x, cut{c.Channel, from, 1, to - from})
		w := e.numbers(c.x.double, []int{to - from, c.OutChannels}, func(i int) float64 {
			return float64(c.w[i%c.OutChannels*c.inCh+from+i/c.OutChannels])
		})
		return e.op("MatMul", c.x.double, c.out, []string{x.name, w})
	case c.isNative():
		return e.native(c, from, to)
	}
	return e.patches(c, from, to)
}

func (c *conv) isMatMul() bool {
	return c.Channel == len(c.out)-1 && c.Groups == 1 && len(c.Spatial) == 0
}

// isNative says whether Conv computes it: one to three axes behind the channels, whole
// groups, float32.
func (c *conv) isNative() bool {
	n := len(c.layout().windows)
	return c.mode == NativeConv && !c.x.double && n >= 1 && n <= 3 && (c.Groups == 1 || c.chunks == 1)
}

// foldsBias says whether the operator can add the bias.
func (c *conv) foldsBias(b *graph.Constant) bool {
	return c.factor == nil && !c.isMatMul() && c.isNative() && c.chunks == 1 && perChannel(b, c.Channel, c.OutChannels)
}

// layout is the order of axes in which a convolution is emitted: lead axes that pass
// through, the channels, then one window for each axis left.
type layout struct {
	perm    []int
	lead    int
	windows []graph.Window // Axis counts in the new order with all lead axes as one
}

func (c *conv) layout() layout {
	windows := make([]graph.Window, len(c.out))
	for a, n := range c.out {
		windows[a] = graph.Window{Kernel: 1, Stride: 1, Dilation: 1, Out: n}
	}
	spatial := make([]bool, len(c.out))
	for _, w := range c.Spatial {
		windows[w.Axis], spatial[w.Axis] = w, true
	}
	var l layout
	for a := range c.out {
		// Axes behind the channels of a [N, C, …] tensor stay where they are.
		behind := c.Channel == 1 && !spatial[0] && a > 1 || len(c.Spatial) == 0 && c.Channel != 1
		if a != c.Channel && !spatial[a] && !behind {
			l.perm = append(l.perm, a)
		}
	}
	l.lead = len(l.perm)
	l.perm = append(l.perm, c.Channel)
	for a := range c.out {
		if !slices.Contains(l.perm, a) {
			w := windows[a]
			w.Axis = 2 + len(l.windows)
			l.perm, l.windows = append(l.perm, a), append(l.windows, w)
		}
	}
	return l
}

// arrange brings the input into the layout [lead, channels, windows…].
func (e *emitter) arrange(c *conv, l layout) value {
	x := e.transpose(c.x, l.perm)
	shape := append([]int{graph.Elements(x.shape[:l.lead])}, x.shape[l.lead:]...)
	return e.reshape(x, shape)
}

// restore brings a result in the layout [lead, channels, windows…] to the output's shape.
func (e *emitter) restore(c *conv, l layout, y value) value {
	shape, back := make([]int, len(l.perm)), make([]int, len(l.perm))
	for i, p := range l.perm {
		shape[i], back[p] = c.out[p], i
	}
	return e.transpose(e.reshape(y, shape), back)
}

// native emits a Conv.
func (e *emitter) native(c *conv, from, to int) value {
	l := c.layout()
	x := e.arrange(c, l)
	if c.chunks > 1 {
		x = e.slice(x, cut{1, from, 1, to - from})
	}
	shape := []int{x.shape[0], c.OutChannels}
	kernel := []int{c.OutChannels, to - from}
	var kernels, strides, dilations, before, after []int
	for _, w := range l.windows {
		end := w.Tap(w.Out-1, w.Kernel-1) - x.shape[w.Axis] + 1
		if end < 0 || w.Pad >= w.Kernel || end >= w.Kernel {
			x = e.reach(x, w)
			w.Pad, end = 0, 0
		}
		shape, kernel = append(shape, w.Out), append(kernel, w.Kernel)
		kernels, strides, dilations = append(kernels, w.Kernel), append(strides, w.Stride), append(dilations, w.Dilation)
		before, after = append(before, w.Pad), append(after, end)
	}
	inputs := []string{x.name, e.kernel(c, kernel, from, to)}
	if c.bias != nil {
		inputs = append(inputs, e.numbers(false, []int{c.OutChannels}, func(i int) float64 { return float64(c.bias[i]) }))
	}
	y := e.op("Conv", false, shape, inputs, intsAttr("dilations", dilations), intAttr("group", c.Groups),
		intsAttr("kernel_shape", kernels), intsAttr("pads", append(before, after...)), intsAttr("strides", strides))
	return e.restore(c, l, y)
}

// kernel is the weights of the channels [from, to) of each group in the order
// [oc][ic][taps…].
func (e *emitter) kernel(c *conv, shape []int, from, to int) string {
	ordered := make([]int32, 0, graph.Elements(shape))
	for oc := range c.OutChannels {
		for ic := from; ic < to; ic++ {
			for tap := range c.taps {
				ordered = append(ordered, c.w[(oc*c.taps+tap)*c.inCh+ic])
			}
		}
	}
	return e.numbers(c.x.double, shape, func(i int) float64 { return float64(ordered[i]) })
}

// reach pads and cuts an axis so that it holds the taps of a window, no more.
func (e *emitter) reach(x value, w graph.Window) value {
	length := (w.Out-1)*w.Stride + (w.Kernel-1)*w.Dilation + 1
	before, after := make([]int, len(x.shape)), make([]int, len(x.shape))
	before[w.Axis] = w.Pad
	after[w.Axis] = max(0, length-w.Pad-x.shape[w.Axis])
	return e.slice(e.pad(x, before, after), cut{w.Axis, 0, 1, length})
}

// patches emits a convolution as a product with the cells under the kernel:
// [group, oc, ic·tap] × [lead, group, ic·tap, position].
func (e *emitter) patches(c *conv, from, to int) value {
	l := c.layout()
	x := e.arrange(c, l)
	for _, w := range l.windows {
		x = e.reach(x, w)
	}
	positions := 1
	for _, w := range l.windows {
		positions *= w.Out
	}
	lead, n := x.shape[0], to-from
	parts := make([]value, c.taps)
	for i := range parts {
		parts[i] = e.reshape(e.tap(x, l.windows, i), []int{lead, c.InChannels, 1, positions})
	}
	all := e.reshape(e.concat(parts, 2), []int{lead, c.Groups, c.inCh, c.taps, positions})
	all = e.reshape(e.slice(all, cut{2, from, 1, n}), []int{lead, c.Groups, n * c.taps, positions})
	w := e.kernel(c, []int{c.Groups, c.OutChannels / c.Groups, n * c.taps}, from, to)
	y := e.op("MatMul", c.x.double, []int{lead, c.Groups, c.OutChannels / c.Groups, positions}, []string{w, all.name})
	shape := []int{lead, c.OutChannels}
	for _, w := range l.windows {
		shape = append(shape, w.Out)
	}
	return e.restore(c, l, e.reshape(y, shape))
}

// tap is what the i-th kernel position reads at every output position.
func (e *emitter) tap(x value, windows []graph.Window, i int) value {
	var cuts []cut
	for j := len(windows) - 1; j >= 0; j-- {
		w := windows[j]
		cuts = append(cuts, cut{w.Axis, i % w.Kernel * w.Dilation, w.Stride, w.Out})
		i /= w.Kernel
	}
	return e.slice(x, cuts...)
}
