package model

import (
	"slices"
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
)

// spread adds the operators that give a value a shape that it broadcasts into.
func (n *network) spread(x float.ValueID, shape ...int) float.ValueID {
	own := n.g.ShapeOf(x)
	if len(own) < len(shape) {
		x = n.add(&float.Reshape{Shape: slices.Concat(slices.Repeat([]int{1}, len(shape)-len(own)), own)}, x)
	}
	return n.add(&float.Broadcast{Shape: shape}, x)
}

func TestBroadcastTermsReadViews(t *testing.T) {
	relu := &float.Relu{}
	base := func(n *network, x float.ValueID) float.ValueID { return n.add(relu, n.conv(x, 4, 3, 1, 1, 1)) }
	cases := []struct {
		name                        string
		build                       func(n *network, x float.ValueID) float.ValueID
		rescales, convs, broadcasts int
	}{
		{"plane by channel", func(n *network, x float.ValueID) float.ValueID {
			y := base(n, x)
			return n.add(relu, n.add(&float.Add{}, y, n.spread(n.add(&float.MeanAxes{Axes: []int{2, 3}, KeepDims: true}, y), 2, 4, 8, 8)))
		}, 3, 1, 2},
		{"convolution minus a row", func(n *network, x float.ValueID) float.ValueID {
			row := n.add(&float.Slice{Starts: []int{0, 0, 3, 0}, Steps: []int{1, 1, 1, 1}, Sizes: []int{1, 1, 1, 8}}, x)
			return n.add(relu, n.add(&float.Add{Subtract: true}, n.conv(x, 4, 3, 1, 1, 1), n.spread(row, 2, 4, 8, 8)))
		}, 1, 1, 3},
		{"row minus a convolution", func(n *network, x float.ValueID) float.ValueID {
			row := n.add(&float.Slice{Starts: []int{0, 0, 3, 0}, Steps: []int{1, 1, 1, 1}, Sizes: []int{1, 1, 1, 8}}, x)
			return n.add(relu, n.add(&float.Add{Subtract: true}, n.spread(row, 2, 4, 8, 8), n.conv(x, 4, 3, 1, 1, 1)))
		}, 1, 1, 3},
		{"lower rank", func(n *network, x float.ValueID) float.ValueID {
			y := base(n, x)
			flat := n.add(&float.Reshape{Shape: []int{2, 256}}, y)
			mean := n.add(&float.MeanAxes{Axes: []int{0}}, flat)
			return n.add(relu, n.add(&float.Add{Subtract: true}, n.matMul(flat, 256), n.spread(mean, 2, 256)))
		}, 3, 2, 1},
		{"both operands", func(n *network, x float.ValueID) float.ValueID {
			y := base(n, x)
			rows := n.spread(n.add(&float.MeanAxes{Axes: []int{2}, KeepDims: true}, y), 2, 4, 8, 8)
			columns := n.spread(n.add(&float.MeanAxes{Axes: []int{3}, KeepDims: true}, y), 2, 4, 8, 8)
			return n.add(relu, n.add(&float.Add{}, rows, columns))
		}, 4, 1, 2},
		{"mean of all", func(n *network, x float.ValueID) float.ValueID {
			y := base(n, x)
			return n.add(relu, n.add(&float.Add{Subtract: true}, y, n.spread(n.add(&float.MeanAxes{Axes: []int{0, 1, 2, 3}}, y), 2, 4, 8, 8)))
		}, 3, 1, 4},
		{"convolution of an expansion", func(n *network, x float.ValueID) float.ValueID {
			mean := n.add(&float.MeanAxes{Axes: []int{1}, KeepDims: true}, base(n, x))
			return n.conv(n.spread(mean, 2, 3, 8, 8), 4, 3, 1, 1, 1)
		}, 2, 2, 1},
		{"function moves before the repetition", func(n *network, x float.ValueID) float.ValueID {
			y := n.conv(x, 4, 8, 1, 0, 1)
			return n.conv(n.add(relu, n.spread(y, 2, 4, 3, 3)), 4, 3, 1, 1, 1)
		}, 1, 2, 2},
	}
	for seed, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			n := newNetwork(t, uint64(seed), []int{2, 4, 8, 8})
			n.output(c.build(n, 0))
			low := n.lower(Options{Ranges: RangesMax})
			n.close(low, 0.05)
			n.stayInside(low)
			got := []int{count[*graph.Rescale](low), len(low.Weights), count[*graph.Broadcast](low)}
			if want := []int{c.rescales, c.convs, c.broadcasts}; !slices.Equal(got, want) {
				t.Errorf("rescales, convolutions, broadcasts: %v, want %v", got, want)
			}
		})
	}
}
