package model

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
	"github.com/weisyn/wes/prover/model/interpret"
)

func TestLinearLayersFuseIntoOneRescale(t *testing.T) {
	relu := &float.Relu{}
	cases := []struct {
		name             string
		build            func(n *network, x float.ValueID) float.ValueID
		rescales, convs  int
		reveals, maxima  int
		slices, reshapes int
	}{
		{"convolution and function", func(n *network, x float.ValueID) float.ValueID {
			return n.add(relu, n.conv(x, 4, 3, 1, 1, 1))
		}, 1, 1, 0, 0, 0, 0},
		{"last layer without function", func(n *network, x float.ValueID) float.ValueID {
			return n.conv(n.add(relu, n.conv(x, 4, 3, 1, 1, 1)), 3, 3, 1, 0, 1)
		}, 1, 2, 1, 0, 0, 0},
		{"scaling and bias of an input", func(n *network, x float.ValueID) float.ValueID {
			y := n.add(&float.AddConst{C: n.constant(1, 1, 4, 1, 1)}, n.add(&float.MulConst{C: n.constant(1, 1, 4, 1, 1)}, x))
			return n.add(relu, n.conv(y, 4, 3, 1, 0, 1))
		}, 1, 1, 0, 0, 0, 0},
		{"scaling and bias of a result", func(n *network, x float.ValueID) float.ValueID {
			y := n.add(&float.MulConst{C: n.constant(1, 1, 6, 1, 1)}, n.conv(x, 6, 3, 1, 0, 1))
			return n.add(relu, n.add(&float.AddConst{C: n.constant(1, 1, 6, 6, 6)}, y))
		}, 1, 1, 0, 0, 0, 0},
		{"residual", func(n *network, x float.ValueID) float.ValueID {
			a := n.add(relu, n.conv(x, 4, 3, 1, 1, 1))
			return n.add(relu, n.add(&float.Add{}, a, n.conv(a, 4, 3, 1, 1, 1)))
		}, 2, 2, 0, 0, 0, 0},
		{"residual with a convolution on both branches", func(n *network, x float.ValueID) float.ValueID {
			a := n.add(relu, n.conv(x, 4, 3, 1, 1, 1))
			return n.add(relu, n.add(&float.Add{Subtract: true}, n.conv(a, 8, 1, 2, 0, 1), n.conv(a, 8, 3, 2, 1, 1)))
		}, 2, 3, 0, 0, 0, 0},
		{"difference of two activations", func(n *network, x float.ValueID) float.ValueID {
			a, b := n.add(relu, n.conv(x, 4, 3, 1, 1, 1)), n.add(relu, n.conv(x, 4, 1, 1, 0, 1))
			return n.add(relu, n.add(&float.Add{Subtract: true}, a, b))
		}, 3, 2, 0, 0, 0, 0},
		{"function after pooling moves before it", func(n *network, x float.ValueID) float.ValueID {
			return n.add(relu, n.add(&float.MaxPool{Window: square(2, 2, 0)}, n.conv(x, 4, 3, 1, 1, 1)))
		}, 1, 1, 0, 2, 4, 0},
		{"two functions", func(n *network, x float.ValueID) float.ValueID {
			return n.add(&float.Clip{Lo: 0.5, Hi: 2}, n.add(relu, n.conv(x, 4, 3, 1, 1, 1)))
		}, 1, 1, 0, 0, 0, 0},
		{"product after flattening covers the plane", func(n *network, x float.ValueID) float.ValueID {
			a := n.add(relu, n.conv(x, 4, 3, 1, 1, 1))
			b := n.add(relu, n.matMul(n.add(&float.Reshape{Shape: []int{2, 256}}, a), 5))
			return n.matMul(b, 3)
		}, 2, 3, 1, 0, 0, 0},
		{"depthwise", func(n *network, x float.ValueID) float.ValueID {
			return n.add(&float.Clip{Lo: 0, Hi: 6}, n.conv(x, 8, 3, 1, 1, 4))
		}, 1, 1, 0, 0, 0, 0},
		{"normalisation that nothing takes up is depthwise", func(n *network, x float.ValueID) float.ValueID {
			return n.add(relu, n.add(&float.MulConst{C: n.constant(1, 1, 4, 1, 1)}, x))
		}, 1, 1, 0, 0, 0, 0},
	}
	for seed, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			n := newNetwork(t, uint64(seed), []int{2, 4, 8, 8})
			n.output(c.build(n, 0))
			low := n.lower(Options{})
			n.close(low, 0.05)
			got := []int{count[*graph.Rescale](low), len(low.Weights), count[*graph.Reveal](low), count[*graph.Max](low), count[*graph.Slice](low), count[*graph.Reshape](low)}
			want := []int{c.rescales, c.convs, c.reveals, c.maxima, c.slices, c.reshapes}
			if !slices.Equal(got, want) {
				t.Errorf("rescales, convolutions, reveals, maxima, slices, reshapes: %v, want %v", got, want)
			}
		})
	}
}

