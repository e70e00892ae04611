package layer

import (
	"slices"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/poly"
)

// eqTables computes the tables of eq that columns and claims share, each once: most of a
// model's tensors have the same few shapes. A part of a point is known by its place in
// memory, so points must not change, and neither must the tables. Safe for concurrent use.
type eqTables struct {
	mu     sync.Mutex
	tables map[eqKey][]fr.Element
}

// eqKey is the first n entries of eq at a point that is one part above another.
type eqKey struct {
	high, low         *fr.Element
	highVars, lowVars int
	n                 int
}

// prefix is the first n entries of eq(high ‖ low, ·).
func (t *eqTables) prefix(high, low []fr.Element, n int) []fr.Element {
	key := eqKey{highVars: len(high), lowVars: len(low), n: n}
	if len(high) > 0 {
		key.high = &high[0]
	}
	if len(low) > 0 {
		key.low = &low[0]
	}
	t.mu.Lock()
	table := t.tables[key]
	t.mu.Unlock()
	if table == nil {
		table = poly.EqPrefix(slices.Concat(high, low), n)
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.tables == nil {
			t.tables = map[eqKey][]fr.Element{}
		}
		t.tables[key] = table
	}
	return table
}
