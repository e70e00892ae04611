package wallet

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/chain/mempool"
)

// TestChangeIsSpentBeforeABlockWithinTheLimitsOfMempools sends from one coin until the wallet
// refuses; a mempool takes all of it and no more.
func TestChangeIsSpentBeforeABlockWithinTheLimitsOfMempools(t *testing.T) {
	w := newWorld(t, coin(alice, 10_000_000))
	pool, err := mempool.New(mempool.Config{}, w.Validator, w.Store, w.Store, w.Network.Env())
	if err != nil {
		t.Fatal(err)
	}
	a := w.wallet(alice)
	var block []*Built
	for {
		b, err := a.Send(t.Context(), to(bob, 10_000))
		var short *FundsError
		if errors.As(err, &short) && short.Unconfirmed > 9_000_000 {
			break
		}
		block = append(block, w.must(b, err))
		if _, err := pool.Add(w.Now(), 0, b.Tx, b.Witness); err != nil {
			t.Fatal(err)
		}
	}
	if len(block) != DefaultMaxChain || pool.Len() != DefaultMaxChain {
		t.Errorf("a chain of %d, %d in the pool", len(block), pool.Len())
	}
	a.MaxChain++
	over := w.must(a.Send(t.Context(), to(bob, 10_000)))
	if _, err := pool.Add(w.Now(), 0, over.Tx, over.Witness); err == nil {
		t.Error("the pool takes a longer chain")
	}
	if err := a.Cancel(over); err != nil {
		t.Fatal(err)
	}
	w.mine(block...)
	a.MaxChain--
	w.mine(w.must(a.Send(t.Context(), to(bob, 10_000))))
}

// TestChangeOfManyTransactionsIsNotJoinedBeyondTheLimits has as many parents as a mempool takes,
// and one more.
func TestChangeOfManyTransactionsIsNotJoinedBeyondTheLimits(t *testing.T) {
	var outputs []chain.Output
	for range DefaultMaxChain {
		outputs = append(outputs, coin(alice, 100_000))
	}
	w := newWorld(t, outputs...)
	a := w.wallet(alice)
	for range DefaultMaxChain {
		w.must(a.Send(t.Context(), to(bob, 10_000)))
	}
	var short *FundsError
	if _, err := a.Send(t.Context(), to(bob, 88_000*DefaultMaxChain-40_000)); !errors.As(err, &short) || short.Unconfirmed < 88_000*DefaultMaxChain {
		t.Error(err)
	}
	w.must(a.Send(t.Context(), to(bob, 88_000*(DefaultMaxChain-1)-40_000)))
}

// TestATransactionHasNoMoreChildrenThanAMempoolTakes spends its outputs one by one.
func TestATransactionHasNoMoreChildrenThanAMempoolTakes(t *testing.T) {
	w := newWorld(t, coin(alice, 10_000_000))
	a := w.wallet(alice)
	var split []Payment
	for range DefaultMaxChain + 5 {
		split = append(split, Payment{alice.Lock(), chain.Native(100_000)})
	}
	w.must(a.Send(t.Context(), split...))
	for i := range DefaultMaxChain {
		b, err := a.Send(t.Context(), Payment{hidden(bob.Lock()), chain.Native(98_500)}) // without change
		var short *FundsError
		if last := i == DefaultMaxChain-1; last != errors.As(err, &short) || !last && len(b.Tx.Inputs) != 1 {
			t.Fatalf("child %d: %v", i, err)
		}
	}
}

func TestConflictedTransactionsFreeTheirOtherInputs(t *testing.T) {
	w := newWorld(t, coin(alice, 100_000), coin(alice, 90_000))
	a := w.wallet(alice)
	lost := w.must(a.Send(t.Context(), to(bob, 150_000)))
	child := w.must(a.Send(t.Context(), to(bob, 20_000)))
	// The same key elsewhere spends one of both inputs.
	w.mine(w.must(w.wallet(alice).Send(t.Context(), to(bob, 50_000))))
	all, err := a.Balances(t.Context())
	if err != nil || all[0].Reserved != 0 || all[0].Unconfirmed != 0 || all[0].Spendable < 130_000 {
		t.Errorf("%+v, %v: %v and its child %v are dead", all, err, lost.Tx.ID(), child.Tx.ID())
	}
	again := w.must(a.Send(t.Context(), to(bob, 120_000)))
	// A reorganisation revives what nobody has replaced: here, nothing.
	if err := w.Disconnect(); err != nil {
		t.Fatal(err)
	}
	if all, err = a.Balances(t.Context()); err != nil || all[0].Spendable != 100_000+90_000 {
		t.Errorf("%+v, %v: %v spends what the undone block created", all, err, again.Tx.ID())
	}
}

