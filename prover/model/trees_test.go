package model

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
	"github.com/weisyn/wes/prover/model/onnx"
	"github.com/weisyn/wes/prover/model/tensor"
)

// TestForestGivesTheSameLabels of all samples, and probabilities up to what float32 rounds.
func TestForestGivesTheSameLabels(t *testing.T) {
	fg, low := load(t, "iris_rf", 38)
	var want struct {
		Label  []float64
		Output struct{ Data []float64 }
	}
	if err := json.Unmarshal(read(t, "iris_rf.expected.json"), &want); err != nil {
		t.Fatal(err)
	}
	in, _ := tensor.ParseJSON(read(t, "iris_rf.input.json"))
	samples, err := Samples(fg, in)
	if err != nil {
		t.Fatal(err)
	}
	cells, clamped, err := low.run(t.Context(), samples[0])
	if err != nil || clamped > 0 {
		t.Fatal(err, clamped)
	}
	for i := range low.Graph.Outputs {
		got, err := tensor.Dequantize(&low.Graph.Outputs[i], cells[i])
		if err != nil {
			t.Fatal(err)
		}
		if got.Name == "label" {
			if got.Datatype != "INT64" || !slices.Equal(got.Data, want.Label) {
				t.Errorf("labels %v, want %v", got.Data, want.Label)
			}
			continue
		}
		for k, v := range got.Data {
			if math.Abs(v-want.Output.Data[k]) > 5e-7 {
				t.Errorf("probability %d is %g, want %g", k, v, want.Output.Data[k])
			}
		}
	}
	if n := count[*graph.Trees](low); n != 1 || len(low.Graph.Nodes) != 2 {
		t.Errorf("%d trees of %d nodes", n, len(low.Graph.Nodes))
	}
}

// trees adds random trees over a table; their thresholds are among few numbers.
func (n *network) trees(x float.ValueID, targets int) float.ValueID {
	op := &float.Trees{Features: n.g.ShapeOf(x)[1], Targets: targets, Base: n.random(targets, 1)}
	for range 20 {
		op.Trees = append(op.Trees, n.grow(nil, op.Features, targets, 5))
	}
	return n.add(op, x)
}

func (n *network) grow(nodes float.Tree, features, targets, depth int) float.Tree {
	at := len(nodes)
	if depth == 0 || at > 0 && n.r.IntN(5) == 0 {
		var leaf float.TreeNode
		for t, w := range n.random(targets, 1) {
			leaf.Votes = append(leaf.Votes, float.Vote{Target: t, Weight: w})
		}
		return append(nodes, leaf)
	}
	node := float.TreeNode{Test: float.AtMost, Feature: n.r.IntN(features), Threshold: threshold(n.r)}
	if n.r.IntN(5) == 0 {
		node.Test = float.EqualTo
	}
	nodes = n.grow(append(nodes, node), features, targets, depth-1)
	nodes[at].Else = len(nodes)
	return n.grow(nodes, features, targets, depth-1)
}

func threshold(r *rand.Rand) float32 {
	few := []float32{0, 0.5, -0.5, 1e-44, -1e-44, 1e30, float32(math.Inf(-1)), 0.1}
	return few[r.IntN(len(few))]
}

// rows are samples of which many cells meet thresholds.
func (n *network) rows(count int) [][]float.Tensor {
	samples := n.samples(count)
	for _, s := range samples {
		for _, t := range s {
			for i := range t.Data {
				if n.r.IntN(2) == 0 {
					t.Data[i] = max(threshold(n.r), -1e30)
				}
			}
		}
	}
	return samples
}

// TestTreesAreExact: every cell is that of the float model up to the rounding of float32 sums.
func TestTreesAreExact(t *testing.T) {
	for seed := range uint64(20) {
		n := newNetwork(t, seed, []int{8, 5})
		n.output(n.trees(0, 3))
		low, err := Lower(t.Context(), &n.g, n.rows(3), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if a := low.Report.Outputs[0]; a.MaxAbs > 1e-5 || low.Report.Clamped > 0 {
			t.Errorf("seed %d: %+v", seed, a)
		}
	}
}

func TestAverageIsPartOfTheVotes(t *testing.T) {
	n := newNetwork(t, 3, []int{8, 5})
	n.output(n.trees(0, 3))
	n.g.Nodes[0].Op.(*float.Trees).Average = true
	low, err := Lower(t.Context(), &n.g, n.rows(3), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if a := low.Report.Outputs[0]; a.MaxAbs > 1e-6 {
		t.Errorf("%+v", a)
	}
}

// TestTreesGoOnInANetwork: as 16 bits, and in sums.
func TestTreesGoOnInANetwork(t *testing.T) {
	for name, build := range map[string]func(n *network, y float.ValueID) float.ValueID{
		"scaled by one": func(n *network, y float.ValueID) float.ValueID {
			return n.add(&float.MulConst{C: n.constant(1, 1, 1)}, y)
		},
		"product": func(n *network, y float.ValueID) float.ValueID { return n.matMul(y, 4) },
		"layers": func(n *network, y float.ValueID) float.ValueID {
			return n.matMul(n.add(&float.Relu{}, n.matMul(y, 6)), 4)
		},
		"function": func(n *network, y float.ValueID) float.ValueID { return n.add(&float.Tanh{}, y) },
		"scaled": func(n *network, y float.ValueID) float.ValueID {
			return n.add(&float.MulConst{C: n.constant(1, 1, 3)}, y)
		},
		"sum":   func(n *network, y float.ValueID) float.ValueID { return n.add(&float.Add{}, y, n.trees(0, 3)) },
		"moved": func(n *network, y float.ValueID) float.ValueID { return n.add(&float.Transpose{Perm: []int{1, 0}}, y) },
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t, 5, []int{8, 5})
			n.output(build(n, n.trees(0, 3)))
			low, err := Lower(t.Context(), &n.g, n.rows(6), Options{})
			if err != nil {
				t.Fatal(err)
			}
			a := low.Report.Outputs[0]
			if a.MaxAbs > 0.05*a.Largest {
				t.Errorf("%+v", a)
			}
			if shown := name == "moved" || name == "scaled by one"; shown && (a.MaxAbs > 1e-5 || count[*graph.Rescale](low) > 0) {
				t.Errorf("%d nodes: %+v", len(low.Graph.Nodes), a)
			}
		})
	}
}

