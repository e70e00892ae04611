package wallet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a ledger in memory with wallets on it.
type world struct {
	*chaintest.Network
	t    *testing.T
	rate uint64
}

func newWorld(t *testing.T, outputs ...chain.Output) *world {
	t.Helper()
	v, err := chain.NewValidator(chain.DefaultParams(), &chaintest.Verifier{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	n, _, err := chaintest.NewNetwork(v, outputs...)
	if err != nil {
		t.Fatal(err)
	}
	return &world{n, t, 1000}
}

func (w *world) Env(context.Context) (Env, error) {
	return Env{w.Network.Env(), w.rate, w.Params.Maturity}, nil
}

func (w *world) Unspent(_ context.Context, lock chain.Hash, visit func(chain.UTXO) bool) error {
	for o, e := range w.Store.Unspent {
		if chain.LockHash(e.Output.Lock) == lock && !visit(chain.UTXO{Outpoint: o, Entry: e}) {
			break
		}
	}
	return nil
}

func (w *world) Output(_ context.Context, o chain.Outpoint) (chain.UTXO, bool, error) {
	e, ok := w.Store.Unspent[o]
	return chain.UTXO{Outpoint: o, Entry: e}, ok, nil
}

var alice, bob = chaintest.NewWallet("alice"), chaintest.NewWallet("bob")

func (w *world) wallet(k chaintest.Wallet) *Wallet { return New(k, w, &Memory{}) }

func pays(k chaintest.Wallet, n uint64) chain.Output {
	return chain.Output{Lock: k.Lock(), Value: chain.Native(n)}
}

// mine checks a transaction by the rules, demands its fee, and puts it into a block.
func (w *world) mine(all ...*Built) {
	w.t.Helper()
	var txs []chaintest.Signed
	for _, b := range all {
		for i, a := range b.Attachments {
			w.Store.Attach(b.Tx.Attachments[i].Kind, a)
		}
		v, err := w.CheckTx(w.Network.Env(), w.Store, w.Store, b.Tx, b.Witness)
		if err != nil {
			w.t.Fatal(err)
		}
		if need := feeOf(w.rate, v.Weight); b.Fee < need || !b.Tx.Fee.Equal(chain.Native(b.Fee)) {
			w.t.Fatalf("fee %d, the weight of %d asks for %d", b.Fee, v.Weight, need)
		}
		txs = append(txs, chaintest.Signed{Tx: b.Tx, Witness: b.Witness})
	}
	if err := w.Mine(txs...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) holds(k chaintest.Wallet, t chain.TokenID) uint64 {
	w.t.Helper()
	all, err := w.wallet(k).Balances(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, b := range all {
		if b.Token == t {
			return b.Spendable
		}
	}
	return 0
}

func (w *world) must(b *Built, err error) *Built {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func to(k chaintest.Wallet, n uint64) Payment {
	return Payment{chain.Address{Hash: chain.LockHash(k.Lock())}, chain.Native(n)}
}

func TestPaymentToAnAddressIsSpentByItsKey(t *testing.T) {
	w := newWorld(t, pays(alice, 1_000_000))
	b := w.must(w.wallet(alice).Send(t.Context(), to(bob, 300_000)))
	w.mine(b)
	if got := w.holds(bob, chain.TokenID{}); got != 300_000 {
		t.Errorf("bob has %d", got)
	}
	if got := w.holds(alice, chain.TokenID{}); got != 700_000-b.Fee {
		t.Errorf("alice has %d after a fee of %d", got, b.Fee)
	}
	w.mine(w.must(w.wallet(bob).Send(t.Context(), to(alice, 100))))
}

func TestTokensAreIssuedMintedAndSent(t *testing.T) {
	w := newWorld(t, pays(alice, 1_000_000), pays(bob, 100_000))
	a := w.wallet(alice)
	b, id, err := a.Issue(t.Context(), 50, 80)
	w.mine(w.must(b, err))
	u, _, _ := w.Output(t.Context(), chain.Outpoint{Tx: b.Tx.ID()})
	for amount, ok := range map[uint64]bool{0: false, 31: false} {
		if _, err := a.Mint(t.Context(), u, amount); (err == nil) != ok {
			t.Errorf("mint %d: %v", amount, err)
		}
	}
	w.mine(w.must(a.Mint(t.Context(), u, 30)))
	w.mine(w.must(a.Send(t.Context(), Payment{bob.Lock(), chain.Tokens(id, 75)})))
	if w.holds(alice, id) != 5 || w.holds(bob, id) != 75 {
		t.Errorf("%d and %d", w.holds(alice, id), w.holds(bob, id))
	}
	var short *FundsError
	if _, err := a.Send(t.Context(), Payment{bob.Lock(), chain.Tokens(id, 6)}); !errors.As(err, &short) || short.Token != id || short.Have != 5 || short.Need != 6 {
		t.Error(err)
	}
	if _, err := a.Mint(t.Context(), chain.UTXO{}, 1); err == nil {
		t.Error("minted by nothing")
	}
}

func TestSponsorPoolIsSplitAndTakenBack(t *testing.T) {
	w := newWorld(t, pays(alice, 10_000_000))
	a := w.wallet(alice)
	pool := chain.SponsorPool{
		Users: []chain.Lock{bob.Lock()}, Operations: chain.AllOperations, Rate: 1, MaxPerTx: 1000,
		PeriodLen: 1000, PeriodStart: w.Now(), PeriodCap: 160_005, Expiry: w.Now() + 1_000_000,
	}
	b := w.must(a.CreateSponsor(t.Context(), pool, 1_000_007))
	w.mine(b)
	var shards []chain.UTXO
	var sum uint64
	for i := range SponsorShards {
		u, ok, _ := w.Output(t.Context(), chain.Outpoint{Tx: b.Tx.ID(), Index: uint32(i)})
		if !ok {
			t.Fatal("a shard is missing")
		}
		shards = append(shards, u)
		sum += u.Entry.Output.Value.Of(chain.TokenID{})
	}
	if sum != 1_000_007 {
		t.Errorf("the shards hold %d", sum)
	}
	before := w.holds(alice, chain.TokenID{})
	c := w.must(a.CloseSponsor(t.Context(), shards))
	w.mine(c)
	if got := w.holds(alice, chain.TokenID{}); got != before+sum-c.Fee {
		t.Errorf("%d after taking back %d from %d", got, sum, before)
	}
}

func TestResourcesArePublishedWithTheirKeys(t *testing.T) {
	w := newWorld(t, pays(alice, 10_000_000))
	a := w.wallet(alice)
	key, named := chaintest.Key(500, 1)
	for _, r := range []struct {
		resource chain.Resource
		key      []byte
	}{
		{chain.Resource{CID: []byte{1, 2}, Kind: chain.ResourceFile, Size: 10, Name: "file"}, nil},
		{chain.Resource{CID: []byte{3}, Kind: chain.ResourceModel, Size: 10, Name: "model", Version: "1"}, key},
	} {
		w.mine(w.must(a.Publish(t.Context(), r.resource, r.key, named.Cost)))
	}
	if _, err := a.Publish(t.Context(), chain.Resource{}, make([]byte, chain.MaxKeySize+1), 1); err == nil {
		t.Error("published too large a key")
	}
}

func TestFundsErrorsSayWhatThereIs(t *testing.T) {
	w := newWorld(t, pays(alice, 100_000), pays(alice, 50_000))
	a := w.wallet(alice)
	var short *FundsError
	if _, err := a.Send(t.Context(), to(bob, 200_000)); !errors.As(err, &short) || short.Have != 150_000 || short.Need <= 200_000 {
		t.Error(err)
	}
	w.must(a.Send(t.Context(), to(bob, 60_000)))
	if _, err := a.Send(t.Context(), to(bob, 60_000)); !errors.As(err, &short) || short.Have != 50_000 || short.Reserved != 100_000 {
		t.Errorf("%+v", err)
	}
	if _, err := a.Send(t.Context(), to(bob, 0)); !errors.Is(err, ErrAmount) {
		t.Error(err)
	}
	a.MaxFee = 10
	if _, err := a.Send(t.Context(), to(bob, 10)); !errors.Is(err, ErrFee) {
		t.Error(err)
	}
	var many []chain.Output
	for range chain.MaxInputs + 1 {
		many = append(many, pays(alice, 1))
	}
	w = newWorld(t, many...)
	w.rate = 0
	if _, err := w.wallet(alice).Send(t.Context(), to(bob, chain.MaxInputs)); !errors.Is(err, ErrInputs) {
		t.Error(err)
	}
}

func TestImmatureCoinbasesAreNotSpent(t *testing.T) {
	w := newWorld(t, pays(alice, 1_000_000))
	w.Miner = bob
	w.mine(w.must(w.wallet(alice).Send(t.Context(), to(alice, 10))))
	all, err := w.wallet(bob).Balances(t.Context())
	if err != nil || all[0].Immature == 0 || all[0].Spendable != 0 {
		t.Errorf("%+v, %v", all, err)
	}
	var short *FundsError
	if _, err := w.wallet(bob).Send(t.Context(), to(alice, 1)); !errors.As(err, &short) || short.Immature == 0 {
		t.Error(err)
	}
}

func TestCancelledTransactionsGiveTheirOutputsBack(t *testing.T) {
	w := newWorld(t, pays(alice, 100_000))
	a := w.wallet(alice)
	b := w.must(a.Send(t.Context(), to(bob, 1000)))
	if _, err := a.Send(t.Context(), to(bob, 1000)); err == nil {
		t.Fatal("one output in two transactions")
	}
	if err := a.Cancel(b); err != nil {
		t.Fatal(err)
	}
	w.must(a.Send(t.Context(), to(bob, 1000)))
}

// TestReservations is the contract of both implementations.
func TestReservations(t *testing.T) {
	for name, r := range map[string]Reservations{
		"memory": &Memory{}, "file": &File{Path: filepath.Join(t.TempDir(), "wallet", "reserved.json")},
	} {
		t.Run(name, func(t *testing.T) {
			one, two := chain.Outpoint{Tx: chain.Hash{1, 0xab}, Index: 3}, chain.Outpoint{Index: 2}
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			must(r.Take([]chain.Outpoint{one}, 10, 20))
			if err := r.Take([]chain.Outpoint{two, one}, 19, 30); !errors.Is(err, ErrTaken) {
				t.Error(err)
			}
			for now, want := range map[uint64]map[chain.Outpoint]bool{19: {one: true}, 20: {}} {
				if got, err := r.Held(now); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("at %d: %v, %v", now, got, err)
				}
			}
			must(r.Take([]chain.Outpoint{two, one}, 20, 30))
			must(r.Free([]chain.Outpoint{one}))
			must(r.Take([]chain.Outpoint{one}, 20, 30))
			var wait sync.WaitGroup
			var mu sync.Mutex
			won := 0
			for range 8 {
				wait.Go(func() {
					if r.Take([]chain.Outpoint{{Index: 77}}, 20, 30) == nil {
						mu.Lock()
						won++
						mu.Unlock()
					}
				})
			}
			wait.Wait()
			if won != 1 {
				t.Errorf("%d have taken one output", won)
			}
		})
	}
}

// TestRandomPaymentsConserveValue: whatever is sent arrives, no more than that and the fee leaves,
// and transactions under way at once share no output.
func TestRandomPaymentsConserveValue(t *testing.T) {
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 3))
		keys := []chaintest.Wallet{alice, bob, chaintest.NewWallet("carol")}
		var outputs []chain.Output
		for range 12 {
			outputs = append(outputs, pays(keys[r.IntN(3)], 1+r.Uint64N(100_000)))
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
