package interpret

import (
	"errors"
	"slices"
	"testing"

	"github.com/weisyn/wes/prover/graph"
)

func TestRescaleRoundsHalvesUp(t *testing.T) {
	table := graph.Table{Lo: -3, Segments: []graph.Segment{{Len: 7, Value: -30, Slope: 10}}}
	op := &graph.Rescale{Shift: []int{2}}
	acc := []int64{-7, -6, -3, -2, -1, 1, 2, 5, 6, 13}
	got, err := rescale(op, &table, []int{10}, acc)
	if err != nil {
		t.Fatal(err)
	}
	if want := []int32{-20, -10, -10, 0, 0, 0, 10, 10, 20, 30}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, err := rescale(op, &table, []int{1}, []int64{14}); !errors.Is(err, ErrDomain) {
		t.Errorf("quotient 4: got %v", err)
	}
}

func TestRescaleShiftsEachChannel(t *testing.T) {
	table := graph.Table{Lo: 0, Segments: []graph.Segment{{Len: 100, Slope: 1}}}
	op := &graph.Rescale{Acc: graph.Accumulator{Channel: 1}, Shift: []int{0, 3}}
	got, err := rescale(op, &table, []int{1, 2, 2}, []int64{16, 17, 16, 20})
	if want := []int32{16, 17, 2, 3}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}
