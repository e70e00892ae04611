package simulator

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/chain/replica"
)

// fee is what users pay for a transaction, base units.
const fee = 2_000

// unspent lists what a user can spend on a node's ledger, in a fixed order.
func (n *node) unspent(u chaintest.Wallet) []chain.UTXO {
	var all []chain.UTXO
	for o, e := range n.store.Unspent {
		if k, ok := e.Output.Lock.(chain.Key); ok && k.Key == u.Public() && e.Output.Body == nil {
			all = append(all, chain.UTXO{Outpoint: o, Entry: e})
		}
	}
	slices.SortFunc(all, func(a, b chain.UTXO) int {
		return cmp.Or(bytes.Compare(a.Outpoint.Tx[:], b.Outpoint.Tx[:]), cmp.Compare(a.Outpoint.Index, b.Outpoint.Index))
	})
	return all
}

// draft is a transaction in the making.
type draft struct{ *chaintest.Draft }

func (n *node) draft() draft {
	d := &chaintest.Draft{}
	d.Chain = n.world.genesis.Header.Hash()
	d.Fee = chain.Native(fee)
	return draft{d}
}

func (d draft) spend(c chain.UTXO, u chaintest.Wallet) draft {
	d.Spend(c, chaintest.With{Data: []any{u}})
	return d
}

func (d draft) pay(u chaintest.Wallet, amount uint64) draft {
	d.Pay(chain.Output{Lock: u.Lock(), Value: chain.Native(amount)})
	return d
}

func (d draft) sign() replica.Relayed {
	s := d.Sign()
	return replica.Relayed{Tx: s.Tx, Witness: s.Witness}
}

// trading lets users do something every now and then.
func (w *World) trading(mean uint64) {
	w.after(1+w.src.Uint64N(2*mean), func() {
		honest := w.honest()
		if n := honest[w.src.IntN(len(honest))]; !n.down && w.now >= w.mined {
			w.trade(n)
		}
		w.trading(mean)
	})
}

// trade submits one transaction of a random kind at a node.
func (w *World) trade(n *node) {
	u := w.users[w.src.IntN(len(w.users))]
	all := n.unspent(u)
	if len(all) == 0 {
		return
	}
	c := all[w.src.IntN(len(all))]
	have := c.Entry.Output.Value.Of(chain.TokenID{})
	if have < 4*fee {
		w.give(n, u, c, all)
		return
	}
	switch w.src.IntN(8) {
	case 0:
		w.issue(n, u, c, have)
	case 1:
		w.attach(n, u, c, have)
	case 2:
		w.spendTwice(n, u, c, have)
	case 3:
		w.row(n, u, c, have)
	case 4:
		w.policy(n, u, c, have)
	default:
		n.submit(w.payment(n, u, c, have))
	}
}

// payment splits a coin between a user and another.
func (w *World) payment(n *node, u chaintest.Wallet, c chain.UTXO, have uint64) replica.Relayed {
	part := 1 + w.src.Uint64N(have-fee-1)
	return w.rest(n.draft().spend(c, u), c).pay(w.users[w.src.IntN(len(w.users))], part).pay(u, have-fee-part).sign()
}

// rest pays on what a coin holds of other tokens.
func (w *World) rest(d draft, c chain.UTXO) draft {
	for _, coin := range c.Entry.Output.Value {
		if coin.Token != (chain.TokenID{}) {
			d.Pay(chain.Output{Lock: w.users[w.src.IntN(len(w.users))].Lock(), Value: chain.Tokens(coin.Token, coin.Amount)})
		}
	}
	return d
}

// give pays a coin without enough of the native token for its own fee, which another pays.
func (w *World) give(n *node, u chaintest.Wallet, c chain.UTXO, all []chain.UTXO) {
	i := slices.IndexFunc(all, func(o chain.UTXO) bool {
		return o.Outpoint != c.Outpoint && o.Entry.Output.Value.Of(chain.TokenID{}) > fee
	})
	if i < 0 {
		return
	}
	d := w.rest(w.rest(n.draft().spend(c, u).spend(all[i], u), c), all[i])
	n.submit(d.pay(u, c.Entry.Output.Value.Of(chain.TokenID{})+all[i].Entry.Output.Value.Of(chain.TokenID{})-fee).sign())
}

