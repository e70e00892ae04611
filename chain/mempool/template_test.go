package mempool

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// signedOf returns the transactions of a template, as blocks take them.
func signedOf(x Template) []chaintest.Signed {
	var all []chaintest.Signed
	for _, e := range x.Entries {
		all = append(all, chaintest.Signed{Tx: e.Tx, Witness: e.Witness})
	}
	return all
}

func TestTemplateCountsAncestors(t *testing.T) {
	w := newWorld(t, Config{}, 3)
	parent := w.spend(1_500, 1, w.coins[0]).Sign()
	child := w.spend(90_000, 1, parent.Out(0)).Sign()
	middle := w.spend(30_000, 1, w.coins[1]).Sign()
	low := w.spend(5_000, 1, w.coins[2]).Sign()
	for _, s := range []chaintest.Signed{parent, low, middle, child} {
		w.accept(s)
	}
	var ids []chain.Hash
	x := w.pool.Template()
	for _, e := range x.Entries {
		ids = append(ids, e.ID)
	}
	if want := []chain.Hash{parent.ID(), child.ID(), middle.ID(), low.ID()}; !slices.Equal(ids, want) {
		t.Errorf("order %v", ids)
	}
	if !x.Fees.Equal(chain.Native(126_500)) {
		t.Errorf("fees %v", x.Fees)
	}
	w.mine(signedOf(x)...)
	if n := w.pool.Status(w.now).Transactions; n != 0 {
		t.Errorf("%d transactions left", n)
	}
}

// TestTemplateCountsAncestorsOnce: what one child has paid for, the next need not.
func TestTemplateCountsAncestorsOnce(t *testing.T) {
	w := newWorld(t, Config{}, 2)
	parent := w.spend(2_000, 2, w.coins[0]).Sign()
	first, second := w.spend(90_000, 1, parent.Out(0)).Sign(), w.spend(40_000, 1, parent.Out(1)).Sign()
	single := w.spend(30_000, 1, w.coins[1]).Sign()
	for _, s := range []chaintest.Signed{parent, single, second, first} {
		w.accept(s)
	}
	x := w.pool.Template()
	if x.Entries[1].ID != first.ID() || x.Entries[2].ID != second.ID() || x.Entries[3].ID != single.ID() {
		t.Error("the second child pays for its parent again")
	}
}

// TestTemplateKeepsTheCostOfABlock has proofs of which two fit.
func TestTemplateKeepsTheCostOfABlock(t *testing.T) {
	w := newWorld(t, Config{MinRate: 1}, 3)
	for _, coin := range w.coins {
		publish, open := w.model(coin, 1_400_000, false)
		w.accept(publish)
		w.accept(open)
	}
	if x := w.pool.Template(); x.Cost > chain.MaxBlockCost || len(x.Entries) != 5 {
		t.Errorf("cost %d in %d transactions", x.Cost, len(x.Entries))
	}
	w.mine(signedOf(w.pool.Template())...)
}

func TestTemplateKeepsTheBaseOfABlock(t *testing.T) {
	w := newWorld(t, Config{MinRate: 1}, 18)
	for _, coin := range w.coins {
		w.accept(w.spend(1000, 2800, coin).Sign())
	}
	x := w.pool.Template()
	if x.Base > chain.MaxBlockBase-w.pool.cfg.CoinbaseBytes || len(x.Entries) == 18 || len(x.Entries) < 15 {
		t.Errorf("%d bytes in %d transactions", x.Base, len(x.Entries))
	}
	w.mine(signedOf(x)...)
}

func TestTemplateKeepsTheLimitsOfABlock(t *testing.T) {
	w := newWorld(t, Config{MaxBytes: 64 << 20}, 40)
	for i := range 10 {
		w.accept(w.large(uint64(1_100_000+i*10_000), i))
	}
	small := w.spend(10_000, 1, w.coins[30]).Sign()
	w.accept(small)
	x := w.pool.Template()
	if x.Attached != 8<<20 || len(x.Entries) != 9 {
		t.Errorf("%d bytes in %d transactions", x.Attached, len(x.Entries))
	}
	for _, e := range x.Entries {
		if e.Attached > 0 && e.Fee < 1_120_000 {
			t.Errorf("a fee of %d is in, a higher one is not", e.Fee)
		}
	}
	w.mine(signedOf(x)...)
}

