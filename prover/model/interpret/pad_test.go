package interpret

import (
	"testing"

	"github.com/weisyn/wes/prover/graph"
)

func TestPadPutsZerosAround(t *testing.T) {
	x := tensor{[]int{2, 2}, []int64{1, 2, 3, 4}}
	expect(t, &graph.Pad{Axis: 1, Before: 1, After: 2}, []int{2, 5}, []int64{0, 1, 2, 0, 0, 0, 3, 4, 0, 0}, x)
	expect(t, &graph.Pad{Axis: 0, After: 1}, []int{3, 2}, []int64{1, 2, 3, 4, 0, 0}, x)
}
