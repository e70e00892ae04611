package mempool

import (
	"fmt"
	"slices"
)

// room returns what has to go for an entry: what it replaces, and what makes a chain of
// unconfirmed transactions too long. It refuses what may not take the place of others.
func (p *Pool) room(e *Entry) (family, error) {
	ancestors := withAncestors(e)
	evicted, err := p.replaced(e, ancestors)
	if err != nil {
		return nil, err
	}
	if len(ancestors) > p.cfg.MaxChain {
		return nil, fmt.Errorf("%w: %d ancestors", ErrChain, len(ancestors)-1)
	}
	for _, a := range ancestors.sorted() {
		if a == e {
			continue
		}
		if err := p.makeRoom(a, e, ancestors, evicted); err != nil {
			return nil, err
		}
	}
	return evicted, nil
}

// replaced returns the entries that spend what e spends, and their descendants. They go if
//
//   - e's fee is worth at least theirs together, and the least rate on top for e's own weight;
//   - e's fee rate is higher than that of each of them, and than that of each with its
//     descendants; e counts with its ancestors, where that is less.
//
// Fees of descendants do not add up against e: hanging large cheap transactions on one's own
// does not pin it. What e itself would build on may not go.
func (p *Pool) replaced(e *Entry, ancestors family) (family, error) {
	var direct []*Entry
	need := p.cfg.MinRate.fee(e.Weight)
	for _, o := range e.Tx.Inputs {
		if old := p.spent[o]; old != nil && !slices.Contains(direct, old) {
			direct = append(direct, old)
			need = add(need, old.Fee)
		}
	}
	if len(direct) == 0 {
		return family{}, nil
	}
	evicted := withDescendants(direct...)
	for a := range ancestors {
		if evicted[a] {
			return nil, fmt.Errorf("%w: it builds on what it replaces", ErrReplacement)
		}
	}
	if e.Fee < need {
		return nil, fmt.Errorf("%w: the fee is worth %d, need %d", ErrReplacement, e.Fee, need)
	}
	score := lesser(e.share(), ancestors.share())
	for _, old := range direct {
		if score.compare(old.share()) <= 0 || score.compare(withDescendants(old).share()) <= 0 {
			return nil, fmt.Errorf("%w: the fee rate is not above that of %v", ErrReplacement, old.ID)
		}
	}
	if len(evicted) > p.cfg.MaxReplaced {
		return nil, fmt.Errorf("%w: %d would go", ErrReplacement, len(evicted))
	}
	return evicted, nil
}

// makeRoom evicts the worst descendants of a, an ancestor of e, while there are too many for
// one more. Only those without descendants of their own go, for a higher fee and fee rate: a
// crowd of somebody's children keeps nobody from adding one.
func (p *Pool) makeRoom(a, e *Entry, ancestors, evicted family) error {
	for {
		var worst *Entry
		count := 1 // e
		for _, d := range withDescendants(a).sorted() {
			if evicted[d] {
				continue
			}
			count++
			if !ancestors[d] && leaf(d, evicted) && (worst == nil || d.share().compare(worst.share()) < 0) {
				worst = d
			}
		}
		if count <= p.cfg.MaxChain {
			return nil
		}
		if worst == nil || e.share().compare(worst.share()) <= 0 || e.Fee < add(worst.Fee, p.cfg.MinRate.fee(e.Weight)) {
			return fmt.Errorf("%w: %d descend from %v", ErrChain, count-1, a.ID)
		}
		evicted[worst] = true
	}
}

// leaf reports whether all children of d go.
func leaf(d *Entry, evicted family) bool {
	for _, c := range d.children {
		if !evicted[c] {
			return false
		}
	}
	return true
}

func lesser(a, b share) share {
	if a.compare(b) <= 0 {
		return a
	}
	return b
}