// greedy selects transactions by their own fee rates, in an order in which parents come first.
func greedy(p *Pool) (fees uint64) {
	var base, attached, cost uint64 = p.cfg.CoinbaseBytes, 0, 0
	in := map[*Entry]bool{}
	for {
		var best *Entry
		for _, e := range p.inOrder() {
			ready := !in[e] && !slices.ContainsFunc(e.parents, func(x *Entry) bool { return !in[x] })
			fits := base+e.Base <= chain.MaxBlockBase && attached+e.Attached <= chain.MaxBlockAttachments && cost+e.Cost <= chain.MaxBlockCost
			if ready && fits && (best == nil || e.share().compare(best.share()) > 0) {
				best = e
			}
		}
		if best == nil {
			return fees
		}
		in[best] = true
		fees += best.Fee
		base, attached, cost = base+best.Base, attached+best.Attached, cost+best.Cost
	}
}

// TestTemplateIsAValidBlockThatPaysAtLeastNearlyWhatGreedDoes draws pools with families and
// large transactions. A package that just fails to fit may lose one large transaction.
func TestTemplateIsAValidBlockThatPaysAtLeastNearlyWhatGreedDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, Config{}, 24)
		coins := slices.Clone(w.coins)
		for range rapid.IntRange(1, 14).Draw(t, "transactions") {
			i := rapid.IntRange(0, len(coins)-1).Draw(t, "coin")
			coin := coins[i]
			have := coin.Entry.Output.Value.Of(chain.TokenID{})
			fee := rapid.Uint64Range(2_000, 90_000).Draw(t, "fee")
			if have < fee+10 {
				continue
			}
			d := w.spend(fee, 1+rapid.IntRange(0, 2).Draw(t, "outputs"), coin)
			if rapid.IntRange(0, 2).Draw(t, "large") == 0 {
				w.attach(d, int(fee)/2)
			}
			s := d.Sign()
			if _, err := w.add(s); err != nil {
				continue
			}
			coins = slices.Delete(coins, i, i+1)
			for k := range s.Tx.Outputs {
				coins = append(coins, s.Out(k))
			}
		}
		x := w.pool.Template()
		total := x.Fees.Of(chain.TokenID{})
		if dumb := greedy(w.pool); total < dumb {
			t.Fatalf("fees %d, greed has %d", total, dumb)
		}
		b := w.net.Block(10_000, signedOf(x)...)
		if _, err := w.net.Connect(b); err != nil {
			t.Fatal(err)
		}
	})
}

// TestFullTemplateBeatsGreed fills several blocks, where ancestors matter.
func TestFullTemplateBeatsGreed(t *testing.T) {
	w := newWorld(t, Config{}, 60)
	for i := range 20 {
		parent := w.attach(w.spend(1_050_000, 1, w.coins[3*i], w.coins[3*i+1]), 1_000_000).Sign()
		w.accept(parent)
		if i%2 == 0 {
			w.accept(w.spend(900_000, 1, parent.Out(0)).Sign())
		}
	}
	x, dumb := w.pool.Template(), greedy(w.pool)
	if got := x.Fees.Of(chain.TokenID{}); got < dumb || got < 8*1_950_000 {
		t.Errorf("fees %d, greed has %d", got, dumb)
	}
	w.mine(signedOf(x)...)
}

func TestTemplateHoldsAtMostSixteenFeeTokens(t *testing.T) {
	w := newWorld(t, Config{}, 20)
	for i := range 20 {
		s := w.spend(5_000, 1, w.coins[i]).Sign()
		w.accept(s)
		e := w.pool.Get(s.ID())
		body := *e.Tx
		body.Fee = chain.Value{{Amount: 5_000}, {Token: chain.TokenID{byte(i + 1)}, Amount: 1}}
		e.Tx = &body
	}
	if x := w.pool.Template(); len(x.Fees) != chain.MaxFeeTokens || len(x.Entries) != chain.MaxFeeTokens-1 {
		t.Errorf("%d tokens in %d transactions", len(x.Fees), len(x.Entries))
	}
}
