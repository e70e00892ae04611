package interpret

import (
	"errors"
	"slices"
	"testing"
)

func TestMaximumIsElementwise(t *testing.T) {
	got, err := maximum([]int64{-5, 3, 0}, []int64{-7, 4, 0})
	if err != nil || !slices.Equal(got, []int32{-5, 4, 0}) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := maximum([]int64{0, 1 << 31}, []int64{0, 0}); !errors.Is(err, ErrRange) {
		t.Errorf("2^31: got %v", err)
	}
}