func TestOperatorsKeepTheFloatResult(t *testing.T) {
	base := func(n *network, x float.ValueID) float.ValueID { return n.add(&float.Relu{}, n.conv(x, 4, 3, 1, 1, 1)) }
	cases := map[string]func(n *network, x float.ValueID) float.ValueID{
		"tanh": func(n *network, x float.ValueID) float.ValueID { return n.add(&float.Tanh{}, n.conv(x, 4, 3, 1, 1, 1)) },
		"sigmoid": func(n *network, x float.ValueID) float.ValueID {
			return n.add(&float.Sigmoid{}, n.conv(x, 4, 3, 1, 1, 1))
		},
		"sigmoid of ReLU": func(n *network, x float.ValueID) float.ValueID { return n.add(&float.Sigmoid{}, base(n, x)) },
		"leaky": func(n *network, x float.ValueID) float.ValueID {
			return n.add(&float.LeakyRelu{Alpha: 0.1}, n.conv(x, 4, 3, 1, 1, 1))
		},
		"steep leaky": func(n *network, x float.ValueID) float.ValueID {
			return n.add(&float.LeakyRelu{Alpha: 3}, n.conv(x, 4, 3, 1, 1, 1))
		},
		"function of input": func(n *network, x float.ValueID) float.ValueID { return n.add(&float.Relu{}, x) },
		"padded max pool": func(n *network, x float.ValueID) float.ValueID {
			return n.add(&float.MaxPool{Window: square(3, 2, 1)}, n.conv(x, 4, 3, 1, 1, 1))
		},
		"dilated max pool": func(n *network, x float.ValueID) float.ValueID {
			w := square(3, 1, 2)
			w.Dilations = []int{2, 3}
			return n.add(&float.MaxPool{Window: w}, x)
		},
		"average pool": func(n *network, x float.ValueID) float.ValueID {
			return n.add(&float.AveragePool{Window: square(2, 2, 0), Uncounted: []int{0, 0}}, base(n, x))
		},
		"average pool without its padding": func(n *network, x float.ValueID) float.ValueID {
			return n.add(&float.AveragePool{Window: square(3, 2, 1), Uncounted: []int{0, 0}}, base(n, x))
		},
		"average pool with its padding": func(n *network, x float.ValueID) float.ValueID {
			return n.conv(n.add(&float.AveragePool{Window: square(3, 2, 1), CountIncludePad: true, Uncounted: []int{0, 0}}, base(n, x)), 3, 1, 1, 0, 1)
		},
		"average pool of many divisors": func(n *network, x float.ValueID) float.ValueID {
			return n.add(&float.AveragePool{Window: square(7, 2, 3), Uncounted: []int{0, 0}}, base(n, x))
		},
		"function of a mean": func(n *network, x float.ValueID) float.ValueID {
			return n.add(&float.Sigmoid{}, n.add(&float.MeanAxes{Axes: []int{0, 2, 3}}, base(n, x)))
		},
		"clipped mean": func(n *network, x float.ValueID) float.ValueID {
			return n.add(&float.Clip{Lo: 2, Hi: 3}, n.add(&float.MeanAxes{Axes: []int{0, 2, 3}}, base(n, x)))
		},
		"shifted mean": func(n *network, x float.ValueID) float.ValueID {
			y := n.add(&float.MeanAxes{Axes: []int{0, 2, 3}}, base(n, x))
			return n.add(&float.Relu{}, n.add(&float.AddConst{C: float.Tensor{Shape: []int{1}, Data: []float32{100}}}, y))
		},
		"concat with a mean": func(n *network, x float.ValueID) float.ValueID {
			y := base(n, x)
			return n.add(&float.Concat{Axis: 2}, y, n.add(&float.MeanAxes{Axes: []int{2}, KeepDims: true}, y))
		},
		"mean": func(n *network, x float.ValueID) float.ValueID {
			return n.matMul(n.add(&float.MeanAxes{Axes: []int{2, 3}}, base(n, x)), 3)
		},
		"mean of channels": func(n *network, x float.ValueID) float.ValueID {
			return n.add(&float.MeanAxes{Axes: []int{1}, KeepDims: true}, base(n, x))
		},
		"mean of all": func(n *network, x float.ValueID) float.ValueID {
			return n.add(&float.MeanAxes{Axes: []int{0, 1, 2, 3}}, base(n, x))
		},
		"concat": func(n *network, x float.ValueID) float.ValueID {
			return n.conv(n.add(&float.Concat{Axis: 1}, base(n, x), n.conv(x, 2, 3, 1, 1, 1), x), 3, 3, 1, 1, 1)
		},
		"function of a concat": func(n *network, x float.ValueID) float.ValueID {
			return n.add(&float.Relu{}, n.add(&float.Concat{Axis: 2}, n.conv(x, 4, 1, 1, 0, 1), x))
		},
		"scaled concat": func(n *network, x float.ValueID) float.ValueID {
			half := n.add(&float.MulConst{C: float.Tensor{Shape: []int{1, 1, 1, 1}, Data: []float32{0.5}}}, x)
			return n.conv(n.add(&float.Concat{Axis: 1}, half, x), 3, 1, 1, 0, 1)
		},
		"transpose and product": func(n *network, x float.ValueID) float.ValueID {
			return n.matMul(n.add(&float.Transpose{Perm: []int{0, 2, 3, 1}}, base(n, x)), 5)
		},
		"transpose and flatten": func(n *network, x float.ValueID) float.ValueID {
			y := n.add(&float.Transpose{Perm: []int{0, 2, 3, 1}}, base(n, x))
			return n.matMul(n.add(&float.Reshape{Shape: []int{2, 256}}, y), 5)
		},
		"slice backwards": func(n *network, x float.ValueID) float.ValueID {
			return n.conv(n.add(&float.Slice{Starts: []int{0, 3, 0, 1}, Steps: []int{1, -2, 1, 2}, Sizes: []int{2, 2, 8, 3}}, base(n, x)), 3, 1, 1, 0, 1)
		},
		"pad": func(n *network, x float.ValueID) float.ValueID {
			return n.conv(n.add(&float.Pad{Begin: []int{0, 0, 1, 2}, End: []int{0, 1, 0, 3}}, base(n, x)), 3, 3, 1, 0, 1)
		},
		"split batch": func(n *network, x float.ValueID) float.ValueID {
			return n.matMul(n.add(&float.Reshape{Shape: []int{4, 128}}, base(n, x)), 5)
		},
		"sequence": func(n *network, x float.ValueID) float.ValueID {
			y := n.add(&float.Relu{}, n.matMul(n.add(&float.Reshape{Shape: []int{2, 16, 16}}, base(n, x)), 6))
			return n.matMul(n.add(&float.Reshape{Shape: []int{2, 96}}, y), 5)
		},
		"constant within a channel": func(n *network, x float.ValueID) float.ValueID {
			return n.conv(n.add(&float.MulConst{C: n.constant(1, 1, 1, 8, 8)}, base(n, x)), 3, 1, 1, 0, 1)
		},
		"constant within and along channels": func(n *network, x float.ValueID) float.ValueID {
			y := n.add(&float.MulConst{C: n.constant(1, 1, 1, 8, 8)}, base(n, x))
			y = n.add(&float.MulConst{C: n.constant(1, 1, 4, 1, 1)}, y)
			return n.add(&float.Relu{}, n.add(&float.Add{Subtract: true}, x, y))
		},
		"bias after flattening": func(n *network, x float.ValueID) float.ValueID {
			y := n.add(&float.Reshape{Shape: []int{2, 256}}, n.conv(x, 4, 3, 1, 1, 1))
			return n.add(&float.Relu{}, n.add(&float.AddConst{C: n.constant(1, 1, 256)}, y))
		},
		"bias of a product after flattening": func(n *network, x float.ValueID) float.ValueID {
			y := n.matMul(n.add(&float.Reshape{Shape: []int{2, 256}}, base(n, x)), 5)
			return n.add(&float.Relu{}, n.add(&float.AddConst{C: n.constant(9, 1, 5)}, y))
		},
		"shifted input of a padded convolution": func(n *network, x float.ValueID) float.ValueID {
			return n.conv(n.add(&float.AddConst{C: n.constant(1, 1, 4, 1, 1)}, x), 3, 3, 1, 1, 1)
		},
		"negative factor": func(n *network, x float.ValueID) float.ValueID {
			return n.add(&float.Relu{}, n.add(&float.MulConst{C: float.Tensor{Shape: []int{1, 1, 1, 1}, Data: []float32{-2}}}, x))
		},
		"sum of products of unlike layout": func(n *network, x float.ValueID) float.ValueID {
			y := base(n, x)
			a := n.matMul(n.add(&float.Reshape{Shape: []int{2, 256}}, y), 5)
			b := n.matMul(n.add(&float.MeanAxes{Axes: []int{2, 3}}, y), 5)
			return n.add(&float.Relu{}, n.add(&float.Add{Subtract: true}, a, b))
		},
		"value minus itself": func(n *network, x float.ValueID) float.ValueID {
			y := n.conv(x, 3, 3, 1, 1, 1)
			return n.add(&float.AddConst{C: n.constant(1, 1, 3, 1, 1)}, n.add(&float.Add{Subtract: true}, y, y))
		},
		"input as output": func(n *network, x float.ValueID) float.ValueID { return x },
		"zero weights": func(n *network, x float.ValueID) float.ValueID {
			w := &float.Conv{Window: square(1, 1, 0), Out: 2, In: 4, Group: 1, W: make([]float32, 8), B: []float32{0, 1}}
			return n.add(&float.Relu{}, n.add(w, x))
		},
	}
	for name, build := range cases {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t, 3, []int{2, 4, 8, 8})
			n.output(build(n, 0))
			n.close(n.lower(Options{Ranges: RangesMax}), 0.06)
		})
	}
}

