package simulator

import (
	"testing"

	"github.com/weisyn/wes/chain"
)

// build returns a world whose nodes are all linked; nobody mines or trades by itself.
func build(t *testing.T, o Options) *World {
	t.Helper()
	w, err := New(o)
	must(t, err)
	w.linkAll()
	must(t, w.Pass(2000))
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// blocks lets a node mine, one spacing apart.
func (w *World) blocks(t *testing.T, node, n int) {
	t.Helper()
	for range n {
		must(t, w.Pass(w.o.Spacing))
		for range 100 {
			if w.nodes[node].mine() {
				break
			}
			must(t, w.Pass(500))
		}
	}
}

// heal demands that the network comes together.
func (w *World) heal(t *testing.T) {
	t.Helper()
	must(t, w.Heal())
	must(t, w.Check())
}

func TestPartitionOfFiftyBlocksASideHeals(t *testing.T) {
	w := build(t, Options{Seed: 1, Nodes: 5, Spacing: 3000})
	w.Split(2)
	for range 50 {
		w.blocks(t, 0, 1)
		w.blocks(t, 4, 1)
	}
	must(t, w.Pass(5000))
	if a, b := w.nodes[1].store.Ledger(), w.nodes[3].store.Ledger(); a.Height < 50 || b.Height < 50 || a.Tip == b.Tip {
		t.Fatalf("%v and %v before the network heals", &a, &b)
	}
	w.heal(t)
}

func TestDoubleSpendAcrossAPartitionLeavesOne(t *testing.T) {
	w := build(t, Options{Seed: 2, Nodes: 4, Spacing: 3000})
	w.Split(2)
	u := w.users[0]
	c := w.nodes[0].unspent(u)[0]
	for _, side := range []int{0, 3} {
		x := w.payment(w.nodes[side], u, c, c.Entry.Output.Value.Of(chain.TokenID{}))
		if !w.nodes[side].submit(x) {
			t.Fatal("refused")
		}
		w.blocks(t, side, 3)
	}
	w.heal(t)
	for _, n := range w.honest() {
		if _, unspent := n.store.Unspent[c.Outpoint]; unspent {
			t.Error("neither payment is in the ledger")
		}
	}
}

func TestNodeThatWasAwayForSixHoursCatchesUp(t *testing.T) {
	w := build(t, Options{Seed: 3, Nodes: 3, Spacing: 60_000})
	w.nodes[2].crash()
	w.trading(40_000)
	for range 360 {
		w.blocks(t, 0, 1)
	}
	must(t, w.nodes[2].start())
	w.heal(t)
}

func TestLoadAfterADayOfSilenceIsMined(t *testing.T) {
	w := build(t, Options{Seed: 4, Nodes: 3, Spacing: 3000})
	w.blocks(t, 0, 2)
	must(t, w.Pass(24*3_600_000))
	u := w.users[1]
	for _, c := range w.nodes[0].unspent(u) {
		if !w.nodes[1].submit(w.payment(w.nodes[1], u, c, c.Entry.Output.Value.Of(chain.TokenID{}))) {
			t.Fatal("refused")
		}
	}
	must(t, w.Pass(2000))
	w.blocks(t, 2, 2)
	w.heal(t)
	if all := w.nodes[0].store.Ledger(); all.Height < 4 {
		t.Errorf("stands at %v", &all)
	}
}

func TestAttachmentWithheldAndThenSuppliedHoldsBackNothingElse(t *testing.T) {
	w := build(t, Options{Seed: 5, Nodes: 3, Adversaries: []Adversary{Withholder}, Spacing: 3000})
	u := w.users[0]
	for _, c := range w.nodes[0].unspent(u)[:3] {
		w.attach(w.nodes[0], u, c, c.Entry.Output.Value.Of(chain.TokenID{}))
	}
	must(t, w.Pass(3000))
	w.blocks(t, 3, 1) // the adversary mines them
	w.blocks(t, 1, 2)
	w.heal(t)
}

// TestEveryAdversaryLeavesTheOthersInAgreement runs each of them alone, with trade and mining.
func TestEveryAdversaryLeavesTheOthersInAgreement(t *testing.T) {
	for a := Staller; a < adversaries; a++ {
		w := build(t, Options{Seed: 100 + uint64(a), Nodes: 3, Adversaries: []Adversary{a}, Spacing: 4000})
		w.nodes[3].later(100, w.nodes[3].act)
		w.mining()
		w.trading(2000)
		must(t, w.Pass(90_000))
		if a == Flooder || a == Loose {
			for _, n := range w.honest() {
				if stored := n.headers(); stored > 3*int(n.store.Ledger().Height)+40 {
					t.Errorf("adversary %d: %d headers stored at height %d", a, stored, n.store.Ledger().Height)
				}
			}
		}
		w.heal(t)
	}
}

func TestClocksThatAreHoursOffHoldTheirNodesBackOnly(t *testing.T) {
	w := build(t, Options{Seed: 6, Nodes: 4, Spacing: 3000})
	w.nodes[3].offset = -2 * 3_600_000 // every block is in its future
	w.nodes[2].offset = 2 * 3_600_000
	for range 10 {
		w.blocks(t, 0, 1)
	}
	must(t, w.Pass(5000))
	if a, b := w.nodes[0].store.Ledger(), w.nodes[1].store.Ledger(); a.Height != 10 || a != b {
		t.Fatalf("%v and %v", &a, &b)
	}
	w.heal(t)
}

// headers counts what a node has stored.
func (n *node) headers() (count int) {
	for range n.store.Headers() {
		count++
	}
	return count
}
