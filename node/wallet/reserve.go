package wallet

import (
	"slices"
	"sync"

	"github.com/weisyn/wes/chain"
)

// Reservations are the transactions under way of one or more wallets.
type Reservations interface {
	// Pending returns those that can take effect at a time of the ledger, in ms, in the order in
	// which they were added.
	Pending(now uint64) ([]Pending, error)
	// Add records one. It fails with ErrTaken, and records nothing, if another one that can take
	// effect has one of its inputs. Those in dead cannot; the ones in its way are removed.
	Add(p *Pending, now uint64, dead map[chain.Hash]bool) error
	// Remove forgets one, if it is there.
	Remove(id chain.Hash) error
}

// Memory reserves for one process.
type Memory struct {
	mu struct {
		sync.Mutex
		all []Pending
	}
}

var _ Reservations = (*Memory)(nil)

// Pending implements Reservations.
func (m *Memory) Pending(now uint64) ([]Pending, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return unexpired(m.mu.all, now), nil
}

// Add implements Reservations.
func (m *Memory) Add(p *Pending, now uint64, dead map[chain.Hash]bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	all, err := reserve(m.mu.all, p, now, dead)
	if err == nil {
		m.mu.all = all
	}
	return err
}

// Remove implements Reservations.
func (m *Memory) Remove(id chain.Hash) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.all = without(m.mu.all, id)
	return nil
}

func unexpired(all []Pending, now uint64) []Pending {
	return slices.DeleteFunc(slices.Clone(all), func(p Pending) bool { return p.Until < now })
}

// reserve returns a list with p and without what has expired or is dead and in its way.
func reserve(all []Pending, p *Pending, now uint64, dead map[chain.Hash]bool) ([]Pending, error) {
	mine := map[chain.Outpoint]bool{}
	for _, o := range p.Inputs {
		mine[o] = true
	}
	var kept []Pending
	for _, q := range all {
		clash := slices.ContainsFunc(q.Inputs, func(o chain.Outpoint) bool { return mine[o] })
		switch {
		case q.Until < now || clash && dead[q.ID]:
			continue
		case clash:
			return nil, ErrTaken
		}
		kept = append(kept, q)
	}
	return append(kept, *p), nil
}

func without(all []Pending, id chain.Hash) []Pending {
	return slices.DeleteFunc(slices.Clone(all), func(p Pending) bool { return p.ID == id })
}
