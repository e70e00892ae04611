package interpret

import (
	"errors"
	"fmt"
	"math"
)

// ErrRange is returned when a maximum does not fit a committed cell.
var ErrRange = errors.New("maximum exceeds 32 bits")

// maximum is the elementwise maximum.
func maximum(a, b []int64) ([]int32, error) {
	out := make([]int32, len(a))
	for i := range out {
		v := max(a[i], b[i])
		if v < math.MinInt32 || v > math.MaxInt32 {
			return nil, fmt.Errorf("%w: cell %d is %d", ErrRange, i, v)
		}
		out[i] = int32(v)
	}
	return out, nil
}
