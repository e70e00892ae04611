package graph

import (
	"fmt"
	"math"
	"slices"
)

// Max is the elementwise maximum of two tensors of one shape. Wider maxima are trees of it.
type Max struct {
	Channel int // axis that a proof stores lowest
}

func (*Max) kind() kind { return kindMax }

func (op *Max) shape(in [][]int) ([]int, error) {
	if len(in) != 2 || !slices.Equal(in[0], in[1]) {
		return nil, fmt.Errorf("inputs of shapes %v", in)
	}
	if op.Channel < 0 || op.Channel >= len(in[0]) {
		return nil, fmt.Errorf("channel axis %d of %v", op.Channel, in[0])
	}
	return in[0], nil
}

// bound limits the differences y−a and y−b, for they index a table, and the values, for a
// trace holds 32 bits.
func (op *Max) bound(_ *Graph, in []Interval) (Interval, error) {
	if max(in[0].Hi, in[1].Hi)-min(in[0].Lo, in[1].Lo) >= MaxDomain/2 {
		return Interval{}, fmt.Errorf("differences of [%d, %d] and [%d, %d] exceed a table of %d rows", in[0].Lo, in[0].Hi, in[1].Lo, in[1].Hi, MaxDomain)
	}
	for _, v := range in {
		if v.Lo < math.MinInt32 || v.Hi > math.MaxInt32 {
			return Interval{}, fmt.Errorf("values in [%d, %d] exceed 32 bits", v.Lo, v.Hi)
		}
	}
	return Interval{max(in[0].Lo, in[1].Lo), max(in[0].Hi, in[1].Hi)}, nil
}

func (op *Max) fields(c *codec) { c.int(&op.Channel) }
