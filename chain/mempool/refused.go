package mempool

import (
	"errors"

	"github.com/weisyn/wes/chain"
)

// refused remembers what broke a rule that no ledger mends: by transaction if the body is at
// fault, by transaction and witness if these are, so that a spoilt witness does not keep the
// good one out. The oldest are forgotten.
type refused struct {
	known map[version]bool
	ring  []version
	next  int
}

// version names a transaction with a witness; zero stands for every witness.
type version struct{ tx, witness chain.Hash }

func (e *Entry) version() version { return version{e.ID, e.witnessHash} }

func newRefused() refused { return refused{known: map[version]bool{}} }

func (s *refused) has(e *Entry) bool {
	return s.known[version{tx: e.ID}] || s.known[e.version()]
}

// note remembers an error, if it is one to remember.
func (s *refused) note(e *Entry, err error, limit int) {
	var broken *chain.RuleError
	if !errors.As(err, &broken) {
		return
	}
	switch broken.Code.Scope() {
	case chain.ScopeBody:
		s.add(version{tx: e.ID}, limit)
	case chain.ScopeWitness:
		s.add(e.version(), limit)
	}
}

func (s *refused) add(r version, limit int) {
	if s.known[r] {
		return
	}
	if len(s.ring) < limit {
		s.ring = append(s.ring, r)
	} else {
		delete(s.known, s.ring[s.next])
		s.ring[s.next] = r
		s.next = (s.next + 1) % limit
	}
	s.known[r] = true
}
