package prover

import (
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/layer"
	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/verify"
)

// again is a convolution that reads the weights of another, at other windows if there are any.
func again(term graph.Term, spatial ...graph.Window) graph.Term {
	c := *term.Conv
	if len(spatial) > 0 {
		c.Spatial = spatial
	}
	return graph.Term{Conv: &c}
}

// sharedScenes have several convolutions that read the same weights.
func sharedScenes() []scene {
	return []scene{
		{"weights of two layers", func(n *net) int {
			a := n.commit(n.input(2, 5))
			first := n.matmul(a, 5)
			b := n.linear(first, 1, 2, a)
			return n.linear(again(first), 1, 2, b)
		}},
		{"weights of two terms", func(n *net) int {
			a := n.commit(n.input(2, 5))
			in := []int{a, n.add(&graph.Slice{Axis: 1, Start: 4, Step: -1, Len: 5}, a)}
			first := n.matmul(a, 5)
			return n.rescale(n.accumulator([]graph.Term{first, again(first)}, graph.Constant{}, 1, in), []int{2}, nil, in...)
		}},
		{"weights at two strides", func(n *net) int {
			a := n.commit(n.input(1, 2, 4, 3))
			first := n.conv(a, 1, 2, 1, window(2, 3, 1, 1, 1, 4), window(3, 2, 1, 1, 0, 2))
			b := n.linear(first, 1, 3, a)
			return n.linear(again(first, window(2, 3, 2, 1, 1, 2), window(3, 2, 1, 1, 1, 3)), 1, 3, b)
		}},
		{"grouped weights of two layers", func(n *net) int {
			a := n.commit(n.input(2, 8))
			first := n.conv(a, 1, 8, 4)
			b := n.linear(first, 1, 2, a)
			return n.linear(again(first), 1, 2, b)
		}},
		{"weights at two shifts", func(n *net) int {
			a := n.commit(n.input(2, 3))
			first := n.matmul(a, 3)
			b := n.linear(first, 1, 2, a)
			acc := n.accumulator([]graph.Term{again(first)}, graph.Constant{}, 1, []int{b})
			return n.rescale(acc, []int{2, 1, 3}, nil, b)
		}},
	}
}

// TestSharedWeightsAreCommittedOnce counts rows of scenes: only weights that are moved up
// differently have rows of their own.
func TestSharedWeightsAreCommittedOnce(t *testing.T) {
	for _, s := range sharedScenes() {
		c, _ := s.make(t)
		system, err := layer.NewSystem(c.Graph, c.Info)
		if err != nil {
			t.Fatal(err)
		}
		w := system.Weights
		_, _, shared := sharedBlocks(system)
		want := s.name != "weights at two shifts"
		if shared != want || (w.Reads > w.Rows) != want {
			t.Errorf("%s: blocks share rows: %v; %d rows are read %d times", s.name, shared, w.Rows, w.Reads)
		}
	}
}

// sharedBlocks finds two blocks that have the same rows.
func sharedBlocks(s *layer.System) (first, second int, ok bool) {
	for second, b := range s.Weights.Blocks {
		if b.Shared {
			first := slices.IndexFunc(s.Weights.Blocks, func(other layer.WeightBlock) bool { return other.Row == b.Row })
			return first, second, true
		}
	}
	return 0, 0, false
}

// TestFactorsOfSharedWeightsCannotBeTraded guards rule 9: each claim on the same rows has its own
// value, though the sum over both stays what the contraction ends in.
func TestFactorsOfSharedWeightsCannotBeTraded(t *testing.T) {
	for _, s := range sharedScenes() {
		c, _ := s.make(t)
		p, trace := prepare(t, c, transcript.SHA256), execute(t, c)
		l := newLiar(t, p, statementOf(t, p, trace), trace, false)
		first, last, ok := sharedBlocks(l.sys)
		if !ok {
			continue
		}
		l.factors = func(weights, inputs []fr.Element) {
			share := func(i int) fr.Element {
				x := l.claims.Convs[i].Late(l.r)
				x.Mul(&x, &inputs[i])
				if l.claims.Convs[i].Grouped() {
					u := l.claims.Convs[i].ChannelFactor(l.r)
					x.Mul(&x, &u)
				}
				return x
			}
			a, b := share(first), share(last)
			weights[first].Add(&weights[first], &b)
			weights[last].Sub(&weights[last], &a)
		}
		t.Run(s.name, func(t *testing.T) { wantRejection(t, l.prove(), verify.CheckWeightRow) })
	}
}
