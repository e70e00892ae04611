package graph

import (
	"fmt"
	"slices"
)

// Weights holds the weights of all convolutions, by Conv.Weight, in the order
// [oc][k_0][k_1]…[ic] of Conv.
type Weights [][]int32

// MaxWeight bounds a committed weight: a weight times 2^(MaxShift()−s) of its channel.
const MaxWeight = 1 << 23

// Trace is one execution: what a proof has to know of it. Cells are in row-major order of
// the logical shape.
type Trace struct {
	Values [][]int32 // by tensor: cells of inputs, Rescale and Max; nil for others
	Accs   [][]int64 // by tensor: accumulators of Rescale and Reveal; nil for others
}

// ChannelShifts is how far the weights of each output channel are moved up, so that one
// shift serves all channels of a Rescale; all zero for a Reveal.
func ChannelShifts(op Op, channels int) []int {
	up := make([]int, channels)
	r, ok := op.(*Rescale)
	if !ok || len(r.Shift) == 1 {
		return up
	}
	most := r.MaxShift()
	for c := range up {
		up[c] = most - r.Shift[c]
	}
	return up
}

// SameChannelShifts tells whether two nodes of as many channels state the same ChannelShifts:
// one shift each, or as many with the same differences.
func SameChannelShifts(a, b Op) bool {
	x, xMost := severalShifts(a)
	y, yMost := severalShifts(b)
	return slices.EqualFunc(x, y, func(s, t int) bool { return xMost-s == yMost-t })
}

// severalShifts are the shifts of a Rescale that has several, and the largest.
func severalShifts(op Op) (shifts []int, most int) {
	if r, ok := op.(*Rescale); ok && len(r.Shift) > 1 {
		return r.Shift, r.MaxShift()
	}
	return nil, 0
}

// Bound sums, over the terms of an accumulator, the hulls of their values with zero, so
// that it holds every partial sum in any order. in are the bounds of the node's inputs.
func (a *Accumulator) Bound(in []Interval, w Weights, channels int) (Interval, error) {
	var all Interval
	for oc := range channels {
		c, err := a.channelBound(in, w, oc)
		if err != nil {
			return all, fmt.Errorf("channel %d: %w", oc, err)
		}
		all.Lo, all.Hi = min(all.Lo, c.Lo), max(all.Hi, c.Hi)
	}
	return all, nil
}

func (a *Accumulator) channelBound(in []Interval, w Weights, oc int) (Interval, error) {
	sum := a.biasBound(oc)
	seconds := a.Seconds()
	for t, term := range a.Terms {
		if max(sum.Hi, -sum.Lo) >= MaxExact {
			break // refused below; adding on could overflow
		}
		x := Interval{min(in[t].Lo, 0), max(in[t].Hi, 0)}
		if term.Conv == nil {
			if term.Product != nil {
				var err error
				if x, err = term.Product.Bound(in[t], in[seconds[t]]); err != nil {
					return sum, err
				}
			}
			v, err := scaleInterval(x, term.Mult)
			if err != nil {
				return sum, err
			}
			sum.Lo += v.Lo
			sum.Hi += v.Hi
			continue
		}
		size := len(w[term.Conv.Weight]) / term.Conv.OutChannels
		row := w[term.Conv.Weight][oc*size:][:size]
		if term.Conv.Ids {
			sum.Lo += min(int64(slices.Min(row)), 0)
			sum.Hi += max(int64(slices.Max(row)), 0)
			continue
		}
		var plus, minus int64
		for _, v := range row {
			plus += max(int64(v), 0)
			minus += min(int64(v), 0)
		}
		if max(plus, -minus) >= MaxExact/max(x.Hi, -x.Lo, 1)/4 {
			return sum, fmt.Errorf("weights sum to %d and %d against [%d, %d]: the accumulator reaches 2^53", plus, minus, x.Lo, x.Hi)
		}
		sum.Lo += plus*x.Lo + minus*x.Hi
		sum.Hi += plus*x.Hi + minus*x.Lo
	}
	if sum.Lo <= -MaxExact || sum.Hi >= MaxExact {
		return sum, fmt.Errorf("accumulator in [%d, %d] reaches 2^53", sum.Lo, sum.Hi)
	}
	return sum, nil
}

// biasBound is the hull with zero of the biases that reach a channel.
func (a *Accumulator) biasBound(oc int) Interval {
	var b Interval
	if len(a.Bias.Data) == 0 {
		return b
	}
	inner := Elements(a.Bias.Shape[a.Channel+1:])
	n := a.Bias.Shape[a.Channel]
	for i, v := range a.Bias.Data {
		if n == 1 || i/inner%n == oc {
			b.Lo, b.Hi = min(b.Lo, v), max(b.Hi, v)
		}
	}
	return b
}

// CheckWeights ties weights to a checked graph: counts, sizes, and the stated bound of
// every accumulator.
func (g *Graph) CheckWeights(info *Info, w Weights) error {
	for i := range g.Nodes {
		if err := g.checkNodeWeights(i, info, w); err != nil {
			return fmt.Errorf("%w: node %d %q: %v", ErrInvalid, i, g.Nodes[i].Name, err)
		}
	}
	return nil
}

func (g *Graph) checkNodeWeights(i int, info *Info, w Weights) error {
	op := g.Nodes[i].Op
	acc := AccumulatorOf(op)
	if acc == nil {
		return nil
	}
	for _, c := range Convs(op) {
		if c.Weight >= len(w) || len(w[c.Weight]) != c.WeightCount() {
			return fmt.Errorf("weight %d is missing or of another size", c.Weight)
		}
		size := c.WeightCount() / c.OutChannels
		for channel, up := range ChannelShifts(op, c.OutChannels) {
			for _, v := range w[c.Weight][channel*size:][:size] {
				if max(int64(v), -int64(v))<<up >= MaxWeight {
					return fmt.Errorf("weight %d at channel %d, moved up by %d bits, exceeds %d", v, channel, up, MaxWeight)
				}
			}
		}
	}
	in := make([]Interval, len(g.Nodes[i].Inputs))
	for k, t := range g.Nodes[i].Inputs {
		in[k] = info.Bounds[t]
	}
	b, err := acc.Bound(in, w, info.Shapes[i][acc.Channel])
	if err != nil {
		return err
	}
	if b.Lo < acc.Lo || b.Hi > acc.Hi {
		return fmt.Errorf("accumulator in [%d, %d] leaves the stated [%d, %d]", b.Lo, b.Hi, acc.Lo, acc.Hi)
	}
	return nil
}