func TestUndoneBlocksReserveAgain(t *testing.T) {
	w := newWorld(t, coin(alice, 100_000), coin(alice, 90_000))
	a := w.wallet(alice)
	w.mine(w.must(a.Send(t.Context(), to(bob, 50_000))))
	before, err := a.Balances(t.Context())
	if err != nil || before[0].Reserved != 0 {
		t.Fatalf("%+v, %v", before, err)
	}
	if err := w.Disconnect(); err != nil {
		t.Fatal(err)
	}
	after, err := a.Balances(t.Context())
	if err != nil || after[0].Reserved != 100_000 || after[0].Spendable != 90_000 {
		t.Errorf("%+v, %v: the payment may enter another block", after, err)
	}
}

func TestReservationsEndWithTheWindowOfTheirTransactions(t *testing.T) {
	w := newWorld(t, coin(alice, 100_000))
	a := w.wallet(alice)
	b := w.must(a.Send(t.Context(), to(bob, 50_000)))
	pass := func(ms uint64) {
		t.Helper()
		if err := w.MineAfter(ms); err != nil {
			t.Fatal(err)
		}
	}
	pass(DefaultLifetime)
	if _, err := w.CheckTx(w.Network.Env(), w.Store, w.Store, b.Tx, b.Witness); err != nil {
		t.Error(err)
	}
	if all, err := a.Balances(t.Context()); err != nil || all[0].Reserved != 100_000 {
		t.Errorf("%+v, %v", all, err)
	}
	pass(1)
	if _, err := w.CheckTx(w.Network.Env(), w.Store, w.Store, b.Tx, b.Witness); err == nil {
		t.Error("it can still take effect")
	}
	if all, err := a.Balances(t.Context()); err != nil || all[0].Spendable != 100_000 {
		t.Errorf("%+v, %v", all, err)
	}
	w.mine(w.must(a.Send(t.Context(), to(bob, 50_000))))
}

// TestIdleLedgersDoNotEndWindowsEarly has a ledger whose time stands a day behind the clock.
func TestIdleLedgersDoNotEndWindowsEarly(t *testing.T) {
	w := newWorld(t, coin(alice, 100_000))
	a := w.wallet(alice)
	const day = 24 * 3_600_000
	clock := w.Now() + day
	a.Clock = func() uint64 { return clock }
	b := w.must(a.Send(t.Context(), to(bob, 50_000)))
	if err := w.MineAfter(day); err != nil {
		t.Fatal(err)
	}
	w.mine(b)
}