func TestRandomNetworksStayClose(t *testing.T) {
	for seed := range uint64(60) {
		n := newNetwork(t, seed, []int{1, 3, 8, 8})
		x := float.ValueID(0)
		for range 1 + n.r.IntN(5) {
			x = n.randomLayer(x)
		}
		n.output(x)
		low := n.lower(Options{})
		for _, a := range low.Report.Outputs {
			if a.Cosine < 0.995 {
				t.Errorf("seed %d: cosine %g, off by %g of %g", seed, a.Cosine, a.MaxAbs, a.Largest)
			}
		}
		n.stayInside(low)
	}
}

// stayInside requires the static bounds to hold for inputs at the ends of their domain: the
// interpreter refuses a quotient outside its table.
func (n *network) stayInside(low *Lowered) {
	n.t.Helper()
	for range 3 {
		var inputs [][]int32
		for _, i := range low.Graph.Inputs() {
			op := low.Graph.Nodes[i].Op.(*graph.Input)
			cells := make([]int32, graph.Elements(op.Shape))
			for k := range cells {
				cells[k] = int32([]int64{op.Lo, op.Hi}[n.r.IntN(2)])
			}
			inputs = append(inputs, cells)
		}
		trace, err := interpret.Run(context.Background(), low.Graph, low.Info, low.Weights, inputs)
		if err != nil {
			n.t.Fatal(err)
		}
		for i, accs := range trace.Accs {
			for _, v := range accs {
				if acc := graph.AccumulatorOf(low.Graph.Nodes[i].Op); v < acc.Lo || v > acc.Hi {
					n.t.Fatalf("accumulator %d of node %d leaves [%d, %d]", v, i, acc.Lo, acc.Hi)
				}
			}
		}
	}
}