// TestTreesThatAreShownToo: an output has them as fine as it had without the layer that reads them.
func TestTreesThatAreShownToo(t *testing.T) {
	n := newNetwork(t, 5, []int{8, 5})
	y := n.trees(0, 3)
	n.output(y)
	n.output(n.matMul(n.add(&float.Relu{}, y), 4))
	low, err := Lower(t.Context(), &n.g, n.rows(6), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if a := low.Report.Outputs; a[0].MaxAbs > 1e-5 || a[1].MaxAbs > 0.05*a[1].Largest {
		t.Errorf("%+v", a)
	}
}

func TestTreesThatCannotBeLowered(t *testing.T) {
	for want, build := range map[string]func(n *network){
		`"MatMul2" reads input "x0" too`: func(n *network) { n.output(n.trees(0, 2)); n.output(n.matMul(0, 2)) },
		"is an output of the model too":  func(n *network) { n.output(n.trees(0, 2)); n.output(0) },
	} {
		n := newNetwork(t, 1, []int{8, 5})
		build(n)
		if _, err := Lower(t.Context(), &n.g, n.rows(2), Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestDeclaredRangeBoundsKeys: a request beyond it is refused, one at it is not.
func TestDeclaredRangeBoundsKeys(t *testing.T) {
	n := newNetwork(t, 1, []int{1, 5})
	n.output(n.trees(0, 2))
	low, err := Lower(t.Context(), &n.g, nil, Options{InputRange: map[string]float64{n.g.Inputs[0].Name: 2.5}})
	if err != nil {
		t.Fatal(err)
	}
	in := low.Graph.Nodes[0].Op.(*graph.Input)
	x := tensor.Tensor{Shape: in.Shape, Data: []float64{2.5, -2.5, 0, 1, 2}}
	if _, _, err := tensor.Quantize(in, x, false); err != nil {
		t.Error(err)
	}
	x.Data[1] = -2.6
	if _, _, err := tensor.Quantize(in, x, false); err == nil || !strings.Contains(err.Error(), "[-2.5, 2.5]") {
		t.Errorf("got %v", err)
	}
}

// TestScalesOfVotesFollowTheirMagnitude: whatever it is, the grid is within 2^53 and finite.
func TestScalesOfVotesFollowTheirMagnitude(t *testing.T) {
	for _, w := range []float32{0, 1e-45, 1, 3e38} {
		op := &float.Trees{Features: 1, Targets: 1, Trees: slices.Repeat([]float.Tree{{{Votes: []float.Vote{{Weight: w}}}}}, 50)}
		got, scale := quantizeTrees(op, mostVotes)
		b, err := got.Bound()
		if err != nil || !(scale > 0) || math.IsInf(scale, 1) {
			t.Fatalf("weight %g: scale %g, %v", w, scale, err)
		}
		if v := float64(b.Hi) * scale; math.Abs(v-50*float64(w)) > 1e-12*50*float64(w) {
			t.Errorf("weight %g: %g of 50", w, v)
		}
	}
}

// TestHostileTreesNeverPanic imports and lowers the shipped forest with lists that were damaged.
func TestHostileTreesNeverPanic(t *testing.T) {
	data := read(t, "iris_rf.onnx")
	r := rand.New(rand.NewPCG(1, 9))
	lowered := 0
	for range 300 {
		damaged := slices.Clone(data)
		for range 1 + r.IntN(3) {
			damaged[r.IntN(len(damaged))] ^= 1 << r.IntN(8)
		}
		m, err := onnx.Parse(damaged, onnx.Limits{})
		if err != nil {
			continue
		}
		fg, err := float.Import(m, float.Options{Batch: 2})
		if err != nil {
			continue
		}
		if _, err := Lower(t.Context(), fg, nil, Options{}); err == nil {
			lowered++
		}
	}
	if lowered == 0 {
		t.Error("nothing got through")
	}
}
