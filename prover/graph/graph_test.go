package graph

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// small is a convolution, a residual branch and a maximum over shifted views.
func small() *Graph {
	relu := NewTable(-512, clampValues(-512, 512, 0, 127))
	return &Graph{
		Tables: []Table{relu},
		Nodes: []Node{
			{Name: "x", Op: &Input{Name: "x", Shape: []int{1, 2, 4, 4}, Lo: -127, Hi: 127, Scale: 0.5}},
			{Name: "conv", Inputs: []int{0, 0}, Op: &Rescale{
				Acc: Accumulator{Channel: 1, Lo: -30000, Hi: 30000, Bias: Constant{Shape: []int{1, 2, 1, 1}, Data: []int64{3, -4}}, Terms: []Term{
					{Conv: &Conv{Channel: 1, InChannels: 2, OutChannels: 2, Groups: 1, Spatial: []Window{
						{Axis: 2, Kernel: 3, Stride: 1, Dilation: 1, Pad: 1, Out: 4}, {Axis: 3, Kernel: 3, Stride: 1, Dilation: 1, Pad: 1, Out: 4},
					}}},
					{Mult: 7},
				}},
				Shift: []int{6, 7},
			}},
			{Name: "even", Inputs: []int{1}, Op: &Slice{Axis: 3, Start: 0, Step: 2, Len: 2}},
			{Name: "odd", Inputs: []int{1}, Op: &Slice{Axis: 3, Start: 1, Step: 2, Len: 2}},
			{Name: "max", Inputs: []int{2, 3}, Op: &Max{Channel: 1}},
			{Name: "sum", Inputs: []int{4}, Op: &SumWindow{Window{Axis: 2, Kernel: 4, Stride: 1, Dilation: 1, Out: 1}}},
			{Name: "flat", Inputs: []int{5}, Op: &Reshape{Shape: []int{1, 4}}},
			{Name: "fc", Inputs: []int{6}, Op: &Reveal{Acc: Accumulator{Channel: 1, Lo: -1 << 20, Hi: 1 << 20, Terms: []Term{
				{Conv: &Conv{Weight: 1, Channel: 1, InChannels: 4, OutChannels: 3, Groups: 1}},
			}}}},
		},
		Outputs: []Output{{Name: "y", Tensor: 7, Shape: []int{1, 3}, Scale: 0.25, Tail: TailSoftmax, Axis: 1}},
	}
}

func clampValues(from, to, lo, hi int32) []int32 {
	var v []int32
	for q := from; q < to; q++ {
		v = append(v, min(max(q, lo), hi))
	}
	return v
}

func TestCheckDerivesShapesAndBounds(t *testing.T) {
	info, err := small().Check()
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Bounds[5]; got != (Interval{0, 508}) {
		t.Errorf("sum of four maxima in %v", got)
	}
	if got := Elements(info.Shapes[7]); got != 3 {
		t.Errorf("output of %d cells", got)
	}
}

