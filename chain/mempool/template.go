package mempool

import (
	"bytes"
	"cmp"
	"container/heap"
	"math/bits"
	"slices"

	"github.com/weisyn/wes/chain"
)

// Template is a selection for a block: transactions in an order in which parents come first,
// and what the coinbase pays.
type Template struct {
	Entries  []*Entry
	Fees     chain.Value // of all tokens, accepted or not
	Base     uint64      // bytes of bodies and witnesses
	Attached uint64      // bytes
	Cost     uint64      // units
}

// maxMisses is how many packages in a row may not fit before the search ends.
const maxMisses = 500

// Template selects the transactions that pay most for the room they take: over and over the
// one with the highest fee rate, counted with those of its ancestors that are not in yet. The
// first transaction stands behind the coinbase, which takes at most CoinbaseBytes.
func (p *Pool) Template() Template {
	s := newSelection(p)
	misses := 0
	for s.heap.Len() > 0 && misses < maxMisses {
		best := heap.Pop(&s.heap).(*pack)
		if s.take(best) {
			misses = 0
		} else {
			misses++
		}
	}
	s.out.Base -= p.cfg.CoinbaseBytes
	s.out.Fees = s.value()
	return s.out
}

// pack is an entry with those of its ancestors that are not selected.
type pack struct {
	*Entry
	share share
	at    int // in the heap; -1 outside
}

type packs []*pack

func (h packs) Len() int { return len(h) }
func (h packs) Less(i, j int) bool {
	return cmp.Or(h[j].share.compare(h[i].share), cmp.Compare(h[i].order, h[j].order)) < 0
}

func (h packs) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

func (h *packs) Push(x any) {
	x.(*pack).at = len(*h)
	*h = append(*h, x.(*pack))
}

func (h *packs) Pop() any {
	last := (*h)[len(*h)-1]
	*h, last.at = (*h)[:len(*h)-1], -1
	return last
}

type selection struct {
	packs map[*Entry]*pack
	heap  packs
	in    family
	fees  map[chain.TokenID]uint64
	out   Template
}

func newSelection(p *Pool) *selection {
	s := &selection{packs: map[*Entry]*pack{}, in: family{}, fees: map[chain.TokenID]uint64{}}
	s.out.Base = p.cfg.CoinbaseBytes
	for _, e := range p.entries {
		k := &pack{Entry: e, share: e.share()}
		if len(e.parents) > 0 {
			k.share = withAncestors(e).share()
		}
		s.packs[e] = k
		heap.Push(&s.heap, k)
	}
	return s
}

// take selects a package if it fits. One that does not never will: room only shrinks.
func (s *selection) take(k *pack) bool {
	if s.in[k.Entry] {
		return true
	}
	var fresh []*Entry
	next := s.out
	fees := map[chain.TokenID]uint64{}
	for _, e := range withAncestors(k.Entry).sorted() {
		if s.in[e] {
			continue
		}
		fresh = append(fresh, e)
		next.Base, next.Attached, next.Cost = next.Base+e.Base, next.Attached+e.Attached, add(next.Cost, e.Cost)
		if !s.addFees(fees, e.Tx.Fee) {
			return false
		}
	}
	tokens := len(s.fees)
	for t := range fees {
		if _, known := s.fees[t]; !known {
			tokens++
		}
	}
	if next.Base > chain.MaxBlockBase || next.Attached > chain.MaxBlockAttachments || next.Cost > chain.MaxBlockCost || tokens > chain.MaxFeeTokens {
		return false
	}
	s.out.Base, s.out.Attached, s.out.Cost = next.Base, next.Attached, next.Cost
	s.commit(fresh, fees)
	return true
}

// addFees sums fees on top of those selected; false if a sum leaves 64 bits.
func (s *selection) addFees(fees map[chain.TokenID]uint64, v chain.Value) bool {
	for _, c := range v {
		sum, known := fees[c.Token]
		if !known {
			sum = s.fees[c.Token]
		}
		sum, carry := bits.Add64(sum, c.Amount, 0)
		if carry != 0 {
			return false
		}
		fees[c.Token] = sum
	}
	return true
}

// commit enters entries and lightens the packages of their descendants.
func (s *selection) commit(fresh []*Entry, fees map[chain.TokenID]uint64) {
	for t, n := range fees {
		s.fees[t] = n
	}
	for _, e := range fresh {
		s.in[e] = true
		s.out.Entries = append(s.out.Entries, e)
		if k := s.packs[e]; k.at >= 0 {
			heap.Remove(&s.heap, k.at)
		}
		for d := range withDescendants(e) {
			if k := s.packs[d]; k.at >= 0 {
				k.share = k.share.minus(e.share())
				heap.Fix(&s.heap, k.at)
			}
		}
	}
}

// value returns the fees, sorted by token.
func (s *selection) value() chain.Value {
	var v chain.Value
	for t, n := range s.fees {
		v = append(v, chain.Coin{Token: t, Amount: n})
	}
	slices.SortFunc(v, func(a, b chain.Coin) int { return bytes.Compare(a.Token[:], b.Token[:]) })
	return v
}
