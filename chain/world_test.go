package chain_test

import (
	"crypto/ed25519"
	"fmt"
	"maps"
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// world draws blocks of transfers of two tokens, valid and not, and judges them as the rules
// read: one transaction after the other, each signature by itself, with another library.
type world struct {
	*harness
	*rand.Rand
	wallets []chaintest.Wallet
	unspent map[chain.Outpoint]chain.Entry // by the dumb model
	burned  map[chain.TokenID]uint64
	supply  map[chain.TokenID]uint64
}

func newWorld(t testing.TB, seed uint64) *world {
	w := &world{Rand: rand.New(rand.NewPCG(seed, 7)), burned: map[chain.TokenID]uint64{}}
	var outputs []chain.Output
	for i := range 4 {
		w.wallets = append(w.wallets, chaintest.NewWallet(fmt.Sprint("wallet ", i)))
		for range 5 {
			outputs = append(outputs, pay(w.wallets[i], 1000+w.Uint64N(1000)))
		}
	}
	w.harness = newHarness(t, outputs...)
	u := w.special()
	d := w.Draft().Spend(u, signedBy(w.wallets[0]))
	p := chain.TokenPolicy{ID: chain.NewTokenID(u.Outpoint, 0), Lock: alice.Lock(), Max: math.MaxUint64, Minted: 50_000}
	d.Pay(state(0, p.State()))
	for i := range w.wallets {
		d.Pay(chain.Output{Lock: w.wallets[i].Lock(), Value: chain.Tokens(p.ID, 12_500)})
	}
	d.Outputs[1].Value = append(chain.Value{u.Entry.Output.Value[0]}, d.Outputs[1].Value...)
	w.mine(1, d.Sign())
	w.unspent = maps.Clone(w.Store.Unspent)
	w.supply = map[chain.TokenID]uint64{{}: w.Store.Supply(chain.TokenID{}), p.ID: w.Store.Supply(p.ID)}
	return w
}

// owner returns the wallet that can spend an output.
func (w *world) owner(o *chain.Output) (chaintest.Wallet, bool) {
	for _, wallet := range append(w.wallets, w.Miner) {
		if k, ok := o.Lock.(chain.Key); ok && k.Key == wallet.Public() {
			return wallet, true
		}
	}
	return chaintest.Wallet{}, false
}

// candidates lists what a transaction of the block may try to spend.
func (w *world) candidates(block []chaintest.Signed) (all []chain.UTXO) {
	for o, e := range w.unspent {
		if _, ok := w.owner(&e.Output); ok {
			all = append(all, chain.UTXO{Outpoint: o, Entry: e})
		}
	}
	sortUTXOs(all)
	for _, s := range block {
		for i := range s.Tx.Outputs {
			if _, ok := w.owner(&s.Tx.Outputs[i]); ok {
				all = append(all, s.Out(i))
			}
		}
	}
	return all
}

// block draws a block; its transactions break a rule with some probability.
func (w *world) block(bad float64) *chain.Block {
	var txs []chaintest.Signed
	used := map[chain.Outpoint]bool{}
	for range w.IntN(8) {
		d := w.transaction(txs, used, bad)
		if len(d.Inputs) > 0 {
			txs = append(txs, d.Sign())
		}
	}
	return w.Block(w.Uint64N(1000), txs...)
}

func (w *world) transaction(block []chaintest.Signed, used map[chain.Outpoint]bool, bad float64) *chaintest.Draft {
	d, all := w.Draft(), w.candidates(block)
	sum := map[chain.TokenID]uint64{}
	var tokens []chain.TokenID
	for range 1 + w.IntN(3) {
		u := all[w.IntN(len(all))]
		if immature := u.Entry.Coinbase; (used[u.Outpoint] || immature) && w.Float64() >= bad {
			continue
		}
		used[u.Outpoint] = true
		owner, _ := w.owner(&u.Entry.Output)
		if w.Float64() < bad/4 {
			owner = carol
		}
		if w.Float64() < bad/8 {
			u.Outpoint.Index += 77
		}
		d.Spend(u, signedBy(owner))
		for _, c := range u.Entry.Output.Value {
			if sum[c.Token] == 0 {
				tokens = append(tokens, c.Token)
			}
			sum[c.Token] += c.Amount
		}
	}
	for range w.IntN(2) {
		d.Refer(all[w.IntN(len(all))])
	}
	for _, t := range tokens {
		w.split(d, t, sum[t])
	}
	if w.Float64() < bad/2 {
		w.damage(d)
	}
	return d
}

// split pays an amount to some wallets, burns some of it, and leaves some as fee.
func (w *world) split(d *chaintest.Draft, t chain.TokenID, n uint64) {
	if fee := w.Uint64N(3); t == (chain.TokenID{}) && n > fee {
		d.Fee, n = chain.Tokens(t, fee), n-fee
	}
	for n > 0 {
		part := 1 + w.Uint64N(n)
		if w.IntN(2) == 0 {
			part = n
		}
		lock := w.wallets[w.IntN(len(w.wallets))].Lock()
		if w.IntN(20) == 0 {
			lock = chain.Burn()
		}
		d.Pay(chain.Output{Lock: lock, Value: chain.Tokens(t, part)})
		n -= part
	}
}

func (w *world) damage(d *chaintest.Draft) {
	if len(d.Outputs) == 0 {
		return
	}
	v := &d.Outputs[w.IntN(len(d.Outputs))].Value[0]
	switch w.IntN(6) {
	case 0:
		v.Amount++
	case 1:
		v.Amount = 0
	case 2:
		d.From = w.Now() + 1
	case 3:
		d.Pay(pay(bob, math.MaxUint64), pay(bob, 1))
	case 4:
		d.References = append(d.References, chain.Outpoint{Index: 3})
	case 5:
		d.Chain[3]++
	}
}

// verdict is a broken rule as the model says it.
type verdict struct {
	tx, input int
	code      chain.Code
}

func (v verdict) above(u verdict) bool {
	if v.input != u.input {
		return v.input > u.input
	}
	return v.code > u.code
}

// judge returns the first transaction that breaks a rule, with its lowest input and rule; nil
// if there is none. Then the model has moved on.
func (w *world) judge(b *chain.Block) *verdict {
	seen, spent := maps.Clone(w.unspent), map[chain.Outpoint]bool{}
	for i, tx := range b.Txs {
		if i > 0 {
			if v := w.judgeTx(b, i, seen, spent); v != nil {
				v.tx = i
				return v
			}
		}
		id := tx.ID()
		for k, o := range tx.Outputs {
			if _, unspendable := o.Lock.(chain.Any); unspendable {
				continue
			}
			seen[chain.Outpoint{Tx: id, Index: uint32(k)}] = chain.Entry{Output: o, Height: b.Header.Height, Coinbase: i == 0}
		}
		for _, o := range tx.Inputs {
			spent[o] = true
		}
	}
	for o := range spent {
		delete(seen, o)
	}
	w.unspent = seen
	for _, tx := range b.Txs {
		for _, o := range tx.Outputs {
			if _, unspendable := o.Lock.(chain.Any); unspendable {
				w.burned[o.Value[0].Token] += o.Value[0].Amount
			}
		}
	}
	return nil
}

func (w *world) judgeTx(b *chain.Block, i int, seen map[chain.Outpoint]chain.Entry, spent map[chain.Outpoint]bool) *verdict {
	tx := b.Txs[i]
	switch {
	case tx.Chain != b.Header.Chain:
		return &verdict{i, -1, chain.CodeChain}
	case tx.From > w.Now():
		return &verdict{i, -1, chain.CodeWindow}
	}
	for _, o := range tx.Outputs {
		if o.Value[0].Amount == 0 {
			return &verdict{i, -1, chain.CodeValue}
		}
	}
	var low *verdict
	note := func(v verdict) {
		if low == nil || low.above(v) {
			low = &v
		}
	}
	whole := true
	own := map[chain.Outpoint]bool{}
	for k, o := range tx.Inputs {
		e, ok := seen[o]
		switch {
		case !ok:
			note(verdict{i, k, chain.CodeMissing})
			whole = false
			continue
		case e.Coinbase && b.Header.Height-e.Height < 100:
			note(verdict{i, k, chain.CodeImmature})
			whole = false
		}
		if spent[o] || own[o] {
			note(verdict{i, k, chain.CodeDoubleSpend})
		}
		own[o] = true
		h := chain.SigHash(tx.Chain, tx.ID(), uint32(k), &e.Output)
		key := e.Output.Lock.(chain.Key).Key
		if !ed25519.Verify(key[:], h[:], b.Witnesses[i][k].Data[0]) {
			note(verdict{i, k, chain.CodeSignature})
		}
	}
	for k, o := range tx.References {
		if _, ok := seen[o]; !ok {
			note(verdict{i, len(tx.Inputs) + k, chain.CodeMissing})
			whole = false
		}
	}
	if whole {
		if c := balanced(tx, seen); c != 0 {
			note(verdict{i, -1, c})
		}
	}
	return low
}

func balanced(tx *chain.Tx, seen map[chain.Outpoint]chain.Entry) chain.Code {
	in, out := map[chain.TokenID]uint64{}, map[chain.TokenID]uint64{}
	var over uint64
	add := func(m map[chain.TokenID]uint64, v chain.Value) {
		for _, c := range v {
			sum, carry := bits.Add64(m[c.Token], c.Amount, 0)
			m[c.Token], over = sum, over|carry
		}
	}
	for _, o := range tx.Inputs {
		add(in, seen[o].Output.Value)
	}
	for _, o := range tx.Outputs {
		add(out, o.Value)
	}
	add(out, tx.Fee)
	if over != 0 {
		return chain.CodeOverflow
	}
	if !maps.Equal(in, out) {
		return chain.CodeBalance
	}
	return 0
}
