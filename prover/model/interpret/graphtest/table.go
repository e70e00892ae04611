package graphtest

import "github.com/weisyn/wes/prover/graph"

// table makes a table on [lo, hi]: clamps with and without offset, a constant, the
// identity, a slope other than one, stairs, or noise.
func (b *builder) table(lo, hi int64) graph.Table {
	values := make([]int32, hi-lo+1)
	kind := b.rng.IntN(8)
	offset := b.rng.Int64N(40) - 20
	constant := b.rng.Int64N(100)
	for i := range values {
		q := lo + int64(i)
		var v int64
		switch kind {
		case 0, 1:
			v = min(max(q, 0), 127)
		case 2:
			v = min(max(q, -127), 127)
		case 3:
			v = min(max(q+offset, 10), 90)
		case 4:
			v = constant
		case 5:
			v = max(q, q/8)
		case 6:
			v = q / 7 * 3 % 500
		case 7:
			v = b.rng.Int64N(1 << 9)
			if b.rng.IntN(9) == 0 {
				v -= 1 << 10
			}
		}
		values[i] = int32(v)
	}
	return graph.NewTable(lo, values)
}
