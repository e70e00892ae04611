package mempool

import (
	"testing"

	"github.com/weisyn/wes/chain/chaintest"
)

// BenchmarkAdd is the cost of a simple transaction, most of it its signature.
func BenchmarkAdd(b *testing.B) {
	w := newWorld(b, Config{}, 2000)
	txs := signedAll(w)
	for b.Loop() {
		w.pool.clear()
		for i := range txs {
			if _, err := w.add(txs[i]); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(txs)), "ns/tx")
}

// BenchmarkTemplate is the cost of a selection from 4,000 transactions, half of them children.
func BenchmarkTemplate(b *testing.B) {
	w := newWorld(b, Config{}, 2000)
	for _, s := range signedAll(w) {
		if _, err := w.add(s); err != nil {
			b.Fatal(err)
		}
		if _, err := w.add(w.spend(2_000, 1, s.Out(0)).Sign()); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if x := w.pool.Template(); len(x.Entries) != 4000 {
			b.Fatal(len(x.Entries))
		}
	}
}

// signedAll spends every coin of a world.
func signedAll(w *world) []chaintest.Signed {
	var all []chaintest.Signed
	for i := range w.coins {
		all = append(all, w.spend(uint64(2_000+i), 1, w.coins[i]).Sign())
	}
	return all
}
