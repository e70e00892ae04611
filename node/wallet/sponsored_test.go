package wallet

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/weisyn/wes/chain"
)

// shards creates a pool and returns its shards.
func (w *world) shards(a *Wallet, pool chain.SponsorPool, amount uint64) (all []chain.UTXO) {
	w.t.Helper()
	b := w.must(a.CreateSponsor(w.t.Context(), pool, amount))
	w.mine(b)
	for i := range uint32(SponsorShards) {
		all = append(all, w.out(b, i))
	}
	return all
}

func TestPoolPaysTheWholeFee(t *testing.T) {
	for name, change := range map[string]func(*chain.SponsorPool){
		"for everybody": func(*chain.SponsorPool) {},
		"for users":     func(p *chain.SponsorPool) { p.Users = []chain.Lock{alice.Lock(), bob.Lock()} },
		"without a cap": func(p *chain.SponsorPool) {
			p.Users, p.PeriodCap, p.PeriodLen = []chain.Lock{chain.Any{Locks: []chain.Lock{alice.Lock(), bob.Lock()}}}, 0, 0
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, coin(alice, 100_000_000), coin(bob, 100_000))
			pool := openPool(w)
			change(&pool)
			shards := w.shards(w.wallet(alice), pool, 32_000_000)
			w.rate = 700
			x := w.wallet(bob).Through(shards...)
			first := w.must(x.Send(t.Context(), to(carol, 40_000)))
			second := w.must(x.Send(t.Context(), to(carol, 30_000))) // by the next shard, from change
			if first.Fee != first.Drawn || second.Fee != second.Drawn {
				t.Errorf("%d of %d, %d of %d are paid", first.Drawn, first.Fee, second.Drawn, second.Fee)
			}
			w.mine(first, second)
			if got := w.holds(bob, chain.TokenID{}); got != 30_000 {
				t.Errorf("bob has %d", got)
			}
		})
	}
}

// TestPoolPaymentsFitAnyWeight pays random amounts to random many, so that lengths of numbers
// cross all bounds; validation demands the exact payment.
func TestPoolPaymentsFitAnyWeight(t *testing.T) {
	w := newWorld(t, coin(alice, 1<<50), coin(bob, 1<<50))
	r := rand.New(rand.NewPCG(4, 2))
	for range 60 {
		pool := openPool(w)
		pool.Rate = 1 + r.Uint64N(1<<r.IntN(9))
		pool.PeriodCap = 1 << (20 + r.IntN(20))
		pool.MaxPerTx = 1 + r.Uint64N(1<<r.IntN(25))
		w.rate = r.Uint64N(1500)
		a, x := w.wallet(alice), w.wallet(bob)
		amount := uint64(1) << (24 + r.IntN(20))
		a.MaxFee, x.MaxFee = 1<<40, 1<<40
		x = x.Through(w.shards(a, pool, amount)...)
		var payments []Payment
		for range 1 + r.IntN(20) {
			payments = append(payments, to(carol, 1+r.Uint64N(1<<r.IntN(33))))
		}
		b, err := x.Send(t.Context(), payments...)
		if errors.Is(err, ErrSponsor) && pool.PeriodCap/SponsorShards < 1<<22 {
			continue // more than a shard or a period holds
		}
		w.mine(w.must(b, err))
	}
}

// TestPoolPaymentsThatChangeTheirOwnWeight has shards of which a payment leaves about 2^16 units,
// where the length of what is left changes: a longer payment makes a lighter transaction.
func TestPoolPaymentsThatChangeTheirOwnWeight(t *testing.T) {
	w := newWorld(t, coin(alice, 1<<50), coin(bob, 1_000_000))
	a := w.wallet(alice)
	pool := openPool(w)
	pool.Rate, pool.PeriodCap = 50, 1<<44
	first := w.must(w.wallet(bob).Through(w.shards(a, pool, 16<<20)...).Send(t.Context(), to(carol, 1000)))
	for v := 1<<16 + first.Drawn - 2000; v < 1<<16+first.Drawn+2000; v += 100 {
		x := w.wallet(bob).Through(w.shards(a, pool, 16*v)...)
		w.mine(w.must(x.Send(t.Context(), to(carol, 1000))))
	}
}

