package interpret

import (
	"testing"

	"github.com/weisyn/wes/prover/graph"
)

func TestTransposeNamesTheAxisItTakes(t *testing.T) {
	x := tensor{[]int{1, 2, 3}, []int64{1, 2, 3, 4, 5, 6}}
	expect(t, &graph.Transpose{Perm: []int{2, 0, 1}}, []int{3, 1, 2}, []int64{1, 4, 2, 5, 3, 6}, x)
}
