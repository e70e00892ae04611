package interpret

import (
	"testing"

	"github.com/weisyn/wes/prover/graph"
)

func TestBroadcastRepeatsAnAxis(t *testing.T) {
	x := tensor{[]int{2, 1, 2}, []int64{1, 2, 3, 4}}
	expect(t, &graph.Broadcast{Axis: 1, N: 2}, []int{2, 2, 2}, []int64{1, 2, 1, 2, 3, 4, 3, 4}, x)
}
