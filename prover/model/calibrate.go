package model

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/weisyn/wes/prover/model/float"
)

// histogram counts magnitudes by their sign-free exponent and top mantissa bits: bin i holds
// those whose float32 bits shifted by histogramShift are i, in 32 bins for each octave.
type histogram struct {
	bins []int64
	max  float64
}

const (
	histogramShift = 18
	histogramBins  = 1 << (31 - histogramShift)
)

func (h *histogram) add(data []float32) {
	if h.bins == nil {
		h.bins = make([]int64, histogramBins)
	}
	for _, x := range data {
		b := math.Float32bits(x) &^ (1 << 31)
		h.bins[b>>histogramShift]++
		h.max = max(h.max, float64(math.Float32frombits(b)))
	}
}

// best is the range, among fractions of the maximum, with the least squared error when
// magnitudes are rounded to levels steps of it and clipped beyond.
func (h *histogram) best(levels int64) float64 {
	best, least := h.max, math.Inf(1)
	for k := 20; k >= 8; k-- {
		r := h.max * float64(k) / 20
		if e := h.squaredError(r, r/float64(levels)); e < least {
			best, least = r, e
		}
	}
	return best
}

// percentile is the magnitude that p percent of all values do not exceed.
func (h *histogram) percentile(p float64) float64 {
	var total, below int64
	for _, n := range h.bins {
		total += n
	}
	for i, n := range h.bins {
		if below += n; float64(below) >= float64(total)*p/100 {
			return min(h.max, float64(math.Float32frombits(uint32(i+1)<<histogramShift)))
		}
	}
	return h.max
}

func (h *histogram) squaredError(r, step float64) float64 {
	var sum float64
	rounding := float64(step*step) / 12
	for i, n := range h.bins {
		if n == 0 || i == 0 {
			continue
		}
		mid := min(float64(math.Float32frombits(uint32(i)<<histogramShift|1<<(histogramShift-1))), h.max)
		e := rounding
		if mid > r {
			e = float64((mid - r) * (mid - r))
		}
		sum += float64(float64(n) * e)
	}
	return sum
}

// calibration is what a network does on the samples.
type calibration struct {
	ranges  []float64        // by value
	lines   []lines          // by node: of what it reads
	outputs [][]float.Tensor // by sample and output, before tails
}

