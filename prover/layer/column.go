package layer

import (
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/vec"
)

// Column is a block of a tensor's channels stored over a cube of Vars variables. Channel
// counts that are no power of two are split into blocks that are, largest first, so that
// channels are never padded (proof-formulas.md B1). From the top, the index bits are: the
// high bits of the channel within the block, the other axes in order, each padded to a
// power of two, and Low bits of the channel.
type Column struct {
	Tensor  int
	Shape   []int // logical shape of the whole tensor
	Channel int
	First   int // channels [First, First+Count) of the tensor
	Count   int // power of two
	Low     int
	Vars    int // at least one: a lone cell gets a bit that is always zero
}

func log2Ceil(n int) int { return bits.Len(uint(n - 1)) }

// columns splits a tensor into blocks of channels, with at most low bits of each lowest.
func columns(tensor int, shape []int, channel, low int) []Column {
	var blocks []Column
	for first := 0; first < shape[channel]; {
		count := 1 << (bits.Len(uint(shape[channel]-first)) - 1)
		c := Column{Tensor: tensor, Shape: shape, Channel: channel, First: first, Count: count}
		c.Low = min(low, log2Ceil(count))
		for a, d := range shape {
			if a == channel {
				d = count
			}
			c.Vars += log2Ceil(d)
		}
		c.Vars = max(c.Vars, 1)
		blocks = append(blocks, c)
		first += count
	}
	return blocks
}

// columnPoint is a point of a column, cut into parts.
type columnPoint struct {
	axes      [][]fr.Element // of each axis but the channels'
	high, low []fr.Element   // of the channels
}

func (c *Column) split(p []fr.Element) columnPoint {
	parts := columnPoint{axes: make([][]fr.Element, len(c.Shape))}
	at := len(p) - c.Low
	parts.low = p[at:]
	for a := len(c.Shape) - 1; a >= 0; a-- {
		if a == c.Channel {
			continue
		}
		b := log2Ceil(c.Shape[a])
		parts.axes[a] = p[at-b : at]
		at -= b
	}
	parts.high = p[at-log2Ceil(c.Count)+c.Low : at]
	return parts
}

// lone is the weight of the bit that a one-cell column has on top: 1 for other columns.
func (c *Column) lone(p []fr.Element) fr.Element {
	one := fr.One()
	n := log2Ceil(c.Count)
	for a, d := range c.Shape {
		if a != c.Channel {
			n += log2Ceil(d)
		}
	}
	if n < c.Vars {
		one.Sub(&one, &p[0])
	}
	return one
}

// eqAxes are the weights eq(p, ·) of each axis but the channels'.
func (c *Column) eqAxes(p columnPoint, tables *eqTables) [][]fr.Element {
	vecs := make([][]fr.Element, len(c.Shape))
	for a, part := range p.axes {
		if a != c.Channel {
			vecs[a] = tables.prefix(part, nil, c.Shape[a])
		}
	}
	return vecs
}

// eqVectors are the weights eq(p, ·) of each axis; those of the channels are zero outside
// the block.
func (c *Column) eqVectors(p []fr.Element, tables *eqTables) [][]fr.Element {
	parts := c.split(p)
	vecs := c.eqAxes(parts, tables)
	vecs[c.Channel] = c.padded(tables.prefix(parts.high, parts.low, c.Count))
	return vecs
}

// padded extends weights of the block's channels by zeros to all channels.
func (c *Column) padded(block []fr.Element) []fr.Element {
	channels := make([]fr.Element, c.Shape[c.Channel])
	copy(channels[c.First:], block)
	return channels
}

// evalTerms is the multilinear extension, at a point of the column, of the weights that
// terms give to the column's cells.
func (c *Column) evalTerms(terms []Term, p []fr.Element, tables *eqTables) fr.Element {
	var sum fr.Element
	if len(terms) == 0 {
		return sum
	}
	parts := c.split(p)
	eq := c.eqAxes(parts, tables)
	eq[c.Channel] = tables.prefix(parts.high, parts.low, c.Count)
	for _, t := range terms {
		v := c.against(t, eq)
		sum.Add(&sum, &v)
	}
	lone := c.lone(p)
	return *sum.Mul(&sum, &lone)
}

// against contracts a term with one vector for each axis, that of the channels over the
// block.
func (c *Column) against(t Term, eq [][]fr.Element) fr.Element {
	v := t.Coef
	axis := 0
	for _, g := range t.Groups {
		row, weights := g.Vec, eq[axis]
		if g.Axes > 1 {
			row = c.contractGroup(row, axis, g.Axes, eq)
			if axis == c.Channel {
				weights = c.padded(weights)
			}
		} else if axis == c.Channel {
			row = row[c.First : c.First+c.Count]
		}
		x := vec.Inner(row, weights)
		v.Mul(&v, &x)
		axis += g.Axes
	}
	return v
}

