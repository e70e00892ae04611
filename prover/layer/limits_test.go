package layer

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/poly"
)

// TestHighPartsAreThoseOfAllIndexes compares with a visit of every weight.
func TestHighPartsAreThoseOfAllIndexes(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		c := &graph.Conv{Groups: 1 + rng.IntN(3)}
		c.InChannels, c.OutChannels = c.Groups*(1+rng.IntN(9)), c.Groups*(1+rng.IntN(5))
		for a := range rng.IntN(3) {
			c.Spatial = append(c.Spatial, graph.Window{Axis: a, Kernel: 1 + rng.IntN(5)})
		}
		shape := newConvShape(c)
		for low := range shape.vars + 1 {
			var want []int
			shape.visit(func(padded, _ int) {
				if h := padded >> low; len(want) == 0 || want[len(want)-1] != h {
					want = append(want, h)
				}
			})
			if got := shape.highParts(low); !slices.Equal(got, want) {
				t.Fatalf("%+v above %d bits: %v, want %v", *c, low, got, want)
			}
		}
	}
}

// TestRunsEvaluateLikeTheirCells compares tables of few and of many runs with their cells.
func TestRunsEvaluateLikeTheirCells(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for vars := range 12 {
		point := make([]fr.Element, vars)
		for i := range point {
			point[i].SetUint64(rng.Uint64())
		}
		for _, longest := range []int{1, 3, 1 << vars} {
			var runs []run
			var cells []fr.Element
			for len(cells) < 1<<vars {
				r := run{1 + rng.IntN(min(longest, 1<<vars-len(cells))), rng.Int64N(200) - 100, rng.Int64N(20) - 10}
				runs = append(runs, r)
				for i := range r.len {
					cells = append(cells, poly.FromInt64(r.value+int64(i)*r.slope))
				}
			}
			want := poly.Evaluate(cells, point)
			if got := newRunWeights(point).eval(runs); !got.Equal(&want) {
				t.Errorf("%d runs over %d variables: %s, want %s", len(runs), vars, &got, &want)
			}
		}
	}
}

// TestReadsOfSharedWeightsAreBounded: weights that are committed once may be read often, but a verifier weighs
// their rows for each.
func TestReadsOfSharedWeightsAreBounded(t *testing.T) {
	const width = 1 << 13
	for _, readers := range []int{2, 150} {
		g := &graph.Graph{Nodes: []graph.Node{{Name: "x", Op: &graph.Input{Name: "x", Shape: []int{1, width}, Lo: -1, Hi: 1, Scale: 1}}}}
		for range readers {
			conv := &graph.Conv{Channel: 1, InChannels: width, OutChannels: width, Groups: 1}
			acc := graph.Accumulator{Channel: 1, Lo: -1 << 30, Hi: 1 << 30, Terms: []graph.Term{{Conv: conv}}}
			g.Outputs = append(g.Outputs, graph.Output{Name: "y", Tensor: len(g.Nodes), Shape: []int{1, width}, Scale: 1})
			g.Nodes = append(g.Nodes, graph.Node{Name: "y", Op: &graph.Reveal{Acc: acc}, Inputs: []int{0}})
		}
		info, err := g.Check()
		if err != nil {
			t.Fatal(err)
		}
		s, err := NewSystem(g, info)
		if readers == 2 {
			if err != nil || s.Weights.Reads != 2*s.Weights.Rows {
				t.Errorf("two readers: %v", err)
			}
			continue
		}
		if !errors.Is(err, ErrTooWide) || !strings.Contains(err.Error(), "rows of weights are read") {
			t.Errorf("%d readers: %v", readers, err)
		}
	}
}

// TestLayoutsThatAlternateAreShared: readers of one weight with two patterns of shifts need two sets of rows.
func TestLayoutsThatAlternateAreShared(t *testing.T) {
	const width = 64
	g := &graph.Graph{
		Nodes:  []graph.Node{{Name: "x", Op: &graph.Input{Name: "x", Shape: []int{1, width}, Lo: -1, Hi: 1, Scale: 1}}},
		Tables: []graph.Table{{Lo: -2000, Segments: []graph.Segment{{Len: 4001}}}},
	}
	patterns := [][]int{{0}, make([]int, width), make([]int, width)}
	patterns[1][3], patterns[2][3], patterns[2][4] = 1, 1, 1
	for i := range 30 {
		acc := graph.Accumulator{Channel: 1, Lo: -1000, Hi: 1000, Terms: []graph.Term{{Conv: &graph.Conv{Channel: 1, InChannels: width, OutChannels: width, Groups: 1}}}}
		g.Nodes = append(g.Nodes, graph.Node{Name: "y", Op: &graph.Rescale{Acc: acc, Shift: patterns[i%3]}, Inputs: []int{0}})
	}
	g.Outputs = []graph.Output{{Name: "y", Tensor: 30, Shape: []int{1, width}, Scale: 1}}
	info, err := g.Check()
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSystem(g, info)
	if err != nil {
		t.Fatal(err)
	}
	if w := s.Weights; w.Reads != 10*w.Rows {
		t.Errorf("%d rows are read %d times by ten of each pattern", w.Rows, w.Reads)
	}
}
