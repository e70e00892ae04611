package float

import (
	"sync/atomic"
	"testing"
)

func TestParallelCoversEveryItemOnce(t *testing.T) {
	for _, n := range []int{0, 1, 2, 7, 64, 1000} {
		for _, grain := range []int{1, 3, 100} {
			hits := make([]atomic.Int32, n)
			parallel(n, grain, func(lo, hi int) {
				for i := lo; i < hi; i++ {
					hits[i].Add(1)
				}
			})
			for i := range hits {
				if hits[i].Load() != 1 {
					t.Fatalf("n %d, grain %d: item %d was done %d times", n, grain, i, hits[i].Load())
				}
			}
		}
	}
}
