package interpret

import (
	"testing"

	"github.com/weisyn/wes/prover/graph"
)

func TestSelectMayRepeatAndReorder(t *testing.T) {
	x := tensor{[]int{2, 3}, []int64{1, 2, 3, 4, 5, 6}}
	expect(t, &graph.Select{Axis: 1, Index: []int{2, 2, 0, 1}}, []int{2, 4}, []int64{3, 3, 1, 2, 6, 6, 4, 5}, x)
}
