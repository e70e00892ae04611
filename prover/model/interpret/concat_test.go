package interpret

import (
	"testing"

	"github.com/weisyn/wes/prover/graph"
)

func TestConcatJoinsUnevenParts(t *testing.T) {
	a := tensor{[]int{2, 1}, []int64{1, 2}}
	b := tensor{[]int{2, 2}, []int64{3, 4, 5, 6}}
	expect(t, &graph.Concat{Axis: 1}, []int{2, 3}, []int64{1, 3, 4, 2, 5, 6}, a, b)
}
