package prover

import (
	"fmt"
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/layer"
	"github.com/weisyn/wes/prover/model/interpret/graphtest"
	"github.com/weisyn/wes/prover/transcript"
)

// directScenes are Rescales without a remainder.
func directScenes() []scene {
	square := func(q int64) int64 { return (q*q%101 + 101) % 101 }
	return []scene{
		{"function of a sum", func(n *net) int {
			a, b := n.commit(n.input(2, 5)), n.commit(n.input(2, 5))
			in := []int{a, b}
			bias := graph.Constant{Shape: []int{1, 5}, Data: []int64{4, 0, -3, 2, 1}}
			return n.rescale(n.accumulator([]graph.Term{{Mult: 1}, {Mult: -1}}, bias, 1, in), []int{0}, nil, in...)
		}},
		{"function of a convolution", func(n *net) int {
			a := n.commit(n.input(1, 2, 4, 3))
			return n.linear(n.conv(a, 1, 3, 1, window(2, 3, 1, 1, 1, 4)), 1, 0, a)
		}},
		{"function of a grouped convolution", func(n *net) int {
			a := n.commit(n.input(1, 4, 3))
			return n.linear(n.conv(a, 1, 6, 2), 1, 0, a)
		}},
		{"function of a product", func(n *net) int {
			narrow := func(q int64) int64 { return min(max(q, -7), 7) }
			var in []int
			for _, shape := range [][]int{{3, 5}, {5, 2}} {
				x := n.input(shape...)
				acc := n.accumulator([]graph.Term{{Mult: 5}}, graph.Constant{}, 1, []int{x})
				in = append(in, n.rescale(acc, []int{4}, narrow, x))
			}
			return n.product([]int{0, contracted}, []int{contracted, 1}, 1, []int{0}, in[0], in[1])
		}},
		{"function without clamp or shift", func(n *net) int {
			a := n.commit(n.input(2, 5))
			return n.rescale(n.accumulator([]graph.Term{{Mult: 1}}, graph.Constant{}, 1, []int{a}), []int{0}, square, a)
		}},
		{"function of one channel", func(n *net) int {
			a := n.commit(n.input(3, 1))
			return n.rescale(n.accumulator([]graph.Term{{Mult: 2}}, graph.Constant{}, 1, []int{a}), []int{0}, square, a)
		}},
		{"zero shifts of channels", func(n *net) int {
			a := n.commit(n.input(2, 3))
			return n.rescale(n.accumulator([]graph.Term{n.matmul(a, 3)}, graph.Constant{}, 1, []int{a}), []int{0, 0, 0}, square, a)
		}},
	}
}

// functionsOf is a graph that rounds nothing: functions of its input, each with a tensor of
// its own.
func functionsOf(tb testing.TB, functions ...func(int64) int64) (c *graphtest.Case, targets []int) {
	n := newNet(tb)
	x := n.input(1, 5)
	n.c.Inputs[0] = []int32{3, -4, 50, 0, 7}
	var reveals []int
	for _, f := range functions {
		acc := n.accumulator([]graph.Term{{Mult: 1}}, graph.Constant{}, 1, []int{x})
		targets = append(targets, n.rescale(acc, []int{0}, f, x))
		reveals = append(reveals, n.reveal(targets[len(targets)-1]))
	}
	return n.outputs(reveals...), targets
}

// TestDirectLookupsNeedNoRemainder proves a graph whose committed cells are the functions'
// values and the multiplicities of their rows.
func TestDirectLookupsNeedNoRemainder(t *testing.T) {
	c, _ := functionsOf(t, nil, func(q int64) int64 { return q * q })
	accept(t, c, transcript.SHA256)
	system := prepare(t, c, transcript.SHA256).Model.System()
	for _, leaf := range system.Leaves {
		if leaf.Kind != layer.LeafFunction {
			t.Errorf("a lookup of kind %d", leaf.Kind)
		}
	}
	for _, slot := range system.Slots {
		if slot.Kind != layer.SlotValue && slot.Kind != layer.SlotCount {
			t.Errorf("a slot of kind %d", slot.Kind)
		}
	}
	if len(system.Tables) != 2 {
		t.Errorf("%d tables for two functions", len(system.Tables))
	}
}

// TestValuesOfOtherRowsAreRejected guards rule 8 without a remainder: the value of a function
// at another argument, near or far, or that of another function.
func TestValuesOfOtherRowsAreRejected(t *testing.T) {
	square := func(q int64) int64 { return q * q }
	c, targets := functionsOf(t, square, func(q int64) int64 { return q*q + 1 })
	p, honest := prepare(t, c, transcript.SHA256), execute(t, c)
	tell := func(cell int, y int64) {
		t.Run(fmt.Sprint("cell ", cell, "/", y), func(t *testing.T) {
			trace := executeWith(t, c, in(targets[0], func(v []int32) { v[cell] = int32(y) }))
			mustReject(t, p, statementOf(t, p, trace), trace, nil)
		})
	}
	for cell, acc := range honest.Accs[targets[0]] {
		tell(cell, square(acc+1))
		tell(cell, square(acc-17))
		tell(cell, int64(honest.Values[targets[1]][cell]))
	}
}