func (n *network) randomLayer(x float.ValueID) float.ValueID {
	s := n.g.ShapeOf(x)
	switch n.r.IntN(8) {
	case 0:
		return n.add(&float.Relu{}, n.conv(x, 1+n.r.IntN(9), 3, 1, 1, 1))
	case 1:
		return n.add(&float.LeakyRelu{Alpha: 0.2}, n.conv(x, s[1], 3, 1, 1, s[1]))
	case 2:
		return n.add(&float.Add{Subtract: n.r.IntN(2) == 0}, x, n.conv(x, s[1], 3, 1, 1, 1))
	case 3:
		return n.add(&float.Concat{Axis: 1}, n.conv(x, 2, 1, 1, 0, 1), x)
	case 4:
		return n.add(&float.Relu{}, n.add(&float.MaxPool{Window: square(3, 1, 1)}, n.conv(x, 4, 1, 1, 0, 1)))
	case 5:
		return n.add(&float.AveragePool{Window: square(3, 1, 1), Uncounted: []int{0, 0}}, x)
	case 6:
		return n.add(&float.Sigmoid{}, n.conv(x, 5, 1, 1, 0, 1))
	default:
		y := n.add(&float.MulConst{C: n.constant(1, 1, s[1], 1, 1)}, x)
		return n.add(&float.Relu{}, n.add(&float.AddConst{C: n.constant(1, 1, s[1], 1, 1)}, y))
	}
}

