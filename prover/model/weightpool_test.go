package model

import (
	"slices"
	"testing"

	"github.com/weisyn/wes/prover/graph"
)

// TestEqualWeightsOfOneShapeHaveOneNumber: numbers follow the first readers, and equal integers in another
// shape are other weights.
func TestEqualWeightsOfOneShapeHaveOneNumber(t *testing.T) {
	b, n := newBuilder(), newNumbering()
	conv := func(in, out int) *graph.Conv { return &graph.Conv{InChannels: in, OutChannels: out, Groups: 1} }
	var numbers []int
	for _, r := range []struct {
		conv *graph.Conv
		w    []int32
	}{
		{conv(2, 3), []int32{1, 2, 3, 4, 5, 6}},
		{conv(3, 2), []int32{1, 2, 3, 4, 5, 6}},
		{conv(2, 3), []int32{1, 2, 3, 4, 5, 7}},
		{conv(2, 3), []int32{1, 2, 3, 4, 5, 6}},
		{conv(3, 2), []int32{1, 2, 3, 4, 5, 6}},
		{conv(2, 3), []int32{1, 2, 3, 4, 5, 7}},
	} {
		n.number(r.conv, b.pool.intern(r.w))
		numbers = append(numbers, r.conv.Weight)
	}
	if want := []int{0, 1, 2, 0, 1, 2}; !slices.Equal(numbers, want) || len(n.weights) != 3 {
		t.Errorf("numbers %v of %d weights, want %v", numbers, len(n.weights), want)
	}
}
