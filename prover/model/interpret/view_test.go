package interpret

import (
	"slices"
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/interpret/graphtest"
)

// expect applies a view.
func expect(t *testing.T, op graph.Op, shape []int, want []int64, in ...tensor) {
	t.Helper()
	if got := view(op, in, shape); !slices.Equal(got, want) {
		t.Errorf("%s %+v gives %v, want %v", graph.KindName(op), op, got, want)
	}
}

func TestViewRefusesWhatItCannotKnow(t *testing.T) {
	c := graphtest.Random(1)
	values := make([][]int32, len(c.Graph.Nodes))
	if _, err := View(c.Graph, c.Info, values, 0); err == nil {
		t.Error("an input without values has a view")
	}
	for i := range c.Graph.Nodes {
		if _, ok := c.Graph.Nodes[i].Op.(*graph.Reveal); ok {
			if _, err := View(c.Graph, c.Info, values, i); err == nil {
				t.Error("a revealed accumulator has a view")
			}
		}
	}
}