func TestCheckRefusesEveryBrokenRule(t *testing.T) {
	cases := map[string]func(*Graph){
		"input of a later tensor":  func(g *Graph) { g.Nodes[1].Inputs[0] = 3 },
		"table too small":          func(g *Graph) { g.Tables[0] = NewTable(-8, clampValues(-8, 8, 0, 127)) },
		"table does not exist":     func(g *Graph) { g.Nodes[1].Op.(*Rescale).Table = 1 },
		"shift per wrong channels": func(g *Graph) { g.Nodes[1].Op.(*Rescale).Shift = []int{1, 2, 3} },
		"shift too large":          func(g *Graph) { g.Nodes[1].Op.(*Rescale).Shift = []int{MaxShift + 1} },
		"weights of another shape": func(g *Graph) { g.Nodes[7].Op.(*Reveal).Acc.Terms[0].Conv.Weight = 0 },
		"weight left out":          func(g *Graph) { g.Nodes[7].Op.(*Reveal).Acc.Terms[0].Conv.Weight = 2 },
		"negative weight":          func(g *Graph) { g.Nodes[7].Op.(*Reveal).Acc.Terms[0].Conv.Weight = -1 },
		"maximum of unlike shapes": func(g *Graph) { g.Nodes[3].Op.(*Slice).Len = 1 },
		"slice past the end":       func(g *Graph) { g.Nodes[3].Op.(*Slice).Start = 2 },
		"reshape of another size":  func(g *Graph) { g.Nodes[6].Op.(*Reshape).Shape = []int{1, 5} },
		"bias that does not fit":   func(g *Graph) { g.Nodes[1].Op.(*Rescale).Acc.Bias.Data = []int64{1} },
		"bound past 2^53":          func(g *Graph) { g.Nodes[7].Op.(*Reveal).Acc.Hi = 1 << 53 },
		"zero stride":              func(g *Graph) { g.Nodes[1].Op.(*Rescale).Acc.Terms[0].Conv.Spatial[0].Stride = 0 },
		"no outputs":               func(g *Graph) { g.Outputs = nil },
		"output of no tensor":      func(g *Graph) { g.Outputs[0].Tensor = 9 },
		"output of another size":   func(g *Graph) { g.Outputs[0].Shape = []int{1, 4} },
		"hidden revealed tensor":   func(g *Graph) { g.Outputs[0].Tensor = 6 },
		"shape that overflows":     func(g *Graph) { g.Nodes[0].Op.(*Input).Shape = []int{1 << 30, 1 << 30, 4, 4} },
		"bias past 2^53":           func(g *Graph) { g.Nodes[1].Op.(*Rescale).Acc.Bias.Data[0] = 1 << 53 },
		"endless input scale":      func(g *Graph) { g.Nodes[0].Op.(*Input).Scale = math.Inf(1) },
		"endless output scale":     func(g *Graph) { g.Outputs[0].Scale = math.Inf(1) },
		"too many inputs":          func(g *Graph) { g.Nodes[4].Inputs = make([]int, MaxInputs+1) },
		"input name too long":      func(g *Graph) { g.Nodes[0].Op.(*Input).Name = strings.Repeat("n", maxText+1) },
		"output name too long":     func(g *Graph) { g.Outputs[0].Name = strings.Repeat("n", maxText+1) },
		"name too long":            func(g *Graph) { g.Nodes[4].Name = strings.Repeat("n", maxText+1) },
		"convolution of wide cells": func(g *Graph) {
			g.Nodes[4] = Node{Inputs: []int{2}, Op: &Scale{Constant{[]int{1, 1, 1, 1}, []int64{1 << 30}}}}
		},
		"steps of other features":   func(g *Graph) { g.Nodes[0].Op.(*Input).Steps = []float64{1, 2, 3, 4, 5, 6, 7} },
		"step of zero":              func(g *Graph) { g.Nodes[0].Op.(*Input).Steps = stepsOf(g, 0) },
		"negative step":             func(g *Graph) { g.Nodes[0].Op.(*Input).Steps = stepsOf(g, -1) },
		"endless step":              func(g *Graph) { g.Nodes[0].Op.(*Input).Steps = stepsOf(g, math.MaxFloat64) },
		"labels of other classes":   func(g *Graph) { g.Outputs[0].Tail, g.Outputs[0].Labels = TailArgMax, []int64{1, 2, 3, 4, 5, 6, 7} },
		"labels without classes":    func(g *Graph) { g.Outputs[0].Labels = make([]int64, g.Outputs[0].Shape[0]) },
		"label past 2^53":           func(g *Graph) { *g.Outputs[0].labelled() = 1 << 53 },
		"no such tail":              func(g *Graph) { g.Outputs[0].Tail = lastTail + 1 },
		"groups that do not divide": func(g *Graph) { g.Nodes[1].Op.(*Rescale).Acc.Terms[0].Conv.Groups = 3 },
	}
	for name, breakIt := range cases {
		t.Run(name, func(t *testing.T) {
			g := small()
			breakIt(g)
			if _, err := g.Check(); !errors.Is(err, ErrInvalid) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// stepsOf are good steps of the input but for the last.
func stepsOf(g *Graph, last float64) []float64 {
	in := g.Nodes[0].Op.(*Input)
	in.Scale = 2
	steps := slices.Repeat([]float64{1}, in.Shape[len(in.Shape)-1])
	steps[len(steps)-1] = last
	return steps
}

// labelled gives an output labels, and returns the first.
func (o *Output) labelled() *int64 {
	o.Tail, o.Axis = TailArgMax, len(o.Shape)-1
	o.Labels = make([]int64, o.Shape[o.Axis])
	return &o.Labels[0]
}

// tabular is a graph whose input has steps, and whose output has labels.
func tabular() *Graph {
	g := small()
	g.Nodes[0].Op.(*Input).Steps = stepsOf(g, 0.5)
	*g.Outputs[0].labelled() = -7
	return g
}

func TestStepsAndLabelsBelongToAGraph(t *testing.T) {
	g := tabular()
	if _, err := g.Check(); err != nil {
		t.Fatal(err)
	}
	n := len(g.Nodes[0].Op.(*Input).Steps)
	for change, other := range map[string]func(*Graph){
		"a step":  func(g *Graph) { g.Nodes[0].Op.(*Input).Steps[n-1] = 0.25 },
		"a label": func(g *Graph) { g.Outputs[0].Labels[0]++ },
		"a tail":  func(g *Graph) { g.Outputs[0].Tail, g.Outputs[0].Labels = TailOneVsRest, nil },
	} {
		changed := tabular()
		other(changed)
		if bytes.Equal(changed.Encode(), g.Encode()) {
			t.Errorf("%s is not encoded", change)
		}
	}
	in := g.Nodes[0].Op.(*Input)
	if got := [2]float64{in.Step(n - 1), in.Step(n)}; got != [2]float64{1, 2} {
		t.Errorf("steps %v", got)
	}
}

func TestCheckWeightsRefusesAStatedBoundThatWeightsExceed(t *testing.T) {
	g := small()
	info, err := g.Check()
	if err != nil {
		t.Fatal(err)
	}
	w := Weights{make([]int32, 36), make([]int32, 12)}
	w[0][5] = 100
	if err := g.CheckWeights(info, w); err != nil {
		t.Fatal(err)
	}
	w[0][6] = 200
	if err := g.CheckWeights(info, w); !errors.Is(err, ErrInvalid) {
		t.Errorf("got %v", err)
	}
}

func TestTableKeepsValues(t *testing.T) {
	values := []int32{5, 5, 5, 7, 9, 11, 11, -3, 0, 0}
	table := NewTable(-4, values)
	got := table.Values()
	for i := range values {
		if got[i] != values[i] {
			t.Fatalf("row %d is %d, want %d", i, got[i], values[i])
		}
	}
	if r := table.Range(); r != (Interval{-3, 11}) {
		t.Errorf("range %v", r)
	}
}

func TestEncodingIsCanonical(t *testing.T) {
	for _, x := range []*Graph{small(), tabular(), forest()} {
		data := x.Encode()
		g, err := Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(g.Encode(), data) {
			t.Error("decoding and encoding changed the bytes")
		}
		for n := range data {
			if _, err := Decode(data[:n]); !errors.Is(err, ErrEncoding) {
				t.Fatalf("prefix of %d bytes: %v", n, err)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(small().Encode())
	f.Add(tabular().Encode())
	f.Add(forest().Encode())
	f.Add(attention().Encode())
	f.Add(embedding().Encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := Decode(data)
		if err != nil {
			return
		}
		if !bytes.Equal(g.Encode(), data) {
			t.Error("two encodings of one graph")
		}
		_, _ = g.Check()
	})
}
