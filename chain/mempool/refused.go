package mempool

import (
	"errors"

	"github.com/weisyn/wes/chain"
)

// refused remembers what broke a rule that no ledger mends: by transaction if the body is at
// fault, by transaction and witness if these are, so that a spoilt witness does not keep the
// good one out. The oldest are forgotten.
type refused struct {
	known map[refusal]bool
	ring  []refusal
	next  int
}

// refusal names a transaction, and a witness unless that does not matter.
type refusal struct{ tx, witness chain.Hash }

func newRefused() refused { return refused{known: map[refusal]bool{}} }

func (s *refused) has(e *Entry) bool {
	return s.known[refusal{tx: e.ID}] || s.known[refusal{e.ID, e.witnessHash}]
}

// note remembers an error, if it is one to remember.
func (s *refused) note(e *Entry, err error, limit int) {
	var broken *chain.RuleError
	if !errors.As(err, &broken) {
		return
	}
	switch broken.Code.Scope() {
	case chain.ScopeBody:
		s.add(refusal{tx: e.ID}, limit)
	case chain.ScopeWitness:
		s.add(refusal{e.ID, e.witnessHash}, limit)
	}
}

func (s *refused) add(r refusal, limit int) {
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
