package interpret

import (
	"testing"

	"github.com/weisyn/wes/prover/graph"
)

func TestSliceReadsForwardsAndBackwards(t *testing.T) {
	x := tensor{[]int{2, 4}, []int64{0, 1, 2, 3, 10, 11, 12, 13}}
	expect(t, &graph.Slice{Axis: 1, Start: 1, Step: 2, Len: 2}, []int{2, 2}, []int64{1, 3, 11, 13}, x)
	expect(t, &graph.Slice{Axis: 1, Start: 3, Step: -3, Len: 2}, []int{2, 2}, []int64{3, 0, 13, 10}, x)
	expect(t, &graph.Slice{Axis: 0, Start: 1, Step: 0, Len: 1}, []int{1, 4}, []int64{10, 11, 12, 13}, x)
}