func TestClampsShareOneTableOfMinimalDomain(t *testing.T) {
	n := newNetwork(t, 1, []int{1, 4, 6, 6})
	x := n.add(&float.Relu{}, n.conv(0, 4, 3, 1, 1, 1))
	x = n.add(&float.Clip{Lo: 0, Hi: 1}, n.conv(x, 4, 3, 1, 1, 1))
	n.output(n.add(&float.AveragePool{Window: square(2, 2, 0), Uncounted: []int{0, 0}}, x))
	n.output(n.add(&float.Relu{}, n.add(&float.AveragePool{Window: square(2, 2, 0), Uncounted: []int{0, 0}}, x)))
	low := n.lower(Options{})
	if len(low.Graph.Tables) != 1 {
		t.Fatalf("tables %v, want one", low.Report.Tables)
	}
	var hull graph.Interval
	for i := range low.Graph.Nodes {
		if op, ok := low.Graph.Nodes[i].Op.(*graph.Rescale); ok {
			hull.Lo = min(hull.Lo, graph.ShiftRight(op.Acc.Lo, op.MinShift()))
			hull.Hi = max(hull.Hi, graph.ShiftRight(op.Acc.Hi, op.MinShift()))
		}
	}
	if hull != low.Report.Tables[0] {
		t.Errorf("domain %v, the layers need %v", low.Report.Tables[0], hull)
	}
}

func TestUnlikeChannelsGetTheirOwnShifts(t *testing.T) {
	n := newNetwork(t, 5, []int{1, 8, 6, 6})
	w := n.random(8*9, 1)
	for i := range w {
		w[i] *= float32(int(1) << (i / 9))
	}
	conv := &float.Conv{Window: square(3, 1, 1), Out: 8, In: 8, Group: 8, W: w, B: make([]float32, 8)}
	n.output(n.add(&float.Relu{}, n.add(conv, 0)))
	low := n.lower(Options{WeightBits: 8})
	n.close(low, 0.03)
	op := low.Graph.Nodes[1].Op.(*graph.Rescale)
	if d := op.MaxShift() - op.MinShift(); d < 2 || d > maxSpread {
		t.Errorf("shifts %v", op.Shift)
	}
	for oc, s := range op.Shift {
		for _, v := range low.Weights[0][oc*9:][:9] {
			if s > op.MinShift() && max(v, -v) > 127 {
				t.Errorf("weight %d of channel %d at shift %d", v, oc, s)
			}
		}
	}
}

