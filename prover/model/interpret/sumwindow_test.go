package interpret

import (
	"testing"

	"github.com/weisyn/wes/prover/graph"
)

func TestSumWindowReadsZerosOutside(t *testing.T) {
	x := tensor{[]int{4}, []int64{1, 10, 100, 1000}}
	w := graph.Window{Kernel: 3, Stride: 2, Dilation: 1, Pad: 1, Out: 3}
	expect(t, &graph.SumWindow{Window: w}, []int{3}, []int64{11, 1110, 1000}, x)
	w = graph.Window{Kernel: 2, Stride: 1, Dilation: 3, Out: 1}
	expect(t, &graph.SumWindow{Window: w}, []int{1}, []int64{1001}, x)
}
