package wallet

import (
	"errors"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

func TestPaymentToAnAddressIsSpentByItsKey(t *testing.T) {
	w := newWorld(t, coin(alice, 1_000_000))
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
	w := newWorld(t, coin(alice, 1_000_000), coin(bob, 100_000))
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
	w := newWorld(t, coin(alice, 10_000_000))
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
	w := newWorld(t, coin(alice, 10_000_000))
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
	w := newWorld(t, coin(alice, 100_000), coin(alice, 50_000))
	a := w.wallet(alice)
	var short *FundsError
	if _, err := a.Send(t.Context(), to(bob, 200_000)); !errors.As(err, &short) || short.Have != 150_000 || short.Need <= 200_000 {
		t.Error(err)
	}
	a.MaxChain = 1
	b := w.must(a.Send(t.Context(), to(bob, 60_000)))
	if _, err := a.Send(t.Context(), to(bob, 60_000)); !errors.As(err, &short) || short.Have != 50_000 ||
		short.Reserved != 100_000 || short.Unconfirmed != 40_000-b.Fee {
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
		many = append(many, coin(alice, 1))
	}
	w = newWorld(t, many...)
	w.rate = 0
	if _, err := w.wallet(alice).Send(t.Context(), to(bob, chain.MaxInputs)); !errors.Is(err, ErrInputs) {
		t.Error(err)
	}
}

func TestImmatureCoinbasesAreNotSpent(t *testing.T) {
	w := newWorld(t, coin(alice, 1_000_000))
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
	w := newWorld(t, coin(alice, 100_000))
	a := w.wallet(alice)
	a.MaxChain = 1
	b := w.must(a.Send(t.Context(), to(bob, 1000)))
	if _, err := a.Send(t.Context(), to(bob, 1000)); err == nil {
		t.Fatal("one output in two transactions")
	}
	if err := a.Cancel(b); err != nil {
		t.Fatal(err)
	}
	w.must(a.Send(t.Context(), to(bob, 1000)))
}

func TestErrorsSayWhatToDo(t *testing.T) {
	w, u := locked(t, alice.Lock(), 777)
	var short *FundsError
	_, err := w.wallet(alice).SendFrom(t.Context(), []chain.UTXO{u}, to(bob, 700))
	if !errors.As(err, &short) || short.Have != 777 || short.Need <= 777 {
		t.Error(err)
	}
	for want, err := range map[string]error{
		"insufficient funds: 5 base units of WES needed, 3 spendable, 2 wait for a block, 4 are change that has to wait for a block, 1 mined and not mature, 6 in coins not worth their fee": &FundsError{
			Need: 5, Have: 3, Reserved: 2, Immature: 1, Unconfirmed: 4, Dust: 6,
		},
		"insufficient funds: 5 units of token " + chain.TokenID{1}.String() + " needed, 0 spendable": &FundsError{Token: chain.TokenID{1}, Need: 5},
		"the transaction is not complete: missing a signature under key " + chain.Hash(bob.Public()).String() + ", too early": &PartialError{
			Gaps: []Gap{{Kind: GapSignature, Key: bob.Public()}, {Kind: GapTime, Text: "too early"}},
		},
	} {
		if err.Error() != want {
			t.Errorf("%q, want %q", err, want)
		}
	}
}