func TestResidualTermsForceOneShift(t *testing.T) {
	n := newNetwork(t, 6, []int{1, 4, 6, 6})
	x := n.add(&float.Relu{}, n.conv(0, 4, 3, 1, 1, 1))
	n.output(n.add(&float.Relu{}, n.add(&float.Add{}, x, n.conv(x, 4, 3, 1, 1, 1))))
	low := n.lower(Options{WeightBits: 6})
	op := low.Graph.Nodes[2].Op.(*graph.Rescale)
	if len(op.Shift) != 1 || len(op.Acc.Terms) != 2 {
		t.Errorf("%d shifts, %d terms", len(op.Shift), len(op.Acc.Terms))
	}
}

func TestMeansAreExact(t *testing.T) {
	n := newNetwork(t, 7, []int{1, 4, 7, 7})
	n.output(n.add(&float.Relu{}, n.add(&float.MeanAxes{Axes: []int{2, 3}, KeepDims: true}, 0)))
	low := n.lower(Options{})
	in, out := low.Graph.Nodes[0].Op.(*graph.Input), low.Graph.Outputs[0]
	op := low.Graph.Nodes[out.Tensor].Op.(*graph.Rescale)
	mean := in.Scale / 49
	if got := float64(op.Acc.Terms[0].Mult) * out.Scale / float64(int(1)<<op.Shift[0]); math.Abs(got/mean-1) > 1e-12 {
		t.Errorf("a cell adds %g to a mean, want %g", got, mean)
	}
}

func TestMeansOfManyCellsAreKept(t *testing.T) {
	for _, shift := range []int{6, 12} {
		n := newNetwork(t, 17, []int{2, 2, 9001})
		n.output(n.add(&float.MeanAxes{Axes: []int{2}}, 0))
		n.output(n.add(&float.Relu{}, n.add(&float.MeanAxes{Axes: []int{1, 2}}, 0)))
		samples := n.samples(1)
		for i := range samples[0][0].Data {
			samples[0][0].Data[i] += 0.5
		}
		low, err := Lower(t.Context(), &n.g, samples, Options{MaxShift: shift, Ranges: RangesMax})
		if err != nil {
			t.Fatal(err)
		}
		scale := low.Graph.Nodes[0].Op.(*graph.Input).Scale
		for _, a := range low.Report.Outputs {
			if a.MaxAbs > scale {
				t.Errorf("shift %d: a mean of %g is off by %g, cells have scale %g", shift, a.Largest, a.MaxAbs, scale)
			}
		}
	}
}

func TestCurvedFunctionsShareATable(t *testing.T) {
	n := newNetwork(t, 16, []int{1, 4, 6, 6})
	x := n.add(&float.Tanh{}, n.conv(0, 4, 3, 1, 1, 1))
	n.output(n.add(&float.Tanh{}, n.conv(x, 4, 3, 1, 1, 1)))
	low := n.lower(Options{})
	if len(low.Graph.Tables) != 1 {
		t.Errorf("tables %v, want one", low.Report.Tables)
	}
}

func TestFunctionsThatMoveNothingKeepTheScale(t *testing.T) {
	n := newNetwork(t, 8, []int{1, 4, 6, 6})
	y := n.conv(0, 4, 1, 1, 0, 1)
	n.output(n.add(&float.Relu{}, n.add(&float.Concat{Axis: 1}, y, 0)))
	low := n.lower(Options{})
	op := low.Graph.Nodes[len(low.Graph.Nodes)-1].Op.(*graph.Rescale)
	if op.Shift[0] != 0 || op.Acc.Terms[0].Mult != 1 {
		t.Errorf("shift %v, multiplier %d, want 0 and 1", op.Shift, op.Acc.Terms[0].Mult)
	}
}