func TestPoolPaysForProofs(t *testing.T) {
	j := newJob(t, chain.LevelZK, chain.JobInfer)
	pool := openPool(j.world)
	pool.Operations, pool.MaxPerTx, pool.PeriodCap, pool.Rate = chain.AllOperations, 1<<40, 1<<50, 1
	shards := j.shards(j.wallet(alice), pool, 900_000)
	o := j.operator.Through(shards...)
	o.MaxFee = chain.Unit
	b := j.must(o.Prove(t.Context(), j.utxo, j.evidence(operator.Lock(), jobOutput)))
	if b.Fee != b.Drawn {
		t.Errorf("%d of %d are paid", b.Drawn, b.Fee)
	}
	j.mine(b)
}

func TestPoolsThatDoNotPayAreNotUsed(t *testing.T) {
	w := newWorld(t, coin(alice, 100_000_000), coin(bob, 1_000_000))
	for name, c := range map[string]struct {
		change func(*chain.SponsorPool)
		amount uint64
	}{
		"of others":  {func(p *chain.SponsorPool) { p.Users = []chain.Lock{alice.Lock()} }, 1_000_000},
		"expired":    {func(p *chain.SponsorPool) { p.Expiry = w.Now() }, 1_000_000},
		"empty":      {func(*chain.SponsorPool) {}, 160},
		"capped":     {func(p *chain.SponsorPool) { p.PeriodCap = 160 }, 1_000_000},
		"for states": {func(p *chain.SponsorPool) { p.Operations = chain.OpResource }, 1_000_000},
	} {
		pool := openPool(w)
		c.change(&pool)
		x := w.wallet(bob).Through(w.shards(w.wallet(alice), pool, c.amount)...)
		if _, err := x.Send(t.Context(), to(carol, 10_000)); !errors.Is(err, ErrSponsor) {
			t.Errorf("%s: %v", name, err)
		}
		if all, err := x.Balances(t.Context()); err != nil || all[0].Reserved != 0 {
			t.Errorf("%s: %+v, %v: reserved for nothing", name, all, err)
		}
	}
	if _, err := w.wallet(bob).Through(chain.UTXO{}).Send(t.Context(), to(carol, 1)); !errors.Is(err, ErrState) {
		t.Error(err)
	}
}

func TestPoolPeriodsFollowOneAnother(t *testing.T) {
	w := newWorld(t, coin(alice, 100_000_000), coin(bob, 1_000_000))
	pool := openPool(w)
	shard := w.shards(w.wallet(alice), pool, 32_000_000)[0]
	x := w.wallet(bob)
	for range 5 {
		b := w.must(x.Through(shard).Send(t.Context(), to(carol, 1000)))
		if end := b.Tx.Until; (end+1-pool.PeriodStart)%pool.PeriodLen != 0 {
			t.Errorf("the window ends at %d, not with a period", end)
		}
		w.mine(b)
		for i := range b.Tx.Outputs {
			if _, ok := b.Tx.Outputs[i].Body.(*chain.State); ok {
				shard = w.out(b, uint32(i))
			}
		}
		if err := w.MineAfter(47_000); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPoolsAreToppedUp(t *testing.T) {
	w := newWorld(t, coin(alice, 100_000_000))
	a := w.wallet(alice)
	shards := w.shards(a, openPool(w), 160_000)
	b := w.must(a.TopUpSponsor(t.Context(), shards[:3], 1_000_000))
	w.mine(b)
	var sum uint64
	for i := range uint32(3) {
		sum += w.out(b, i).Entry.Output.Value.Of(chain.TokenID{})
	}
	if sum != 1_030_000 {
		t.Errorf("%d", sum)
	}
	if _, err := w.wallet(bob).TopUpSponsor(t.Context(), shards[4:], 1_000_000); err == nil {
		t.Error("topped up another's pool by its owner's exit")
	}
}

// TestPoolPaysForStatesWithoutDisplacingThem issues a token: its policy is output 0.
func TestPoolPaysForStatesWithoutDisplacingThem(t *testing.T) {
	w := newWorld(t, coin(alice, 100_000_000))
	pool := openPool(w)
	pool.Operations = chain.AllOperations
	x := w.wallet(bob).Through(w.shards(w.wallet(alice), pool, 32_000_000)...) // bob has nothing
	b, id, err := x.Issue(t.Context(), 10, 20)
	w.mine(w.must(b, err))
	policy := w.out(b, 0)
	b = w.must(x.Mint(t.Context(), policy, 5))
	w.mine(b)
	if got := w.holds(bob, id); got != 15 {
		t.Errorf("bob has %d", got)
	}
	w.mine(w.must(x.ClosePolicy(t.Context(), w.out(b, 0))))
}
