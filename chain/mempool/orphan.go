package mempool

import (
	"cmp"
	"slices"

	"github.com/weisyn/wes/chain"
)

// orphan is a transaction that waits for outputs that are not there.
type orphan struct {
	*Entry
	from    Peer
	missing []chain.Outpoint
	order   uint64
}

// orphans are kept apart by witness: a spoilt one does not keep the good one out.
type orphans struct {
	all   map[version]*orphan
	waits map[chain.Hash][]*orphan // by the transaction that they wait for
	bytes uint64
	order uint64
}

func newOrphans() orphans {
	return orphans{all: map[version]*orphan{}, waits: map[chain.Hash][]*orphan{}}
}

func (s *orphans) has(e *Entry) bool { return s.all[e.version()] != nil }

// add takes an orphan. The oldest of the same peer goes if the peer has too many, else the
// oldest of the peer with the most: nobody crowds others out.
func (s *orphans) add(from Peer, e *Entry, missing []chain.Outpoint, cfg *Config) {
	if e.Base > cfg.MaxOrphanBytes {
		return
	}
	s.order++
	e.parents = nil // not to keep them in memory
	o := &orphan{e, from, missing, s.order}
	s.all[e.version()] = o
	s.bytes += e.Base
	for _, m := range missing {
		if !slices.Contains(s.waits[m.Tx], o) {
			s.waits[m.Tx] = append(s.waits[m.Tx], o)
		}
	}
	if mine := s.of(from); len(mine) > cfg.PeerOrphans {
		s.remove(mine[0])
	}
	for len(s.all) > cfg.MaxOrphans || s.bytes > cfg.MaxOrphanBytes {
		s.remove(s.of(s.greediest())[0])
	}
}

// of returns the orphans of a peer, oldest first.
func (s *orphans) of(from Peer) []*orphan {
	var all []*orphan
	for _, o := range s.all {
		if o.from == from {
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b *orphan) int { return cmp.Compare(a.order, b.order) })
	return all
}

// greediest returns the peer with the most orphans.
func (s *orphans) greediest() Peer {
	count := map[Peer]int{}
	for _, o := range s.all {
		count[o.from]++
	}
	var most Peer
	for from, n := range count {
		if n > count[most] || n == count[most] && from < most {
			most = from
		}
	}
	return most
}

func (s *orphans) remove(o *orphan) {
	delete(s.all, o.version())
	s.bytes -= o.Base
	for _, m := range o.missing {
		s.waits[m.Tx] = slices.DeleteFunc(s.waits[m.Tx], func(x *orphan) bool { return x == o })
		if len(s.waits[m.Tx]) == 0 {
			delete(s.waits, m.Tx)
		}
	}
}

func (s *orphans) expire(now, after uint64) {
	for _, o := range s.all {
		if now >= o.Added+after {
			s.remove(o)
		}
	}
}

// take removes and returns those that wait for a transaction, oldest first.
func (s *orphans) take(tx chain.Hash) []*orphan {
	all := slices.Clone(s.waits[tx])
	for _, o := range all {
		s.remove(o)
	}
	return all
}

// forget removes every version of transactions that are in blocks.
func (s *orphans) forget(txs map[chain.Hash]bool) {
	for v, o := range s.all {
		if txs[v.tx] {
			s.remove(o)
		}
	}
}

// waitedFor returns which of some transactions orphans wait for, in the order of the orphans.
func (s *orphans) waitedFor(txs map[chain.Hash]bool) []chain.Hash {
	var all []*orphan
	for tx, waiting := range s.waits {
		if txs[tx] {
			all = append(all, waiting...)
		}
	}
	slices.SortFunc(all, func(a, b *orphan) int { return cmp.Compare(a.order, b.order) })
	var found []chain.Hash
	for _, o := range all {
		for _, m := range o.missing {
			if txs[m.Tx] {
				found = append(found, m.Tx)
			}
		}
	}
	return found
}

// adopt tries the orphans that waited for a transaction, and those that waited for these. An
// orphan that is refused now is gone; an error is a fault.
func (p *Pool) adopt(now uint64, tx chain.Hash, r *Result) error {
	for todo := []chain.Hash{tx}; len(todo) > 0; todo = todo[1:] {
		for _, o := range p.orphans.take(todo[0]) {
			e, err := p.add(now, o.from, o.Tx, o.Witness, r)
			switch {
			case err == nil:
				todo = append(todo, e.ID)
			case !refuses(err):
				return err
			}
		}
	}
	return nil
}
