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
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 3))
		keys := []chaintest.Wallet{alice, bob, carol}
		var outputs []chain.Output
		for range 12 {
			outputs = append(outputs, coin(keys[r.IntN(3)], 1+r.Uint64N(100_000)))
		}
		w := newWorld(t, append(outputs, coin(alice, 1_000_000))...)
		token := w.shared(r, keys)
		w.rate = 1 + r.Uint64N(2000)
		w.prices = map[chain.TokenID]Price{token: {Worth: 100, Per: 1}}
		p := &payments{world: w, r: r, keys: keys, tokens: []chain.TokenID{{}, token}}
		for _, k := range keys {
			p.wallets = append(p.wallets, w.wallet(k))
		}
		for range 15 {
			p.round(seed)
		}
	}
}

// shared issues a token and gives everybody coins of it, some with WES.
func (w *world) shared(r *rand.Rand, keys []chaintest.Wallet) chain.TokenID {
	a := w.wallet(alice)
	b, id, err := a.Issue(w.t.Context(), 100_000, 100_000)
	w.mine(w.must(b, err))
	var all []Payment
	for range 12 {
		v := chain.Tokens(id, 1+r.Uint64N(1000))
		if r.IntN(2) == 0 {
			v = append(chain.Native(1+r.Uint64N(10_000)), v...)
		}
		all = append(all, Payment{keys[r.IntN(3)].Lock(), v})
	}
	w.mine(w.must(a.Send(w.t.Context(), all...)))
	return id
}

// payments are random ones among some wallets.
type payments struct {
	*world
	r       *rand.Rand
	keys    []chaintest.Wallet
	wallets []*Wallet
	tokens  []chain.TokenID
}

// round makes a block of payments and compares with a plain sum.
func (p *payments) round(seed uint64) {
	p.t.Helper()
	want := map[[2]int]uint64{}
	for i := range p.keys {
		for k, token := range p.tokens {
			want[[2]int{i, k}] = p.holds(p.keys[i], token)
		}
	}
	var block []*Built
	used := map[chain.Outpoint]bool{}
	for range 1 + p.r.IntN(4) {
		from, dest, k := p.r.IntN(3), p.r.IntN(3), p.r.IntN(2)
		amount, feeToken := 1+p.r.Uint64N([]uint64{50_000, 800}[k]), p.r.IntN(2)
		x := p.wallets[from]
		x.FeeToken = p.tokens[feeToken]
		b, err := x.Send(p.t.Context(), Payment{hidden(p.keys[dest].Lock()), chain.Tokens(p.tokens[k], amount)})
		var short *FundsError
		if errors.As(err, &short) {
			continue
		}
		p.must(b, err)
		for _, o := range b.Tx.Inputs {
			if used[o] {
				p.t.Fatalf("seed %d: %v is used twice", seed, o)
			}
			used[o] = true
		}
		want[[2]int{from, k}] -= amount
		want[[2]int{from, feeToken}] -= b.Fee
		want[[2]int{dest, k}] += amount
		block = append(block, b)
	}
	p.mine(block...)
	for at, n := range want {
		if got := p.holds(p.keys[at[0]], p.tokens[at[1]]); got != n {
			p.t.Fatalf("seed %d: wallet %d has %d of token %d, want %d", seed, at[0], got, at[1], n)
		}
	}
}
