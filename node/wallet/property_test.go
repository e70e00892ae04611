package wallet

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// TestRandomPaymentsConserveValue: whatever is sent arrives, no more than that and the fee leaves,
// and transactions under way at once share no output.
func TestRandomPaymentsConserveValue(t *testing.T) {
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 3))
		keys := []chaintest.Wallet{alice, bob, chaintest.NewWallet("carol")}
		var outputs []chain.Output
		for range 12 {
			outputs = append(outputs, coin(keys[r.IntN(3)], 1+r.Uint64N(100_000)))
		}
		w := newWorld(t, outputs...)
		w.rate = 1 + r.Uint64N(2000)
		wallets := []*Wallet{w.wallet(keys[0]), w.wallet(keys[1]), w.wallet(keys[2])}
		for range 15 {
			var block []*Built
			used := map[chain.Outpoint]bool{}
			sent, fees := [3]uint64{}, [3]uint64{}
			var before [3]uint64
			for i := range keys {
				before[i] = w.holds(keys[i], chain.TokenID{})
			}
			for range 1 + r.IntN(4) {
				from, dest := r.IntN(3), r.IntN(3)
				amount := 1 + r.Uint64N(50_000)
				b, err := wallets[from].Send(t.Context(), to(keys[dest], amount))
				var short *FundsError
				if errors.As(err, &short) {
					continue
				}
				w.must(b, err)
				for _, o := range b.Tx.Inputs {
					if used[o] {
						t.Fatalf("seed %d: %v is used twice", seed, o)
					}
					used[o] = true
				}
				sent[from] -= amount + b.Fee
				sent[dest] += amount
				fees[from] += b.Fee
				block = append(block, b)
			}
			w.mine(block...)
			for i := range keys {
				if got := w.holds(keys[i], chain.TokenID{}); got != before[i]+sent[i] {
					t.Fatalf("seed %d: %d has %d, want %d", seed, i, got, before[i]+sent[i])
				}
			}
		}
	}
}
