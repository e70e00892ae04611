package layer

import (
	"math/rand/v2"
	"slices"
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
