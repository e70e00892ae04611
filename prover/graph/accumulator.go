package graph

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Accumulator is an exact integer sum: acc = Σ_t term_t + Bias. Term t reads input t
// of its node; a product reads a second one, see Seconds.
type Accumulator struct {
	Terms   []Term
	Bias    Constant // zero value: no bias
	Channel int      // axis that convolutions write and that a proof stores lowest
	// Lo and Hi bound the accumulator and every partial sum of it, in any order.
	Lo, Hi int64
}

// Term is one summand: a convolution of its input, or Mult times a product of two inputs,
// or Mult times its input. At most one of Conv and Product is set.
type Term struct {
	Conv    *Conv
	Product *Product
	Mult    int64 // no factor of a convolution
}

// Conv is a linear map with committed weights w[oc][k_0][k_1]…[ic], ic < InChannels/Groups:
//
//	out(…, p_s, …, oc) = Σ_{k, ic} w[oc][k][ic] · x(…, p_s·Stride_s + k_s·Dilation_s − Pad_s, …, group(oc)·InChannels/Groups + ic)
//
// over the axes s of Spatial, with zeros outside x. Other axes pass through. A matrix
// product with constant weights is a Conv without spatial axes.
//
// If Ids is set, x is the one-hot vectors of ids: the input has no channel axis, and
// out(…, oc) = w[oc][id(…)]. Only public inputs hold ids, each in [0, InChannels).
type Conv struct {
	Weight      int // index among the weights of the graph, in order of appearance; several may read one
	Channel     int // axis contracted in the input and written in the output
	Ids         bool
	InChannels  int
	OutChannels int
	Groups      int
	Spatial     []Window
}

// Window slides along one axis. Taps that fall outside the axis read zero.
type Window struct {
	Axis     int
	Kernel   int
	Stride   int
	Dilation int
	Pad      int // cells of padding before the axis
	Out      int // length of the output axis
}

// Constant is an integer tensor that broadcasts: each dimension is 1 or that of the
// tensor it meets. The zero value stands for zero.
type Constant struct {
	Shape []int
	Data  []int64
}

// KernelSize is the number of kernel positions, Π_s Kernel_s.
func (c *Conv) KernelSize() int {
	n := 1
	for _, w := range c.Spatial {
		n *= w.Kernel
	}
	return n
}

// WeightCount is the number of weights: OutChannels × KernelSize × InChannels/Groups.
func (c *Conv) WeightCount() int {
	return c.OutChannels * c.KernelSize() * (c.InChannels / c.Groups)
}

// FitsWeightsOf tells whether the weights of two convolutions have one shape.
func (c *Conv) FitsWeightsOf(other *Conv) bool {
	return c.OutChannels == other.OutChannels && c.InChannels == other.InChannels && c.Groups == other.Groups &&
		slices.EqualFunc(c.Spatial, other.Spatial, func(a, b Window) bool { return a.Kernel == b.Kernel })
}

func (w Window) check(length int) error {
	if w.Kernel < 1 || w.Stride < 1 || w.Dilation < 1 || w.Pad < 0 || w.Out < 1 ||
		w.Kernel > MaxElements || w.Stride > MaxElements || w.Dilation > MaxElements || w.Pad > MaxElements || w.Out > MaxElements {
		return fmt.Errorf("window %+v on an axis of %d", w, length)
	}
	return nil
}

// Tap is the input position of kernel tap k at output position p; it may lie outside the axis.
func (w Window) Tap(p, k int) int { return p*w.Stride + k*w.Dilation - w.Pad }

