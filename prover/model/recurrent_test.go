package model

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
	"github.com/weisyn/wes/prover/model/onnx/onnxtest"
)

// classifiers of sequences.
func classifiers() []onnxtest.Recurrent {
	return []onnxtest.Recurrent{
		{Op: "LSTM", Batch: 2, Steps: 30, Features: 8, Hidden: 16, Classes: 10},
		{Op: "LSTM", Batch: 1, Steps: 30, Features: 8, Hidden: 16, Classes: 10, EveryStep: true, Bidirectional: true},
		{Op: "GRU", Batch: 2, Steps: 30, Features: 8, Hidden: 16, Classes: 10},
		{Op: "GRU", Batch: 1, Steps: 30, Features: 8, Hidden: 16, Classes: 10, EveryStep: true, Bidirectional: true},
		{Op: "RNN", Batch: 2, Steps: 30, Features: 8, Hidden: 16, Classes: 10},
		{Op: "RNN", Batch: 1, Steps: 30, Features: 8, Hidden: 16, Classes: 10, EveryStep: true, Bidirectional: true},
	}
}

// TestRecurrentNetworksFollowTheFloatNetwork over 30 steps, at the width of the default and at narrower ones.
func TestRecurrentNetworksFollowTheFloatNetwork(t *testing.T) {
	for _, k := range classifiers() {
		t.Run(fmt.Sprintf("%s both ways %v", k.Op, k.Bidirectional), func(t *testing.T) {
			n := imported(t, k)
			for _, test := range []struct {
				bits         int
				cosine, top1 float64
			}{{0, 0.99995, 0.99}, {10, 0.9998, 0.9}, {8, 0.998, 0.9}, {5, 0.8, 0}} {
				low, err := Lower(t.Context(), &n.g, n.samples(8), Options{ActivationBits: test.bits})
				if err != nil {
					t.Fatalf("%d bits: %v", test.bits, err)
				}
				a := low.Report.Outputs[0]
				if a.Cosine < test.cosine || float64(a.Top1) < test.top1*float64(a.Lines) {
					t.Errorf("%d bits: cosine %.6f, top answers agree in %d of %d lines", low.Report.Options.ActivationBits, a.Cosine, a.Top1, a.Lines)
				}
			}
		})
	}
}

func imported(t *testing.T, k onnxtest.Recurrent) *network {
	t.Helper()
	g, err := float.Import(k.Build(1), float.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &network{t: t, r: rand.New(rand.NewPCG(2, 7)), g: *g}
}

// TestStepsShareTablesAndWeights: values of one role have one scale, so that more steps need no more tables
// and no more weights.
func TestStepsShareTablesAndWeights(t *testing.T) {
	for _, op := range []string{"LSTM", "GRU", "RNN"} {
		for _, bidirectional := range []bool{false, true} {
			var tables, weights []int
			var params []int64
			for _, steps := range []int{20, 40} {
				n := imported(t, onnxtest.Recurrent{Op: op, Batch: 1, Steps: steps, Features: 4, Hidden: 6, Classes: 3, Bidirectional: bidirectional})
				low := n.lower(Options{})
				tables, weights, params = append(tables, len(low.Graph.Tables)), append(weights, len(low.Weights)), append(params, n.g.Params())
			}
			if !bidirectional && tables[0] != tables[1] || weights[0] != weights[1] || params[0] != params[1] {
				t.Errorf("%s: %d tables, %d weights and %d parameters for 20 and for 40 steps", op, tables, weights, params)
			}
		}
	}
}

// TestStatesAreJoinedAsTheyAre: of all steps at most the first one, which starts from nothing, has another scale.
func TestStatesAreJoinedAsTheyAre(t *testing.T) {
	for _, op := range []string{"LSTM", "GRU", "RNN"} {
		for _, bits := range []int{8, 12} {
			low := imported(t, onnxtest.Recurrent{Op: op, Batch: 1, Steps: 12, Features: 4, Hidden: 6, Classes: 3, EveryStep: true}).lower(Options{ActivationBits: bits})
			again := 0
			for i := range low.Graph.Nodes {
				n := &low.Graph.Nodes[i]
				if _, ok := n.Op.(*graph.Rescale); ok && strings.HasSuffix(n.Name, "/output") {
					again++
				}
			}
			if again > 1 {
				t.Errorf("%s, %d bits: %d of 12 states are rescaled", op, bits, again)
			}
		}
	}
}

// TestSumsOfTwoProductsAreLowered, though no scale makes both multipliers exact.
func TestSumsOfTwoProductsAreLowered(t *testing.T) {
	for _, subtract := range []bool{false, true} {
		for seed := range uint64(8) {
			n := newNetwork(t, seed, []int{1, 4, 6})
			product := func(scale float64) float.ValueID {
				x := n.add(&float.MulConst{C: filled(float32(scale), 1, 1, 1)}, n.matMul(0, 5))
				return n.add(&float.Mul{}, n.add(&float.Sigmoid{}, n.matMul(0, 5)), n.add(&float.Relu{}, x))
			}
			n.output(n.matMul(n.add(&float.Add{Subtract: subtract}, product(1), product(7)), 5))
			for _, bits := range []int{8, 12} {
				low := n.lower(Options{ActivationBits: bits, MaxShift: 12})
				if a := low.Report.Outputs[0]; a.Cosine < 0.999 {
					t.Errorf("seed %d, %d bits: %+v", seed, bits, a)
				}
			}
		}
	}
}

// TestRangesOfStepsServeOtherLengths of sequences.
func TestRangesOfStepsServeOtherLengths(t *testing.T) {
	for _, op := range []string{"LSTM", "GRU", "RNN"} {
		k := onnxtest.Recurrent{Op: op, Batch: 2, Steps: 12, Features: 4, Hidden: 8, Classes: 3, Bidirectional: true}
		learnt := imported(t, k).lower(Options{}).Report.Calibration
		for _, k.Steps = range []int{5, 30} {
			n := imported(t, k)
			a := n.lower(Options{Like: &learnt}).Report.Outputs[0]
			if a.Cosine < 0.999 {
				t.Errorf("%s of %d steps: %+v", op, k.Steps, a)
			}
		}
	}
}

func TestMoreTensorsThanANodeMayHaveAreJoinedInParts(t *testing.T) {
	const count = graph.MaxInputs + 6
	n := newNetwork(t, 3, []int{count, 2})
	var parts []float.ValueID
	for i := range count {
		parts = append(parts, n.add(&float.Slice{Starts: []int{count - 1 - i, 0}, Steps: []int{1, 1}, Sizes: []int{1, 2}}, 0))
	}
	n.output(n.matMul(n.add(&float.Concat{Axis: 0}, parts...), 3))
	n.close(n.lower(Options{}), 0.02)
}