// contractGroup contracts the axes of a group but its first.
func (c *Column) contractGroup(row []fr.Element, first, axes int, eq [][]fr.Element) []fr.Element {
	for a := first + axes - 1; a > first; a-- {
		weights := eq[a]
		if a == c.Channel {
			weights = c.padded(weights)
		}
		row = contractLast(row, weights)
	}
	return row
}

// Runs visits the real cells of the column as runs of 2^Low channels: cell is the logical
// row-major index of a run's first cell, store its index in the column. Channels of a run
// are ChannelStride() apart logically and adjacent in the column.
func (c *Column) Runs(visit func(cell, store int)) {
	n := len(c.Shape)
	logical := make([]int, n)
	for a, s := n-1, 1; a >= 0; a-- {
		logical[a] = s
		s *= c.Shape[a]
	}
	stored := make([]int, n)
	s := 1 << c.Low
	for a := n - 1; a >= 0; a-- {
		if a != c.Channel {
			stored[a] = s
			s <<= log2Ceil(c.Shape[a])
		}
	}
	var walk func(a, cell, store int)
	walk = func(a, cell, store int) {
		switch {
		case a == n:
			visit(cell, store)
		case a == c.Channel:
			walk(a+1, cell, store)
		default:
			for i := range c.Shape[a] {
				walk(a+1, cell+i*logical[a], store+i*stored[a])
			}
		}
	}
	for h := range c.Count >> c.Low {
		walk(0, (c.First+h<<c.Low)*logical[c.Channel], h*s)
	}
}

// ChannelStride is the logical distance of neighbouring channels.
func (c *Column) ChannelStride() int {
	s := 1
	for _, d := range c.Shape[c.Channel+1:] {
		s *= d
	}
	return s
}

// AddTerm adds a term's weights to the cells of the column: the prover's form of evalTerm.
func (c *Column) AddTerm(dst []fr.Element, t Term) {
	if len(t.Groups) != len(c.Shape) {
		c.addDense(dst, t)
		return
	}
	channels := t.Groups[c.Channel].Vec[c.First : c.First+c.Count]
	rest := c.Shape
	weights := []fr.Element{t.Coef}
	for a := range rest {
		if a != c.Channel && a != c.lastAxis() {
			weights = outerPadded(weights, t.Groups[a].Vec, 1<<log2Ceil(rest[a]))
		}
	}
	last := []fr.Element{fr.One()}
	if a := c.lastAxis(); a >= 0 {
		last = t.Groups[a].Vec
	}
	padded := 1
	if a := c.lastAxis(); a >= 0 {
		padded = 1 << log2Ceil(rest[a])
	}
	width := 1 << c.Low
	line := make([]fr.Element, len(last)*width)
	for h := range c.Count >> c.Low {
		low := channels[h<<c.Low:][:width]
		for i := range last {
			vec.Scale(line[i*width:][:width], low, &last[i])
		}
		block := dst[h*len(weights)*padded*width:]
		for i := range weights {
			if weights[i].IsZero() {
				continue
			}
			vec.AddScaled(block[i*padded*width:][:len(line)], line, &weights[i])
		}
	}
}

// lastAxis is the axis stored just above the low channel bits, -1 if there is none.
func (c *Column) lastAxis() int {
	for a := len(c.Shape) - 1; a >= 0; a-- {
		if a != c.Channel {
			return a
		}
	}
	return -1
}

// outerPadded is a ⊗ b with b padded by zeros to n.
func outerPadded(a, b []fr.Element, n int) []fr.Element {
	out := make([]fr.Element, len(a)*n)
	for i := range a {
		vec.Scale(out[i*n:][:len(b)], b, &a[i])
	}
	return out
}

// addDense adds a term that weighs some axes jointly, cell by cell.
func (c *Column) addDense(dst []fr.Element, t Term) {
	stride := c.ChannelStride()
	c.Runs(func(cell, store int) {
		for i := range 1 << c.Low {
			w := t.weight(cell+i*stride, c.Shape)
			dst[store+i].Add(&dst[store+i], &w)
		}
	})
}

// weight is the term's weight of one cell.
func (t Term) weight(cell int, shape []int) fr.Element {
	w := t.Coef
	axis := len(shape)
	for i := len(t.Groups) - 1; i >= 0; i-- {
		g := t.Groups[i]
		axis -= g.Axes
		n := len(g.Vec)
		w.Mul(&w, &g.Vec[cell%n])
		cell /= n
	}
	return w
}