// calibrate runs the network on the samples. Inputs have the range that was declared for
// them, or that of the samples times the headroom.
func calibrate(ctx context.Context, g *float.Graph, samples [][]float.Tensor, tops []int64, o *Options) (*calibration, error) {
	all := histograms(g)
	c := &calibration{ranges: make([]float64, g.Values()), lines: make([]lines, len(g.Nodes)), outputs: make([][]float.Tensor, len(samples))}
	readers := lineReaders(g)
	for i, s := range samples {
		c.outputs[i] = make([]float.Tensor, len(g.Outputs))
		err := float.Walk(ctx, g, s, func(id float.ValueID, t float.Tensor) error {
			for _, x := range t.Data {
				if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
					return fmt.Errorf("%w: a value of %q is not finite", ErrModel, nameOf(g, id))
				}
			}
			all[id].add(t.Data)
			for _, node := range readers[id] {
				c.lines[node].observe(g.Nodes[node].Op, t)
			}
			for k := range g.Outputs {
				if g.Outputs[k].Value == id {
					c.outputs[i][k] = t
				}
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("calibrate on sample %d: %w", i, err)
		}
	}
	for id := range all {
		c.ranges[id] = all[id].max
		if id < len(g.Inputs) {
			if !g.Inputs[id].IsInteger() {
				c.ranges[id] *= o.Headroom
			}
			if r, ok := o.InputRange[g.Inputs[id].Name]; ok {
				c.ranges[id] = r
			}
			continue
		}
		switch o.Ranges {
		case RangesError:
			c.ranges[id] = all[id].best(tops[id]) * margin(g, len(samples))
		case RangesPercentile:
			c.ranges[id] = all[id].percentile(o.Percentile)
		}
		for _, node := range readers[float.ValueID(id)] {
			if r := c.lines[node].reach; r > 0 {
				c.ranges[id] = min(c.ranges[id], r)
			}
		}
		switch op := g.Nodes[producer(g, float.ValueID(id))].Op.(type) {
		case *float.Clip:
			c.ranges[id] = min(c.ranges[id], max(math.Abs(float64(op.Lo)), math.Abs(float64(op.Hi))))
		case *float.Sigmoid, *float.Tanh:
			if c.ranges[id] > 0.5 {
				c.ranges[id] = 1 // the whole range of the function, so that layers share tables
			}
		}
	}
	if o.Like != nil {
		return c, c.adopt(g, o.Like)
	}
	return c, nil
}

// histograms has one for every value, and the same for all values of one role.
func histograms(g *float.Graph) []*histogram {
	all, roles := make([]*histogram, g.Values()), map[int]*histogram{}
	for id := range all {
		all[id] = &histogram{}
		if i := producer(g, float.ValueID(id)); i >= 0 && g.Nodes[i].Role != 0 {
			role := g.Nodes[i].Role
			if roles[role] == nil {
				roles[role] = all[id]
			}
			all[id] = roles[role]
		}
	}
	return all
}

// report names what was learnt.
func (c *calibration) report(g *float.Graph) Calibration {
	r := Calibration{Ranges: map[string]float64{}, Squares: map[string]float64{}}
	for id, v := range c.ranges {
		r.Ranges[nameOf(g, float.ValueID(id))] = v
	}
	for i := range g.Nodes {
		if v := c.lines[i].squares; v > 0 {
			r.Squares[g.Nodes[i].Name] = v
		}
	}
	return r
}

// adopt takes over what another lowering learnt. A step that it did not have takes the ranges of the others.
func (c *calibration) adopt(g *float.Graph, like *Calibration) error {
	roles := map[int]float64{}
	for i := range g.Nodes {
		if v, ok := like.Ranges[g.Nodes[i].Name]; ok {
			roles[g.Nodes[i].Role] = v
		}
	}
	for id := range c.ranges {
		name := nameOf(g, float.ValueID(id))
		v, ok := like.Ranges[name]
		if i := producer(g, float.ValueID(id)); !ok && i >= 0 && g.Nodes[i].Role != 0 {
			v, ok = roles[g.Nodes[i].Role]
		}
		if !ok || !(v >= 0) || math.IsInf(v, 1) {
			return fmt.Errorf("%w: Like has range %v of %q: it is of another network", ErrOptions, v, name)
		}
		c.ranges[id] = v
	}
	for i := range g.Nodes {
		if v, ok := like.Squares[g.Nodes[i].Name]; ok && v > 0 && !math.IsInf(v, 1) {
			c.lines[i].squares = v
		}
	}
	return nil
}

// lineReaders lists, by value, the norms and softmaxes that read it.
func lineReaders(g *float.Graph) map[float.ValueID][]int {
	readers := map[float.ValueID][]int{}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		switch n.Op.(type) {
		case *float.Norm, *float.Softmax:
			readers[n.Inputs[0]] = append(readers[n.Inputs[0]], i)
		}
	}
	return readers
}

// margin is the room for larger activations than those of the samples: the fewer rows they
// have, the more of it. Saturation costs more than the coarser steps do.
func margin(g *float.Graph, samples int) float64 {
	rows := samples
	if len(g.Inputs) > 0 && len(g.Inputs[0].Shape) > 0 {
		rows *= g.Inputs[0].Shape[0]
	}
	return 1 + min(0.5, 1.4/math.Sqrt(float64(rows)))
}

func nameOf(g *float.Graph, id float.ValueID) string {
	if i := producer(g, id); i >= 0 {
		return g.Nodes[i].Name
	}
	return g.Inputs[id].Name
}

