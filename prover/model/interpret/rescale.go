package interpret

import (
	"errors"
	"fmt"

	"github.com/weisyn/wes/prover/graph"
)

// ErrDomain is returned when a quotient leaves its table's domain, which only weights that
// break the stated bounds or a tampered execution bring about.
var ErrDomain = errors.New("quotient leaves the table's domain")

// rescale rounds an accumulator down to table arguments and looks them up.
func rescale(op *graph.Rescale, table *graph.Table, shape []int, acc []int64) ([]int32, error) {
	rows := table.Values()
	_, channels, inner := tensor{shape: shape}.split(op.Acc.Channel)
	out := make([]int32, len(acc))
	for i, a := range acc {
		shift := op.Shift[0]
		if len(op.Shift) > 1 {
			shift = op.Shift[i/inner%channels]
		}
		row := graph.ShiftRight(a, shift) - table.Lo
		if row < 0 || row >= int64(len(rows)) {
			return nil, fmt.Errorf("%w: accumulator %d at cell %d", ErrDomain, a, i)
		}
		out[i] = rows[row]
	}
	return out, nil
}
