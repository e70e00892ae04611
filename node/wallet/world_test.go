package wallet

import (
	"context"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a ledger in memory with wallets on it.
type world struct {
	*chaintest.Network
	t      *testing.T
	rate   uint64
	prices map[chain.TokenID]Price
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
	return &world{Network: n, t: t, rate: 1000}
}

func (w *world) Env(context.Context) (Env, error) {
	return Env{Env: w.Network.Env(), FeeRate: w.rate, Maturity: w.Params.Maturity, Prices: w.prices}, nil
}

func (w *world) Unspent(_ context.Context, lock chain.Hash, visit func(chain.UTXO) bool) error {
	for o, e := range w.Store.Unspent {
		if chain.LockHash(e.Output.Lock) == lock && !visit(chain.UTXO{Outpoint: o, Entry: e}) {
			break
		}
	}
	return nil
}

// StatesOf looks at all states, as no ledger should.
func (w *world) StatesOf(_ context.Context, _ chain.Hash, visit func(chain.UTXO) bool) error {
	for o, e := range w.Store.Unspent {
		if _, ok := e.Output.Body.(*chain.State); ok && !visit(chain.UTXO{Outpoint: o, Entry: e}) {
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

func (w *world) wallet(k chaintest.Wallet) *Wallet { return w.sharing(k, &Memory{}) }

// sharing returns a wallet whose clock is that of the ledger.
func (w *world) sharing(k chaintest.Wallet, r Reservations) *Wallet {
	x := New(k, w, r)
	x.Clock = w.Now
	return x
}

func coin(k chaintest.Wallet, n uint64) chain.Output {
	return chain.Output{Lock: k.Lock(), Value: chain.Native(n)}
}

// above is a store with outputs of transactions that are not in a block.
type above struct {
	*chaintest.Memory
	outputs map[chain.Outpoint]chain.Output
}

func (a *above) Entry(o chain.Outpoint) (chain.Entry, bool, error) {
	if out, ok := a.outputs[o]; ok {
		return chain.Entry{Output: out}, true, nil
	}
	return a.Memory.Entry(o)
}

// mine checks a transaction by the rules, demands its fee, and puts it into a block.
func (w *world) mine(all ...*Built) {
	w.t.Helper()
	var txs []chaintest.Signed
	view := &above{w.Store, map[chain.Outpoint]chain.Output{}}
	for _, b := range all {
		for i, a := range b.Attachments {
			w.Store.Attach(b.Tx.Attachments[i].Kind, a)
		}
		v, err := w.CheckTx(w.Network.Env(), view, w.Store, b.Tx, b.Witness)
		if err != nil {
			w.t.Fatal(err)
		}
		env, _ := w.Env(context.Background())
		need, _ := env.fee(b.FeeToken, v.Weight)
		if b.Fee < need || !b.Tx.Fee.Equal(chain.Tokens(b.FeeToken, b.Fee)) {
			w.t.Fatalf("fee %d, the weight of %d asks for %d", b.Fee, v.Weight, need)
		}
		change, _ := env.fee(b.FeeToken, 4*60) // of an output that was left out
		if most := max(need, b.Drawn) + env.dust() + change; b.Fee > most {
			w.t.Fatalf("fee %d, the weight of %d asks for %d, and dust is %d", b.Fee, v.Weight, need, env.dust())
		}
		for i, o := range b.Tx.Outputs {
			view.outputs[chain.Outpoint{Tx: b.Tx.ID(), Index: uint32(i)}] = o
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

// out returns an unspent output of a transaction.
func (w *world) out(b *Built, i uint32) chain.UTXO {
	w.t.Helper()
	u, ok, _ := w.Output(context.Background(), chain.Outpoint{Tx: b.Tx.ID(), Index: i})
	if !ok {
		w.t.Fatalf("output %d is not unspent", i)
	}
	return u
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