func TestTwoBuildersAtOnceNeverUseOneOutput(t *testing.T) {
	var outputs []chain.Output
	for range 40 {
		outputs = append(outputs, coin(alice, 100_000))
	}
	w := newWorld(t, outputs...)
	path := filepath.Join(t.TempDir(), "reserved.json")
	var wait sync.WaitGroup
	var mu sync.Mutex
	var all []*Built
	for range 4 {
		wait.Go(func() {
			a := w.sharing(alice, &File{Path: path})
			a.MaxChain = 1
			for range 5 {
				b, err := a.Send(t.Context(), to(bob, 60_000))
				mu.Lock()
				if err != nil {
					t.Error(err)
				} else {
					all = append(all, b)
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	used := map[chain.Outpoint]bool{}
	for _, b := range all {
		for _, o := range b.Tx.Inputs {
			if used[o] {
				t.Errorf("%v is used twice", o)
			}
			used[o] = true
		}
	}
	w.mine(all...)
}

func TestTokensPayFeesAtTheirPrice(t *testing.T) {
	w := newWorld(t, coin(alice, 1_000_000))
	a := w.wallet(alice)
	b, id, err := a.Issue(t.Context(), 1_000_000, 1_000_000)
	w.mine(w.must(b, err))
	w.mine(w.must(a.Send(t.Context(), Payment{bob.Lock(), chain.Tokens(id, 500_000)})))
	x := w.wallet(bob) // has no WES
	if _, err := x.Send(t.Context(), Payment{alice.Lock(), chain.Tokens(id, 1000)}); err == nil {
		t.Error("paid a fee with nothing")
	}
	x.FeeToken = id
	if _, err := x.Send(t.Context(), Payment{alice.Lock(), chain.Tokens(id, 1000)}); !errors.Is(err, ErrFeeToken) {
		t.Error(err)
	}
	w.prices = map[chain.TokenID]Price{id: {Worth: 2, Per: 3}}
	got := w.must(x.Send(t.Context(), Payment{alice.Lock(), chain.Tokens(id, 1000)}))
	w.mine(got)
	if left := w.holds(bob, id); left != 500_000-1000-got.Fee {
		t.Errorf("%d are left after a fee of %d", left, got.Fee)
	}
}

func TestDustIsLeftAloneAndNotMade(t *testing.T) {
	w := newWorld(t, coin(alice, 500), coin(alice, 100_000))
	a := w.wallet(alice)
	var short *FundsError
	if _, err := a.Send(t.Context(), to(bob, 99_800)); !errors.As(err, &short) || short.Dust != 500 || short.Have != 100_000 {
		t.Errorf("%+v", err)
	}
	b := w.must(a.Send(t.Context(), to(bob, 98_500)))
	if len(b.Tx.Outputs) != 1 || b.Fee != 1500 {
		t.Errorf("%d outputs, a fee of %d: change of less than %d", len(b.Tx.Outputs), b.Fee, 596)
	}
	w.mine(b)
}

func TestSmallCoinsAreConsolidated(t *testing.T) {
	var outputs []chain.Output
	for i := range uint64(MaxConsolidate + 100) {
		outputs = append(outputs, chain.Output{Lock: chain.Address{Hash: chain.LockHash(alice.Lock())}, Value: chain.Native(10_000 + i)})
	}
	w := newWorld(t, outputs...)
	w.rate = 100
	a := w.wallet(alice)
	if _, err := a.Send(t.Context(), to(bob, 9_300_000)); !errors.Is(err, ErrInputs) {
		t.Errorf("a transaction of too many inputs: %v", err)
	}
	w.mine(w.must(a.Consolidate(t.Context(), 1<<20)))
	if n := len(w.Store.Unspent); n != 100+1+1 { // the joined one and the miner's
		t.Errorf("%d are left", n)
	}
	w = newWorld(t, coin(alice, 1000), coin(alice, 10))
	if _, err := w.wallet(alice).Consolidate(t.Context(), 100); !errors.Is(err, ErrNothing) {
		t.Error(err)
	}
}

func TestBalancesCountWhatStatesHold(t *testing.T) {
	w := newWorld(t, coin(alice, 10_000_000), coin(bob, 10))
	a := w.wallet(alice)
	w.mine(w.must(a.CreateBond(t.Context(), alice.Public(), chain.Native(12_345))))
	w.mine(w.must(a.CreateSponsor(t.Context(), openPool(w), 160_000)))
	all, err := a.Balances(t.Context())
	if err != nil || all[0].InBonds != 12_345 || all[0].InPools != 160_000 || all[0].InEscrows != 0 {
		t.Errorf("%+v, %v", all, err)
	}
	if all, err = w.wallet(bob).Balances(t.Context()); err != nil || all[0] != (Balance{Spendable: 10}) {
		t.Errorf("%+v, %v", all, err)
	}
}

func openPool(w *world) chain.SponsorPool {
	return chain.SponsorPool{
		Operations: chain.OpAsset, Rate: 2, MaxPerTx: 100_000, PeriodLen: 60_000, PeriodStart: w.Now(),
		PeriodCap: 1_600_000, Expiry: w.Now() + 10_000_000,
	}
}

var carol = chaintest.NewWallet("carol")

// moving is a ledger whose next block comes while a wallet reads it.
type moving struct {
	*world
	blocks int // to come, one at each look at an output
	tip    byte
	spent  []chain.Outpoint // by the first of them
}

func (m *moving) Env(ctx context.Context) (Env, error) {
	e, err := m.world.Env(ctx)
	e.Tip = chain.Hash{m.tip}
	return e, err
}

func (m *moving) Output(ctx context.Context, o chain.Outpoint) (chain.UTXO, bool, error) {
	if m.blocks > 0 {
		m.blocks--
		m.tip++
		for _, o := range m.spent {
			delete(m.Store.Unspent, o)
		}
	}
	return m.world.Output(ctx, o)
}

// TestCoinsAreReadAtOneBlock: a transaction of alice and bob enters a block after alice's coins were
// read, and before it is known that bob's are gone. She does not spend hers again.
func TestCoinsAreReadAtOneBlock(t *testing.T) {
	for blocks, want := range map[int]error{1: nil, readTries - 1: nil, 1000: ErrMoving} {
		w := &moving{world: newWorld(t, coin(alice, 1_000_000), coin(bob, 1_000_000)), blocks: blocks}
		both := &Pending{ID: chain.Hash{1}, Owner: chain.LockHash(alice.Lock()), Until: 1 << 62}
		for o, e := range w.Store.Unspent {
			w.spent = append(w.spent, o)
			if chain.LockHash(e.Output.Lock) == both.Owner {
				both.Inputs = append(both.Inputs, o)
			} else {
				both.Others = append(both.Others, o)
			}
		}
		a := New(alice, w, &Memory{})
		if err := a.reserved.Add(both, 0, nil); err != nil {
			t.Fatal(err)
		}
		c, err := a.coins(t.Context())
		if !errors.Is(err, want) || err == nil && len(c.free) > 0 {
			t.Errorf("%d blocks: %+v, %v", blocks, c, err)
		}
	}
}
