package layer

import (
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/poly"
	"github.com/weisyn/wes/prover/vec"
)

// WeightFactor is Ŵ over the contraction index, or the weights themselves when grouped:
// the prover's side, from the packed rows.
func (c *ConvClaim) WeightFactor(s *System, packed []int32) []fr.Element {
	k := s.Weights.KLow
	dst := make([]fr.Element, c.shape.prefix())
	weights := []fr.Element{fr.One()}
	if !c.shape.grouped {
		first := c.block.Channels[0]
		weights = c.out.U[first:][:len(c.block.Channels)<<c.block.Low]
	}
	for i, h := range c.block.KHigh {
		row := c.block.Row + i*len(c.block.Channels)
		data := packed[row*s.Weights.Cols : (row+len(c.block.Channels))*s.Weights.Cols]
		poly.VecMat(dst[h<<k:min((h+1)<<k, len(dst))], weights, data, 1<<k)
	}
	return dst
}

// ChannelWeights is the factor U of a grouped claim over the whole padded index: it must
// not vary with the other parts, for the verifier evaluates it over channels alone.
func (c *ConvClaim) ChannelWeights() []fr.Element {
	parts := len(c.shape.bits)
	icBits, ocBits := c.shape.bits[parts-1], c.shape.bits[parts-2]
	dst := make([]fr.Element, c.shape.size())
	for i := range dst {
		if oc := i >> icBits & (1<<ocBits - 1); oc < len(c.out.U) {
			dst[i] = c.out.U[oc]
		}
	}
	return dst
}

// InputFactor is X̂ over the contraction index, from the cells of the input.
func (c *ConvClaim) InputFactor(x []int32) []fr.Element {
	if c.shape.conv.Ids {
		return c.idFactor(x)
	}
	taps := c.contractAxes(x)
	conv := c.shape.conv
	ics := conv.InChannels / conv.Groups
	kernel := conv.KernelSize()
	dst := make([]fr.Element, c.shape.prefix())
	c.shape.visit(func(padded, dense int) {
		channel, tap := dense%ics, dense/ics
		if c.shape.grouped {
			oc := tap % conv.OutChannels
			tap /= conv.OutChannels
			channel += oc / (conv.OutChannels / conv.Groups) * ics
		}
		dst[padded] = taps[tap+channel*kernel]
	})
	return dst
}

// tapWeights is, for each axis but the channel, the matrix of weights of input positions,
// a row for each kernel tap; one row for axes that pass through.
func (c *ConvClaim) tapWeights(axis int) [][]fr.Element {
	for _, w := range c.shape.conv.Spatial {
		if w.Axis != axis {
			continue
		}
		rows := make([][]fr.Element, w.Kernel)
		for k := range rows {
			rows[k] = make([]fr.Element, c.in[axis])
			addTap(rows[k], c.out.Axes[axis], w, k)
		}
		return rows
	}
	return [][]fr.Element{c.out.Axes[axis]}
}

// contractAxes sums the input against the tap weights of every axis but the channel. The
// result is indexed by channel, then kernel tap.
func (c *ConvClaim) contractAxes(x []int32) []fr.Element {
	channel := c.shape.conv.Channel
	n := len(c.in)
	// Trailing axes with a single tap are contracted jointly, in one pass over x.
	first := n
	joint := []fr.Element{fr.One()}
	for first > channel+1 {
		rows := c.tapWeights(first - 1)
		if len(rows) > 1 {
			break
		}
		joint = outer(rows[0], joint)
		first--
	}
	if channel == n-1 {
		return c.contractLeading(x)
	}
	var parts [][]fr.Element
	if first == n {
		first--
		parts = matVecs(x, c.tapWeights(first))
	} else {
		parts = matVecs(x, [][]fr.Element{joint})
	}
	dims := append(slices.Clone(c.in[:first]), len(parts))
	field := interleave(parts)
	for a := first - 1; a >= 0; a-- {
		if a != channel {
			field = contractAxis(field, dims, a, c.tapWeights(a))
			dims[a] = len(c.tapWeights(a))
		}
	}
	return channelFirst(field, dims, channel)
}

// contractLeading contracts the axes before a channel that is the last axis.
func (c *ConvClaim) contractLeading(x []int32) []fr.Element {
	channels := c.in[len(c.in)-1]
	taps := [][]fr.Element{{fr.One()}}
	for a := range len(c.in) - 1 {
		var next [][]fr.Element
		for _, t := range taps {
			for _, w := range c.tapWeights(a) {
				next = append(next, outer(t, w))
			}
		}
		taps = next
	}
	parts := make([][]fr.Element, len(taps))
	for i, t := range taps {
		parts[i] = make([]fr.Element, channels)
		poly.VecMat(parts[i], t, x, channels)
	}
	return interleave(parts)
}

// matVecs applies each row of weights to the rows of x.
func matVecs(x []int32, weights [][]fr.Element) [][]fr.Element {
	parts := make([][]fr.Element, len(weights))
	for i, w := range weights {
		parts[i] = make([]fr.Element, len(x)/len(w))
		poly.MatVec(parts[i], w, x, len(w))
	}
	return parts
}

// interleave makes the index of the part the lowest one.
func interleave(parts [][]fr.Element) []fr.Element {
	if len(parts) == 1 {
		return parts[0]
	}
	out := make([]fr.Element, len(parts)*len(parts[0]))
	for i, p := range parts {
		for j := range p {
			out[j*len(parts)+i] = p[j]
		}
	}
	return out
}

// contractAxis replaces an axis by the taps of a weight matrix.
func contractAxis(data []fr.Element, dims []int, axis int, weights [][]fr.Element) []fr.Element {
	outerN, inner := product(dims[:axis]), product(dims[axis+1:])
	n := dims[axis]
	out := make([]fr.Element, outerN*len(weights)*inner)
	for o := range outerN {
		for k, w := range weights {
			dst := out[(o*len(weights)+k)*inner:][:inner]
			for i := range n {
				if w[i].IsZero() {
					continue
				}
				vec.AddScaled(dst, data[(o*n+i)*inner:][:inner], &w[i])
			}
		}
	}
	return out
}

func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// channelFirst moves the channel axis to the front; the others keep their order.
func channelFirst(data []fr.Element, dims []int, channel int) []fr.Element {
	before, after := product(dims[:channel]), product(dims[channel+1:])
	channels := dims[channel]
	if before == 1 {
		return data
	}
	out := make([]fr.Element, len(data))
	for b := range before {
		for ch := range channels {
			copy(out[(ch*before+b)*after:][:after], data[(b*channels+ch)*after:][:after])
		}
	}
	return out
}
