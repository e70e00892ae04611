package trade

import (
	"bytes"
	"maps"
	"slices"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
)

// windingUp is the capacity of an operator that sells nothing any more. It takes nothing on, and what a
// process before it had taken on is not done: the sooner it is released, the less of the bond is lost.
// Results that are here are settled without it.
type windingUp struct{ left map[chain.Hash]bool }

var _ market.Capacity = (*windingUp)(nil)

func newWindingUp() *windingUp { return &windingUp{map[chain.Hash]bool{}} }

// Quote implements market.Capacity.
func (*windingUp) Quote(uint64, chain.Hash, *market.Terms, uint64, uint64) (market.Quote, *market.Refusal) {
	return market.Quote{}, &market.Refusal{Code: market.CodeDraining}
}

// Commit implements market.Capacity.
func (*windingUp) Commit(uint64, chain.Hash, uint64) *market.Refusal {
	return &market.Refusal{Code: market.CodeDraining}
}

// Restore implements market.Capacity.
func (w *windingUp) Restore(_ uint64, job chain.Hash, _ *market.Terms, _ uint64) { w.left[job] = true }

// Release implements market.Capacity.
func (w *windingUp) Release(_ uint64, job chain.Hash) { delete(w.left, job) }

// Ready implements market.Capacity.
func (*windingUp) Ready(uint64, chain.Hash) {}

// Place implements market.Capacity.
func (*windingUp) Place(uint64) []market.Placement { return nil }

// Finish implements market.Capacity.
func (*windingUp) Finish(uint64, chain.Hash, uint64, uint64) {}

// Again implements market.Capacity.
func (*windingUp) Again(uint64, chain.Hash, bool) bool { return false }

// Hopeless implements market.Capacity.
func (w *windingUp) Hopeless(uint64) []chain.Hash {
	return slices.SortedFunc(maps.Keys(w.left), func(a, b chain.Hash) int { return bytes.Compare(a[:], b[:]) })
}
