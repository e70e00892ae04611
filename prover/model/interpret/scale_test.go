package interpret

import (
	"testing"

	"github.com/weisyn/wes/prover/graph"
)

func TestScaleBroadcastsItsCoefficients(t *testing.T) {
	x := tensor{[]int{2, 3}, []int64{1, 2, 3, 4, 5, 6}}
	expect(t, &graph.Scale{Coef: graph.Constant{Shape: []int{1, 3}, Data: []int64{1, -2, 3}}}, []int{2, 3}, []int64{1, -4, 9, 4, -10, 18}, x)
	expect(t, &graph.Scale{Coef: graph.Constant{Shape: []int{2, 1}, Data: []int64{0, 1 << 40}}}, []int{2, 3}, []int64{0, 0, 0, 4 << 40, 5 << 40, 6 << 40}, x)
}
