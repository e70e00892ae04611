package graph

import "fmt"

// Contracted stands for the axis that a product sums over.
const Contracted = -1

// Product multiplies two tensors and sums over one axis of each:
//
//	out(b, i, j) = Σ_{k < Length} left(b, i, k) · right(b, j, k)
//
// Left and Right name, for each axis of the operand, the axis of the output that it runs
// along, or Contracted. Axes of the output that both operands have are batches b, the others
// are rows i of the left operand or columns j of the right one; there may be several of each,
// in any order, so an operand needs no transpose. Left = {0, -1}, Right = {-1, 1} is A·B,
// and Right = {1, -1} is A·Bᵀ.
type Product struct {
	Left, Right []int
	Length      int
}

// shape places the operands' axes. Every axis of the output comes from an operand.
func (p *Product) shape(left, right []int) ([]int, error) {
	var dims [MaxRank]int
	rank := 0
	for _, o := range []struct{ axes, dims []int }{{p.Left, left}, {p.Right, right}} {
		if err := p.place(&dims, o.axes, o.dims); err != nil {
			return nil, err
		}
		for _, a := range o.axes {
			rank = max(rank, a+1)
		}
	}
	for a, d := range dims[:rank] {
		if d == 0 {
			return nil, fmt.Errorf("axis %d of the product is of neither operand", a)
		}
	}
	return dims[:rank:rank], nil
}

// place enters the lengths of an operand's axes among those of the output.
func (p *Product) place(out *[MaxRank]int, axes, dims []int) error {
	if len(axes) != len(dims) {
		return fmt.Errorf("axes %v for an operand of shape %v", axes, dims)
	}
	var seen [MaxRank]bool
	contracted := 0
	for i, a := range axes {
		if a == Contracted {
			if contracted++; dims[i] != p.Length {
				return fmt.Errorf("sum over %d cells of an axis of %d", p.Length, dims[i])
			}
			continue
		}
		if a < 0 || a >= MaxRank || seen[a] || out[a] != 0 && out[a] != dims[i] {
			return fmt.Errorf("axes %v for an operand of shape %v", axes, dims)
		}
		seen[a], out[a] = true, dims[i]
	}
	if contracted != 1 {
		return fmt.Errorf("%d contracted axes among %v, want 1", contracted, axes)
	}
	return nil
}

// Bound is the hull, with zero, of every partial sum of products of cells of two intervals,
// which must lie within 32 bits.
func (p *Product) Bound(left, right Interval) (Interval, error) {
	if !left.narrow() || !right.narrow() {
		return Interval{}, fmt.Errorf("product of values in [%d, %d] and [%d, %d], more than 32 bits", left.Lo, left.Hi, right.Lo, right.Hi)
	}
	corners := []int64{left.Lo * right.Lo, left.Lo * right.Hi, left.Hi * right.Lo, left.Hi * right.Hi}
	var one Interval
	for _, c := range corners {
		one.Lo, one.Hi = min(one.Lo, c), max(one.Hi, c)
	}
	return scaleInterval(one, int64(p.Length))
}

// Seconds is, for each term, the index of the input that holds the right operand of its
// product, 0 for other terms: right operands follow the inputs of all terms, in order.
func (a *Accumulator) Seconds() []int {
	seconds, next := make([]int, len(a.Terms)), len(a.Terms)
	for i := range a.Terms {
		if a.Terms[i].Product != nil {
			seconds[i] = next
			next++
		}
	}
	return seconds
}

// InputCount is the number of inputs that an accumulator reads.
func (a *Accumulator) InputCount() int {
	n := len(a.Terms)
	for i := range a.Terms {
		if a.Terms[i].Product != nil {
			n++
		}
	}
	return n
}

func (p *Product) fields(c *codec) {
	c.ints(&p.Left, MaxRank)
	c.ints(&p.Right, MaxRank)
	c.int(&p.Length)
}
