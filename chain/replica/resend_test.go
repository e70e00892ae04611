package replica_test

import (
	"slices"
	"testing"

	"github.com/weisyn/wes/chain/replica"
)

// copies ticks a replica and returns the ticks, from 1 on, that sent a transaction again.
func (l *ledger) copies(x replica.Relayed, ticks int) (at []int) {
	l.t.Helper()
	editions := map[uint8]bool{}
	for n := 1; n <= ticks; n++ {
		must(l.t, l.Tick(l.now))
		for _, g := range of[replica.Gossip](l.Effects()) {
			if g.Tx.ID() != x.Tx.ID() || editions[g.Edition] {
				l.t.Errorf("tick %d: a copy with edition %d", n, g.Edition) // gossip drops what it has seen
			}
			editions[g.Edition] = true
			at = append(at, n)
		}
	}
	return at
}

func TestWaitingTransactionsOfTheUserAreSentAgain(t *testing.T) {
	l := newLedger(t, nil)
	x := l.payment(1000)
	must(t, l.Submit(l.now, x))
	l.Effects()
	if got := l.copies(x, 60); !slices.Equal(got, []int{8, 24, 56}) {
		t.Errorf("sent at ticks %v", got)
	}
	must(t, l.Join(l.now, 1))
	l.Effects()
	if got := l.copies(x, 10); !slices.Equal(got, []int{2}) {
		t.Errorf("a new peer: sent at ticks %v", got)
	}
	l.mine()
	l.Effects()
	if got := l.copies(x, 2000); got != nil {
		t.Errorf("in a block: sent at ticks %v", got)
	}
}

func TestTransactionsOfOthersAreNotSentAgain(t *testing.T) {
	l := newLedger(t, nil)
	must(t, l.Join(l.now, 1))
	x := l.payment(1000)
	must(t, l.Relay(l.now, 1, x, 1))
	l.Effects()
	if got := l.copies(x, 2000); got != nil || l.Pending(x.Tx.ID()) == nil {
		t.Errorf("sent at ticks %v", got)
	}
}
