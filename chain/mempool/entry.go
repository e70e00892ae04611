package mempool

import (
	"cmp"
	"slices"

	"github.com/weisyn/wes/chain"
)

// Entry is a transaction in the pool. Its fields do not change.
type Entry struct {
	Tx       *chain.Tx
	Witness  chain.Witness
	ID       chain.Hash
	Base     uint64 // bytes of body and witness
	Attached uint64 // bytes of attachments
	Cost     uint64 // units
	Weight   uint64
	Fee      uint64 // what the fee is worth, base units of WES
	Added    uint64 // ms since 1970

	witnessHash chain.Hash
	order       uint64 // of entry; parents' are lower
	timed       bool   // may cease to be valid as time passes
	parents     []*Entry
	children    []*Entry
}

func (e *Entry) share() share { return share{e.Fee, e.Weight} }

func (e *Entry) bytes() uint64 { return e.Base + e.Attached }

// family is a set of entries. Iteration goes through sorted, so no decision depends on the
// order of a map.
type family map[*Entry]bool

// sorted returns the entries in order of entry, parents first.
func (f family) sorted() []*Entry {
	all := make([]*Entry, 0, len(f))
	for e := range f {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *Entry) int { return cmp.Compare(a.order, b.order) })
	return all
}

// share sums the entries.
func (f family) share() share {
	var s share
	for e := range f {
		s = s.plus(e.share())
	}
	return s
}

// grow adds everything reachable from the entries given, which are added too.
func (f family) grow(next func(*Entry) []*Entry, from ...*Entry) family {
	for todo := slices.Clone(from); len(todo) > 0; {
		e := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !f[e] {
			f[e] = true
			todo = append(todo, next(e)...)
		}
	}
	return f
}

func parentsOf(e *Entry) []*Entry  { return e.parents }
func childrenOf(e *Entry) []*Entry { return e.children }

// withAncestors returns the entries and their ancestors.
func withAncestors(all ...*Entry) family { return family{}.grow(parentsOf, all...) }

// withDescendants returns the entries and their descendants.
func withDescendants(all ...*Entry) family { return family{}.grow(childrenOf, all...) }
