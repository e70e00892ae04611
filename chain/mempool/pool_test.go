package mempool

import (
	"errors"
	"fmt"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

func TestAddTakesWhatIsValidAndPays(t *testing.T) {
	w := newWorld(t, Config{}, 3)
	a := w.spend(5000, 2, w.coins[0]).Sign()
	if r := w.accept(a); len(r.Added) != 1 || r.Added[0].ID != a.ID() || len(r.Replaced) != 0 {
		t.Errorf("%+v", r)
	}
	w.accept(w.spend(5000, 1, a.Out(0)).Sign())
	w.refuse(a, ErrKnown)
	w.refuse(w.spend(1, 1, w.coins[1]).Sign(), ErrFee)
	b := w.net.Block(1000)
	if _, err := w.pool.Add(w.now, 0, b.Txs[0], nil); !errors.Is(err, ErrCoinbase) {
		t.Errorf("coinbase: %v", err)
	}
}

func code(err error) chain.Code {
	var broken *chain.RuleError
	if errors.As(err, &broken) {
		return broken.Code
	}
	return 0
}

// TestSpoiltWitnessDoesNotKeepTheGoodOneOut: witnesses are outside the id.
func TestSpoiltWitnessDoesNotKeepTheGoodOneOut(t *testing.T) {
	w := newWorld(t, Config{}, 1)
	good := w.spend(5000, 1, w.coins[0]).Sign()
	bad := chaintest.Signed{Tx: good.Tx, Witness: chain.Witness{{Data: [][]byte{make([]byte, 64)}}}}
	if _, err := w.add(bad); code(err) != chain.CodeSignature {
		t.Fatalf("%v", err)
	}
	w.refuse(bad, ErrRefused)
	w.accept(good)
}

func TestBrokenBodyIsRememberedWithAnyWitness(t *testing.T) {
	w := newWorld(t, Config{}, 1)
	d := w.spend(5000, 1, w.coins[0])
	d.Chain[0] ^= 1
	bad := d.Sign()
	if _, err := w.add(bad); code(err) != chain.CodeChain {
		t.Fatalf("%v", err)
	}
	bad.Witness = chain.Witness{{Data: [][]byte{{1}}}}
	w.refuse(bad, ErrRefused)
}

func TestRuleOfTheMomentIsNotRemembered(t *testing.T) {
	w := newWorld(t, Config{}, 1)
	d := w.spend(5000, 1, w.coins[0])
	d.From = chaintest.GenesisTime + 10_000
	s := d.Sign()
	if _, err := w.add(s); code(err) != chain.CodeWindow {
		t.Fatalf("%v", err)
	}
	w.mine()
	w.accept(s)
}

func TestRefusalsAreBounded(t *testing.T) {
	s := newRefused()
	for i := range 100 {
		s.add(version{tx: chain.Hash{byte(i)}}, 10)
	}
	if len(s.known) != 10 || len(s.ring) != 10 || !s.known[version{tx: chain.Hash{99}}] || s.known[version{tx: chain.Hash{89}}] {
		t.Errorf("%d known", len(s.known))
	}
}

func TestMissingAttachmentIsNoFault(t *testing.T) {
	w := newWorld(t, Config{}, 1)
	s := w.attach(w.spend(50_000, 1, w.coins[0]), 1000).Sign()
	h := s.Tx.Attachments[0].SHA256
	b := w.net.Store.Withhold(h)
	var missing *chain.UnavailableError
	if _, err := w.add(s); !errors.As(err, &missing) || missing.Missing[0] != h {
		t.Fatalf("%v", err)
	}
	w.net.Store.Attach(chain.AttachData, b)
	w.accept(s)
}

func TestPeersHaveABudgetForProofs(t *testing.T) {
	w := newWorld(t, Config{PeerCost: 500, CostPeriod: 1000}, 4)
	with := func(i int) chaintest.Signed { return w.attach(w.spend(500_000, 1, w.coins[i]), 100_000).Sign() }
	from := func(p Peer, s chaintest.Signed) error {
		_, err := w.pool.Add(w.now, p, s.Tx, s.Witness)
		return err
	}
	first, second := with(0), with(1) // some 340 units each
	must(t, from(7, first))
	if err := from(7, second); !errors.Is(err, ErrBudget) {
		t.Fatalf("%v", err)
	}
	must(t, from(8, second))
	must(t, from(0, with(2)))
	w.now += 900
	must(t, from(7, with(3)))
	w.now += 10_000
	w.pool.Expire(w.now)
	if len(w.pool.budgets) != 0 {
		t.Error("full budgets are kept")
	}
}

func TestFaultIsNoRefusal(t *testing.T) {
	w := newWorld(t, Config{}, 1)
	fault := errors.New("disk")
	w.pool.view = faultyView{w.net.Store, fault}
	_, err := w.add(w.spend(5000, 1, w.coins[0]).Sign())
	if !errors.Is(err, fault) || refuses(err) {
		t.Errorf("%v", err)
	}
	for _, err := range []error{ErrFee, fmt.Errorf("x: %w", ErrChain), &chain.RuleError{}, &chain.UnavailableError{}} {
		if !refuses(err) {
			t.Errorf("%T is taken for a fault", err)
		}
	}
}

type faultyView struct {
	chain.View
	err error
}

func (v faultyView) Entry(chain.Outpoint) (chain.Entry, bool, error) {
	return chain.Entry{}, false, v.err
}

func TestOtherTokensPayByTheirPrice(t *testing.T) {
	token := chain.TokenID{9}
	cfg, err := Config{Accept: map[chain.TokenID]Price{token: {3, 2}}}.validate()
	must(t, err)
	for _, c := range []struct {
		fee  chain.Value
		want uint64
	}{
		{chain.Native(7), 7},
		{chain.Tokens(token, 5), 7},
		{chain.Value{{Amount: 1}, {Token: token, Amount: 4}, {Token: chain.TokenID{10}, Amount: 1000}}, 7},
		{chain.Tokens(token, 1<<64-1), 1<<64 - 1},
	} {
		if got := cfg.worth(c.fee); got != c.want {
			t.Errorf("%v is worth %d, want %d", c.fee, got, c.want)
		}
	}
	nothing, err := Config{Accept: map[chain.TokenID]Price{{}: {0, 1}}}.validate()
	must(t, err)
	if nothing.worth(chain.Native(5)) != 0 {
		t.Error("a price for WES is overridden")
	}
}

func TestConfigContradictions(t *testing.T) {
	for name, c := range map[string]Config{
		"price":    {Accept: map[chain.TokenID]Price{{1}: {Worth: 1}}},
		"bytes":    {MaxBytes: 1 << 20},
		"negative": {MaxChain: -1},
		"coinbase": {CoinbaseBytes: 3 << 20},
	} {
		if _, err := New(c, nil, nil, nil, chain.Env{}); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTransactionsExpireWithTheirDescendants(t *testing.T) {
	w := newWorld(t, Config{Expiry: 1000}, 2)
	a := w.spend(5000, 1, w.coins[0]).Sign()
	w.accept(a)
	w.now += 600
	b, c := w.spend(5000, 1, a.Out(0)).Sign(), w.spend(5000, 1, w.coins[1]).Sign()
	w.accept(b)
	w.accept(c)
	w.now += 400
	if n := w.pool.Expire(w.now); n != 2 || !w.has(c) {
		t.Errorf("%d expired", n)
	}
	w.check()
}