// syntheticSamples stands in for samples that nobody gave: uniform values in ± the declared
// range of each input, or ±1, from a fixed seed. Ids are uniform too, other integers one, as
// masks are.
func syntheticSamples(g *float.Graph, o *Options) [][]float.Tensor {
	const count = 4
	r := rand.New(rand.NewPCG(1, 2))
	samples := make([][]float.Tensor, count)
	for s := range samples {
		for _, in := range g.Inputs {
			limit := 1.0
			if v, ok := o.InputRange[in.Name]; ok {
				limit = v
			}
			t := float.NewTensor(in.Shape)
			lo, hi, known := in.Domain()
			for i := range t.Data {
				switch {
				case known:
					t.Data[i] = float32(lo + r.Int64N(hi-lo+1))
				case in.IsInteger():
					t.Data[i] = float32(math.Floor(limit))
				default:
					t.Data[i] = float32(float64(2*r.Float64()-1) * limit)
				}
			}
			samples[s] = append(samples[s], t)
		}
	}
	return samples
}

// classes groups values that share one scale: those joined by operators that only move
// cells or choose among them.
type classes struct{ parent []int }

func newClasses(g *float.Graph) *classes {
	c := &classes{parent: make([]int, g.Values())}
	for i := range c.parent {
		c.parent[i] = i
	}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		switch n.Op.(type) {
		case *float.Concat, *float.MaxPool, *float.Maximum, *float.Slice, *float.Pad, *float.Reshape, *float.Transpose, *float.Broadcast:
		case *float.Relu, *float.Clip:
			if !keepsScale(g, n.Inputs[0]) {
				continue
			}
		default:
			continue
		}
		for _, id := range n.Inputs {
			c.parent[c.root(int(id))] = c.root(int(n.Output))
		}
	}
	return c
}

// keepsScale tells whether a value is made by an operator that a clamp cannot be fused
// with; the clamp then keeps its scale, so that its rescale is exact.
func keepsScale(g *float.Graph, id float.ValueID) bool {
	if i := producer(g, id); i >= 0 {
		if _, given := g.Nodes[i].Op.(*float.Quantized); given {
			return true
		}
	}
	return movesCells(g, id)
}

// movesCells tells whether a value is an input, or the cells of other values moved or chosen.
func movesCells(g *float.Graph, id float.ValueID) bool {
	i := producer(g, id)
	if i < 0 {
		return true
	}
	switch g.Nodes[i].Op.(type) {
	case *float.Concat, *float.MaxPool, *float.Slice, *float.Pad, *float.Reshape, *float.Transpose, *float.Broadcast:
		return true
	}
	return false
}

func (c *classes) root(i int) int {
	for c.parent[i] != i {
		c.parent[i] = c.parent[c.parent[i]]
		i = c.parent[i]
	}
	return i
}

// scales is the scale of every value: the largest that the model gives its class, if the class does not
// leave that, else the largest range of the class over the largest magnitude of its cells.
func (c *classes) scales(g *float.Graph, cal *calibration, tops []int64) []float64 {
	ranges, given := make([]float64, len(c.parent)), make([]float64, len(c.parent))
	for i := range c.parent {
		r := c.root(i)
		ranges[r] = max(ranges[r], cal.ranges[i])
		if k := producer(g, float.ValueID(i)); k >= 0 {
			if op, ok := g.Nodes[k].Op.(*float.Quantized); ok {
				given[r] = max(given[r], float64(op.Scale))
			}
		}
	}
	scales := make([]float64, len(c.parent))
	for i := range scales {
		r := c.root(i)
		scales[i] = scaleOf(ranges[r], tops[i])
		if scales[i] < given[r]*(1+1e-6) {
			scales[i] = given[r]
		}
	}
	return scales
}

// scaleOf is the scale at which a range fills activations; a value that is always zero gets
// one too.
func scaleOf(r float64, top int64) float64 {
	if r < minRange {
		r = 1
	}
	return r / float64(top)
}

// joined tells of every value whether a Concat is in its class.
func (c *classes) joined(g *float.Graph) []bool {
	roots := make([]bool, len(c.parent))
	for i := range g.Nodes {
		if _, ok := g.Nodes[i].Op.(*float.Concat); ok {
			roots[c.root(int(g.Nodes[i].Output))] = true
		}
	}
	joined := make([]bool, len(c.parent))
	for i := range joined {
		joined[i] = roots[c.root(i)]
	}
	return joined
}

// minRange is the magnitude below which a value counts as always zero.
const minRange = 1e-20
