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

// verdict relays a transaction from peer 1 at an instant, and returns the decision.
func (l *ledger) verdict(x replica.Relayed, at uint64) replica.Decision {
	l.t.Helper()
	l.Effects()
	must(l.t, l.Relay(at, 1, x, 7))
	all := of[replica.Verdict](l.Effects())
	if len(all) != 1 || all[0].Ticket != 7 {
		l.t.Fatalf("verdicts %v", all)
	}
	return all[0].Decision
}

// TestCopiesOfWaitingTransactionsArePassedOn: a neighbour that has it is not the end of the way.
func TestCopiesOfWaitingTransactionsArePassedOn(t *testing.T) {
	l := newLedger(t, nil)
	must(t, l.Join(l.now, 1))
	x, other := l.ambiguous(0), l.ambiguous(1)
	at := l.now
	for _, c := range []struct {
		what  string
		x     replica.Relayed
		after uint64 // ms from the first
		want  replica.Decision
	}{
		{"the first", x, 0, replica.Accepted},
		{"a copy at once", x, 1, replica.Ignored},
		{"a copy too soon", x, 3999, replica.Ignored},
		{"a copy with another witness", other, 4000, replica.Ignored},
		{"a copy", x, 4000, replica.Accepted},
		{"many copies", x, 4001, replica.Ignored},
		{"many copies, still", x, 7999, replica.Ignored},
		{"the next copy", x, 8000, replica.Accepted},
	} {
		if got := l.verdict(c.x, at+c.after); got != c.want {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
	l.now = at + 10_000
	l.mine()
	if got := l.verdict(x, l.now+10_000); got == replica.Accepted {
		t.Error("a copy of what a block has is passed on")
	}
}