func (c *Conv) shape(in []int) ([]int, error) {
	if c.Ids {
		return c.idShape(in)
	}
	if c.Channel < 0 || c.Channel >= len(in) || in[c.Channel] != c.InChannels {
		return nil, fmt.Errorf("convolution of %d channels on axis %d of %v", c.InChannels, c.Channel, in)
	}
	if c.Groups < 1 || c.OutChannels < 1 || c.OutChannels > MaxElements || c.InChannels%c.Groups != 0 || c.OutChannels%c.Groups != 0 {
		return nil, fmt.Errorf("%d groups of %d→%d channels", c.Groups, c.InChannels, c.OutChannels)
	}
	out := slices.Clone(in)
	out[c.Channel] = c.OutChannels
	size, last := 1, -1
	for _, w := range c.Spatial {
		if w.Axis <= last || w.Axis >= len(in) || w.Axis == c.Channel {
			return nil, fmt.Errorf("spatial axis %d", w.Axis)
		}
		last = w.Axis
		if err := w.check(in[w.Axis]); err != nil {
			return nil, err
		}
		if size *= w.Kernel; size > MaxElements {
			return nil, fmt.Errorf("kernel of %d positions", size)
		}
		out[w.Axis] = w.Out
	}
	if c.OutChannels > MaxElements/size/(c.InChannels/c.Groups) {
		return nil, fmt.Errorf("more than %d weights", MaxElements)
	}
	return out, nil
}

// idShape inserts the channel axis.
func (c *Conv) idShape(in []int) ([]int, error) {
	if c.Groups != 1 || len(c.Spatial) > 0 || c.InChannels < 1 || c.OutChannels < 1 || c.OutChannels > MaxElements/c.InChannels {
		return nil, fmt.Errorf("%d→%d channels in %d groups and %d windows over ids", c.InChannels, c.OutChannels, c.Groups, len(c.Spatial))
	}
	if c.Channel < 0 || c.Channel > len(in) {
		return nil, fmt.Errorf("channel axis %d behind ids of shape %v", c.Channel, in)
	}
	return slices.Insert(slices.Clone(in), c.Channel, c.OutChannels), nil
}

// checkIds requires that ids are those of a public input, each of a weight.
func (g *Graph) checkIds(n *Node, bounds []Interval) error {
	acc := AccumulatorOf(n.Op)
	if acc == nil {
		return nil
	}
	for i, t := range acc.Terms {
		if t.Conv == nil || !t.Conv.Ids {
			continue
		}
		if _, public := g.Nodes[n.Inputs[i]].Op.(*Input); !public {
			return fmt.Errorf("term %d: ids of input %d, which is no public input", i, n.Inputs[i])
		}
		if b := bounds[i]; b.Lo < 0 || b.Hi >= int64(t.Conv.InChannels) {
			return fmt.Errorf("term %d: ids in [%d, %d] of %d channels", i, b.Lo, b.Hi, t.Conv.InChannels)
		}
	}
	return nil
}

func (a *Accumulator) shape(in [][]int) ([]int, error) {
	if n := a.InputCount(); len(in) != n || n == 0 {
		return nil, fmt.Errorf("%d inputs for %d terms, want %d", len(in), len(a.Terms), n)
	}
	seconds := a.Seconds()
	var out []int
	for i, t := range a.Terms {
		s, err := a.termShape(t, in[i], in[seconds[i]])
		if err != nil {
			return nil, fmt.Errorf("term %d: %w", i, err)
		}
		if i > 0 && !slices.Equal(s, out) {
			return nil, fmt.Errorf("term %d has shape %v, want %v", i, s, out)
		}
		out = s
	}
	if a.Channel < 0 || a.Channel >= len(out) {
		return nil, fmt.Errorf("channel axis %d of %v", a.Channel, out)
	}
	return out, a.Bias.check(out)
}

// termShape is the shape of a term over its input and, for a product, its second one.
func (a *Accumulator) termShape(t Term, in, second []int) ([]int, error) {
	switch {
	case t.Conv != nil && t.Product != nil:
		return nil, errors.New("both a convolution and a product")
	case t.Product != nil:
		return t.Product.shape(in, second)
	case t.Conv == nil:
		return in, nil
	case t.Conv.Channel != a.Channel:
		return nil, fmt.Errorf("writes axis %d, want %d", t.Conv.Channel, a.Channel)
	}
	return t.Conv.shape(in)
}

