package interpret

import (
	"slices"
	"testing"

	"github.com/weisyn/wes/prover/graph"
)

func TestConvWeightsAreOrderedByTapsThenChannels(t *testing.T) {
	c := &graph.Conv{Channel: 1, InChannels: 2, OutChannels: 1, Groups: 1, Spatial: []graph.Window{{Axis: 2, Kernel: 2, Stride: 1, Dilation: 1, Pad: 1, Out: 4}}}
	x := tensor{[]int{1, 2, 3}, []int64{1, 2, 3, 10, 20, 30}}
	acc := []int64{5, 0, 0, 0}
	convolve(acc, c, x, []int32{1, 100, 10000, 1000000}, []int{1, 1, 4})
	want := []int64{5 + 10000 + 10000000, 1 + 1000 + 20000 + 20000000, 2 + 2000 + 30000 + 30000000, 3 + 3000}
	if !slices.Equal(acc, want) {
		t.Errorf("got %v, want %v", acc, want)
	}
}

func TestConvGroupsReadTheirOwnChannels(t *testing.T) {
	c := &graph.Conv{Channel: 1, InChannels: 4, OutChannels: 4, Groups: 2}
	x := tensor{[]int{1, 4}, []int64{1, 2, 3, 4}}
	acc := make([]int64, 4)
	convolve(acc, c, x, []int32{1, 0, 0, 1, 1, 0, 1, 1}, []int{1, 4})
	if want := []int64{1, 2, 3, 7}; !slices.Equal(acc, want) {
		t.Errorf("got %v, want %v", acc, want)
	}
}