func TestLogitsAndSoftmaxShareOneReveal(t *testing.T) {
	n := newNetwork(t, 9, []int{3, 5})
	y := n.matMul(n.add(&float.Relu{}, n.matMul(0, 7)), 4)
	n.output(y)
	n.tail(y, &float.Softmax{Axis: 1})
	n.tail(y, &float.ArgMax{Axis: 1, KeepDims: true})
	low := n.lower(Options{})
	o := low.Graph.Outputs
	if count[*graph.Reveal](low) != 1 || o[1].Tail != graph.TailSoftmax || o[2].Tail != graph.TailArgMax || !o[2].KeepDims || o[1].Tensor != o[0].Tensor {
		t.Errorf("outputs %+v", o)
	}
	n.close(low, 0.02)
}

func TestValueThatIsReadAndGivenIsCommittedOnce(t *testing.T) {
	n := newNetwork(t, 10, []int{3, 5})
	y := n.matMul(0, 7)
	n.output(y)
	n.output(n.matMul(y, 2))
	low := n.lower(Options{})
	if count[*graph.Reveal](low) != 1 || count[*graph.Rescale](low) != 1 {
		t.Errorf("%d reveals, %d rescales", count[*graph.Reveal](low), count[*graph.Rescale](low))
	}
	n.close(low, 0.03)
}

func TestLoweringIsDeterministic(t *testing.T) {
	build := func() []byte {
		n := newNetwork(t, 11, []int{1, 3, 8, 8})
		x := n.add(&float.Tanh{}, n.conv(0, 4, 3, 1, 1, 1))
		n.output(n.conv(n.add(&float.Sigmoid{}, n.conv(x, 4, 3, 1, 1, 1)), 2, 1, 1, 0, 1))
		low := n.lower(Options{})
		return low.Graph.Encode()
	}
	if !bytes.Equal(build(), build()) {
		t.Error("two lowerings of one network differ")
	}
}

func TestOptionsOutOfRangeAreRefused(t *testing.T) {
	n := newNetwork(t, 13, []int{1, 4})
	n.output(n.matMul(0, 2))
	for name, o := range map[string]Options{
		"activations": {ActivationBits: 3}, "weights": {WeightBits: 17}, "shift": {MaxShift: 15},
		"headroom": {Headroom: 0.5}, "range": {InputRange: map[string]float64{"x0": -1}}, "input": {InputRange: map[string]float64{"x9": 1}}, "ranges": {Ranges: 9},
	} {
		if _, err := Lower(context.Background(), &n.g, nil, o); !errors.Is(err, ErrOptions) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWithoutSamplesTheReportSaysSo(t *testing.T) {
	n := newNetwork(t, 14, []int{1, 4})
	n.output(n.matMul(n.add(&float.Relu{}, n.matMul(0, 6)), 2))
	low, err := Lower(context.Background(), &n.g, nil, Options{InputRange: map[string]float64{"x0": 3}})
	if err != nil {
		t.Fatal(err)
	}
	in := low.Graph.Nodes[0].Op.(*graph.Input)
	if low.Report.Samples != 0 || in.Scale != 3.0/127 {
		t.Errorf("%d samples, scale %g", low.Report.Samples, in.Scale)
	}
	n.close(low, 0.03)
}

func TestSamplesBeyondADeclaredRangeAreCounted(t *testing.T) {
	n := newNetwork(t, 15, []int{1, 4})
	n.output(n.matMul(0, 2))
	sample := [][]float.Tensor{{{Shape: []int{1, 4}, Data: []float32{0.5, 9, -1, -9}}}}
	low, err := Lower(context.Background(), &n.g, sample, Options{InputRange: map[string]float64{"x0": 1}})
	if err != nil || low.Report.Clamped != 2 {
		t.Errorf("%v, %+v", err, low)
	}
}