// check requires the constant to broadcast to shape.
func (c *Constant) check(shape []int) error {
	if c.Shape == nil && c.Data == nil {
		return nil
	}
	if len(c.Shape) != len(shape) {
		return fmt.Errorf("constant of shape %v against %v", c.Shape, shape)
	}
	n := 1
	for i, d := range c.Shape {
		if d != 1 && d != shape[i] {
			return fmt.Errorf("constant of shape %v against %v", c.Shape, shape)
		}
		n *= d
	}
	if n != len(c.Data) {
		return fmt.Errorf("constant of shape %v with %d values", c.Shape, len(c.Data))
	}
	return nil
}

func (a *Accumulator) fields(c *codec) {
	n := len(a.Terms)
	c.length(&n, MaxInputs)
	if c.decoding {
		a.Terms = make([]Term, n)
	}
	for i := range a.Terms {
		a.Terms[i].fields(c)
	}
	a.Bias.fields(c)
	c.int(&a.Channel)
	c.int64(&a.Lo)
	c.int64(&a.Hi)
}

// termKind is the code of a kind of term in the encoding; codes are never reused.
type termKind int

const (
	termMultiple termKind = iota
	termConv
	termProduct
)

func (t *Term) kind() termKind {
	switch {
	case t.Conv != nil:
		return termConv
	case t.Product != nil:
		return termProduct
	}
	return termMultiple
}

func (t *Term) fields(c *codec) {
	code := int(t.kind())
	c.int(&code)
	switch termKind(code) {
	case termMultiple:
		c.int64(&t.Mult)
	case termConv:
		if c.decoding {
			t.Conv = new(Conv)
		}
		t.Conv.fields(c)
	case termProduct:
		if c.decoding {
			t.Product = new(Product)
		}
		t.Product.fields(c)
		c.int64(&t.Mult)
	default:
		c.fail("no term %d", code)
	}
}

func (v *Conv) fields(c *codec) {
	c.int(&v.Weight)
	c.int(&v.Channel)
	c.bool(&v.Ids)
	c.int(&v.InChannels)
	c.int(&v.OutChannels)
	c.int(&v.Groups)
	n := len(v.Spatial)
	c.length(&n, MaxRank)
	if c.decoding {
		v.Spatial = make([]Window, n)
	}
	for i := range v.Spatial {
		v.Spatial[i].fields(c)
	}
}

func (w *Window) fields(c *codec) {
	for _, p := range []*int{&w.Axis, &w.Kernel, &w.Stride, &w.Dilation, &w.Pad, &w.Out} {
		c.int(p)
	}
}

func (v *Constant) fields(c *codec) {
	c.dims(&v.Shape)
	c.int64s(&v.Data, MaxElements)
}

// bound is the stated interval. Multipliers, biases and what convolutions and products read
// are limited, so that no sum overflows and a proof can hold every cell read in 32 bits.
func (a *Accumulator) bound(in []Interval) (Interval, error) {
	for i, v := range a.Bias.Data {
		if v <= -MaxExact || v >= MaxExact {
			return Interval{}, fmt.Errorf("bias %d is %d: reaches 2^53", i, v)
		}
	}
	seconds := a.Seconds()
	for i, t := range a.Terms {
		if t.kind() != termMultiple && !in[i].narrow() {
			return Interval{}, fmt.Errorf("term %d: reads values in [%d, %d], more than 32 bits", i, in[i].Lo, in[i].Hi)
		}
		if second := in[seconds[i]]; t.Product != nil && !second.narrow() {
			return Interval{}, fmt.Errorf("term %d: reads values in [%d, %d], more than 32 bits", i, second.Lo, second.Hi)
		}
		if t.Conv == nil && (t.Mult <= -1<<31 || t.Mult >= 1<<31) {
			return Interval{}, fmt.Errorf("term %d: multiplier %d", i, t.Mult)
		}
	}
	return Interval{a.Lo, a.Hi}, nil
}

// narrow tells whether the interval lies within 32 bits.
func (v Interval) narrow() bool { return v.Lo >= math.MinInt32 && v.Hi <= math.MaxInt32 }