// issue creates a token.
func (w *World) issue(n *node, u chaintest.Wallet, c chain.UTXO, have uint64) {
	amount := 1 + w.src.Uint64N(1000)
	p := chain.TokenPolicy{ID: chain.NewTokenID(c.Outpoint, 0), Lock: u.Lock(), Max: 10 * amount, Minted: amount}
	d := n.draft().spend(c, u)
	d.Pay(chain.Output{Lock: chain.Open(), Body: p.State()})
	d.Pay(chain.Output{Lock: u.Lock(), Value: chain.Tokens(p.ID, amount)})
	n.submit(w.rest(d, c).pay(u, have-fee).sign())
}

// policy mints more of a token, or closes it.
func (w *World) policy(n *node, u chaintest.Wallet, c chain.UTXO, have uint64) {
	for _, s := range n.states(chain.StatePolicy) {
		held, err := chain.DecodeState(s.Entry.Output.Body.(*chain.State))
		p, ok := held.(*chain.TokenPolicy)
		if err != nil || !ok || chain.LockHash(p.Lock) != chain.LockHash(u.Lock()) || p.Minted == p.Max {
			continue
		}
		amount := 1 + w.src.Uint64N(p.Max-p.Minted)
		d := n.draft()
		d.Spend(s, chaintest.With{Exit: chain.PolicyMint, Choices: []uint64{amount}, Data: []any{u}})
		next := *p
		next.Minted += amount
		d.Pay(chain.Output{Lock: s.Entry.Output.Lock, Value: s.Entry.Output.Value, Body: next.State()})
		d.Pay(chain.Output{Lock: u.Lock(), Value: chain.Tokens(p.ID, amount)})
		n.submit(w.rest(d.spend(c, u), c).pay(u, have-fee).sign())
		return
	}
}

// states lists the unspent states of a type on a node's ledger, in a fixed order.
func (n *node) states(t chain.StateType) []chain.UTXO {
	var all []chain.UTXO
	for o, e := range n.store.Unspent {
		if s, ok := e.Output.Body.(*chain.State); ok && s.Type == t {
			all = append(all, chain.UTXO{Outpoint: o, Entry: e})
		}
	}
	slices.SortFunc(all, func(a, b chain.UTXO) int {
		return cmp.Or(bytes.Compare(a.Outpoint.Tx[:], b.Outpoint.Tx[:]), cmp.Compare(a.Outpoint.Index, b.Outpoint.Index))
	})
	return all
}

// attach pays with bytes beside the transaction.
func (w *World) attach(n *node, u chaintest.Wallet, c chain.UTXO, have uint64) {
	b := make([]byte, 1+w.src.IntN(2000))
	for i := range b {
		b[i] = byte(w.src.Uint32())
	}
	d := n.draft().spend(c, u)
	d.Attachments = []chain.Attachment{{Kind: chain.AttachData, SHA256: sum(b), Len: uint32(len(b))}}
	n.submit(w.rest(d, c).pay(u, have-fee).sign(), b)
}

// spendTwice pays the same coin at two nodes.
func (w *World) spendTwice(n *node, u chaintest.Wallet, c chain.UTXO, have uint64) {
	n.submit(w.payment(n, u, c, have))
	if other := w.honest()[w.src.IntN(w.o.Nodes)]; !other.down {
		other.submit(w.payment(other, u, c, have))
	}
}

// row submits transactions that each spend the one before.
func (w *World) row(n *node, u chaintest.Wallet, c chain.UTXO, have uint64) {
	for range 2 + w.src.IntN(3) {
		if have < 4*fee || len(c.Entry.Output.Value) > 1 {
			return
		}
		x := n.draft().spend(c, u).pay(u, have-fee).sign()
		if !n.submit(x) {
			return
		}
		have -= fee
		c = chain.UTXO{Outpoint: chain.Outpoint{Tx: x.Tx.ID()}, Entry: chain.Entry{Output: x.Tx.Outputs[0]}}
	}
}
