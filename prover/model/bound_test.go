package model

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/weisyn/wes/prover/model/float"
)

func filled(v float32, shape ...int) float.Tensor {
	t := float.NewTensor(shape)
	for i := range t.Data {
		t.Data[i] = v
	}
	return t
}

func TestBoundsOutOfReachNameTheNode(t *testing.T) {
	clip := &float.Clip{Lo: 0, Hi: 1}
	product := func(w float32) *float.MatMul {
		return &float.MatMul{K: 4, N: 4, W: filled(w, 4, 4).Data, B: make([]float32, 4)}
	}
	cases := []struct {
		name, node, reason string
		build              func(n *network) float.ValueID
	}{
		{"weights", "Clip2", "more than 8388608", func(n *network) float.ValueID { return n.add(clip, n.add(product(1e12), 0)) }},
		{"factor", "Clip2", "as coarse as the output", func(n *network) float.ValueID {
			return n.add(clip, n.add(&float.MulConst{C: filled(1e12, 1, 1)}, 0))
		}},
		{"factors of the cells", "Clip2", "the product reaches 2^53", func(n *network) float.ValueID {
			return n.add(clip, n.add(&float.MulConst{C: filled(1e12, 2, 4)}, 0))
		}},
		{"bias", "Clip3", "reaches 2^53", func(n *network) float.ValueID {
			return n.add(clip, n.add(&float.AddConst{C: filled(1e14, 1, 4)}, n.add(product(1), 0)))
		}},
		{"sum of what each is in reach", "Clip3", "accumulator in [", func(n *network) float.ValueID {
			y := n.add(&float.MulConst{C: filled(5e8, 2, 4)}, 0)
			return n.add(clip, n.add(&float.AddConst{C: filled(4.6e10, 1, 4)}, y))
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			n := newNetwork(t, 1, []int{2, 4})
			y := c.build(n)
			n.output(n.matMul(y, 3))
			_, err := Lower(t.Context(), &n.g, n.samples(2), Options{InputRange: map[string]float64{"x0": 127}, Ranges: RangesMax})
			if !errors.Is(err, ErrModel) || !strings.Contains(err.Error(), `node "`+c.node+`"`) || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("got %v, want node %s: %s", err, c.node, c.reason)
			}
		})
	}
}

func TestMeansThatNoShiftDividesNameTheNode(t *testing.T) {
	n := newNetwork(t, 1, []int{1, 2, 40, 40})
	n.output(n.add(&float.AveragePool{Window: square(9, 2, 0), Uncounted: []int{0, 0}}, 0))
	_, err := Lower(t.Context(), &n.g, n.samples(2), Options{MaxShift: 3})
	if !errors.Is(err, ErrModel) || !strings.Contains(err.Error(), `node "AveragePool1"`) {
		t.Errorf("got %v", err)
	}
	n.close(n.lower(Options{MaxShift: 4}), 0.08)
}

func TestSteepFunctionsOfAHugeRangeLower(t *testing.T) {
	n := newNetwork(t, 12, []int{1, 4})
	w := &float.MatMul{K: 4, N: 2, W: n.random(8, 1e7), B: make([]float32, 2)}
	n.output(n.matMul(n.add(&float.LeakyRelu{Alpha: 50}, n.add(w, 0)), 2))
	n.close(n.lower(Options{}), 0.05)
}

func TestBiasOfADeadLayerIsRevealed(t *testing.T) {
	n := newNetwork(t, 2, []int{2, 4})
	n.output(n.add(&float.MatMul{K: 4, N: 2, W: n.random(8, 1e-12), B: []float32{1, -2}}, 0))
	n.close(n.lower(Options{}), 1e-6)
}

// What lowers keeps its bounds, what does not says where.
func TestNetworksOfExtremeMagnitudesLowerOrNameANode(t *testing.T) {
	refused := 0
	const seeds = 300
	for seed := range uint64(seeds) {
		n := randomNetwork(t, seed, 6)
		for i := range n.g.Nodes {
			n.magnify(n.g.Nodes[i].Op)
		}
		low, err := Lower(t.Context(), &n.g, n.samples(2), Options{})
		if err == nil {
			n.stayInside(low)
			continue
		}
		refused++
		if !errors.Is(err, ErrModel) || !strings.Contains(err.Error(), `"`) {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
	if refused == 0 || refused == seeds {
		t.Errorf("%d of %d networks refused", refused, seeds)
	}
}

// magnify multiplies the constants of an operator by powers of ten.
func (n *network) magnify(op float.Op) {
	switch op := op.(type) {
	case *float.Conv:
		n.multiply(op.W)
		n.multiply(op.B)
	case *float.MatMul:
		n.multiply(op.W)
		n.multiply(op.B)
	case *float.MulConst:
		n.multiply(op.C.Data)
	case *float.AddConst:
		n.multiply(op.C.Data)
	}
}

func (n *network) multiply(v []float32) {
	k := float32(math.Pow(10, float64(n.r.IntN(30)-15)))
	for i := range v {
		v[i] *= k
	}
}
