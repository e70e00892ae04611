package mempool

import (
	"testing"

	"github.com/weisyn/wes/chain/chaintest"
)

// large drafts a transaction of a MiB, so that few fill a pool. Its weight is a MiB too: the
// least fee is 1,048,576, more than one coin of these tests holds.
func (w *world) large(fee uint64, i int) chaintest.Signed {
	return w.attach(w.spend(fee, 1, w.coins[2*i], w.coins[2*i+1]), 1<<20).Sign()
}

func TestEvictionTakesTheWorstAndRaisesTheFloor(t *testing.T) {
	w := newWorld(t, Config{MaxBytes: 11 << 19, FloorHalfLife: 1000}, 20)
	var all []chaintest.Signed
	for i, fee := range []uint64{1_300_000, 1_100_000, 1_500_000, 1_200_000, 1_400_000} {
		all = append(all, w.large(fee, i))
		w.accept(all[i])
	}
	w.accept(w.large(1_600_000, 5))
	if w.has(all[1]) || !w.has(all[3]) || w.pool.Status(w.now).Transactions != 5 {
		t.Fatalf("%+v", w.pool.Status(w.now))
	}
	raised := w.pool.Floor(w.now)
	if raised < 1_000+1_000 {
		t.Errorf("floor %d", raised)
	}
	w.refuse(w.large(1_150_000, 6), ErrFee)
	w.now += 1000
	if got := w.pool.Floor(w.now); got != raised/2 {
		t.Errorf("floor %d after a half-life of %d", got, raised)
	}
	w.now += 100_000
	if got := w.pool.Floor(w.now); got != w.pool.cfg.MinRate {
		t.Errorf("floor %d after long", got)
	}
	// Now it is let in, and goes at once: it is the worst.
	w.refuse(w.large(1_100_000, 6), ErrFee)
	if !w.has(all[3]) {
		t.Error("a better one went")
	}
}

func TestEvictionSparesParentsOfThoseThatPay(t *testing.T) {
	w := newWorld(t, Config{MaxBytes: 11 << 19}, 20)
	parent := w.large(1_100_000, 0)
	w.accept(parent)
	w.accept(w.spend(800_000, 1, parent.Out(0)).Sign())
	others := []chaintest.Signed{w.large(1_300_000, 1), w.large(1_200_000, 2), w.large(1_400_000, 3), w.large(1_500_000, 4)}
	for _, s := range others {
		w.accept(s)
	}
	w.accept(w.large(1_600_000, 5))
	if !w.has(parent) || w.has(others[1]) {
		t.Error("the wrong one went")
	}
}

func TestEvictionTakesDescendantsAlong(t *testing.T) {
	w := newWorld(t, Config{MaxBytes: 11 << 19}, 20)
	parent := w.large(1_100_000, 0)
	child := w.spend(3_000, 1, parent.Out(0)).Sign()
	w.accept(parent)
	w.accept(child)
	for i := 1; i < 6; i++ {
		w.accept(w.large(1_300_000, i))
	}
	if w.has(parent) || w.has(child) {
		t.Error("a child outlives its parent, or the worst stays")
	}
}
