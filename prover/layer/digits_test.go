package layer

import (
	"testing"

	"github.com/weisyn/wes/prover/graph"
)

// shifted is a Rescale of 16 cells with a shift for each channel, or one for all.
func shifted(tb testing.TB, shift ...int) *System {
	tb.Helper()
	values := make([]int32, 201)
	g := &graph.Graph{
		Tables: []graph.Table{graph.NewTable(-100, values)},
		Nodes: []graph.Node{
			{Op: &graph.Input{Name: "x", Shape: []int{4, 4}, Lo: -100, Hi: 100, Scale: 1}},
			{Inputs: []int{0}, Op: &graph.Rescale{Shift: shift, Acc: graph.Accumulator{
				Channel: 1, Lo: -100, Hi: 100, Terms: []graph.Term{{Mult: 1}},
			}}},
		},
		Outputs: []graph.Output{{Name: "y", Tensor: 1, Shape: []int{4, 4}, Scale: 1}},
	}
	info, err := g.Check()
	if err != nil {
		tb.Fatal(err)
	}
	s, err := NewSystem(g, info)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// TestRemaindersTakeDigitsOfABoundedTable counts, for every shift, the lookups and committed
// cells of a Rescale, multiplicities left out. Without shifts there is no range table.
func TestRemaindersTakeDigitsOfABoundedTable(t *testing.T) {
	check := func(largest int, s *System) {
		t.Helper()
		digits := 0
		for digits*maxRangeBits < largest {
			digits++
		}
		cells := 0
		for _, slot := range s.Slots {
			if slot.Kind != SlotCount {
				cells += 1 << slot.Vars
			}
		}
		if s.RangeBits > maxRangeBits || digits*s.RangeBits < largest {
			t.Errorf("shift %d: digits of %d bits", largest, s.RangeBits)
		}
		if s.LeafCount != (1+digits)*16 || cells != (1+digits)*16 {
			t.Errorf("shift %d: %d lookups and %d cells", largest, s.LeafCount, cells)
		}
		if ranged := s.tableOf(LeafRemainder, 0) >= 0; ranged != (largest > 0) || largest == 0 && s.RowCount != 256 {
			t.Errorf("shift %d: a range table: %v, of %d rows in all", largest, ranged, s.RowCount)
		}
	}
	for shift := range graph.MaxShift + 1 {
		check(shift, shifted(t, shift))
	}
	check(0, shifted(t, 0, 0, 0, 0))
	check(3, shifted(t, 0, 3, 1, 0))
	check(20, shifted(t, 14, 3, 20, 0))
}
