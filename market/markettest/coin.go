package markettest

import (
	"bytes"
	"cmp"
	"errors"
	"slices"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/market"
)

// coins lists the confirmed coins of a lock that nothing spends or reserves, in a fixed order.
func (l *ledger) coins(lock chain.Lock, reserved map[chain.Outpoint]uint64) []chain.UTXO {
	var all []chain.UTXO
	want := chain.LockHash(lock)
	spent := l.after(l.pool).spent
	for o, e := range l.net.Store.Unspent {
		if e.Output.Body == nil && chain.LockHash(e.Output.Lock) == want && reserved[o] < l.net.Now() && !spent[o] {
			all = append(all, chain.UTXO{Outpoint: o, Entry: e})
		}
	}
	slices.SortFunc(all, func(a, b chain.UTXO) int {
		return cmp.Or(bytes.Compare(a.Outpoint.Tx[:], b.Outpoint.Tx[:]), cmp.Compare(a.Outpoint.Index, b.Outpoint.Index))
	})
	return all
}

// Balance sums the coins of a lock, confirmed ones only.
func (w *World) Balance(lock chain.Lock) uint64 {
	var sum uint64
	want := chain.LockHash(lock)
	for _, e := range w.ledger.net.Store.Unspent {
		if e.Output.Body == nil && chain.LockHash(e.Output.Lock) == want {
			sum += e.Output.Value.Of(chain.TokenID{})
		}
	}
	return sum
}

var errFunds = errors.New("no coin of that size")

// reserve takes a coin of at least an amount until an instant.
func (p *peer) reserve(amount, until uint64) (chain.UTXO, error) {
	for _, u := range p.w.ledger.coins(p.wallet.Lock(), p.reserved) {
		if u.Entry.Output.Value.Of(chain.TokenID{}) >= amount {
			p.reserved[u.Outpoint] = until
			return u, nil
		}
	}
	return chain.UTXO{}, errFunds
}

// offerTime is how long a funding transaction can enter a block, in ms.
const offerTime = 600_000

// fundingFee is what the client pays for the funding transaction.
const fundingFee = 3

// offer makes the client's part of a funding transaction: its coin, the escrow, its change. It lacks
// the bond.
func (p *peer) offer(e *chain.JobEscrow, program market.Ref) (*chain.Tx, error) {
	total, ok := e.Total()
	if !ok {
		return nil, errFunds
	}
	own := total - e.Bond + fundingFee
	until := p.clock() + offerTime
	coin, err := p.reserve(own, until)
	if err != nil {
		return nil, err
	}
	t := &chain.Tx{
		Chain: p.w.ledger.net.Ledger.Chain, Until: until, Inputs: []chain.Outpoint{coin.Outpoint},
		References: []chain.Outpoint{program.Outpoint()}, Fee: chain.Native(fundingFee),
		Outputs: []chain.Output{{Lock: chain.Open(), Value: chain.Native(total), Body: e.State()}},
	}
	return p.change(t, coin, own), nil
}

func (p *peer) change(t *chain.Tx, coin chain.UTXO, used uint64) *chain.Tx {
	if rest := coin.Entry.Output.Value.Of(chain.TokenID{}) - used; rest > 0 {
		t.Outputs = append(t.Outputs, chain.Output{Lock: p.wallet.Lock(), Value: chain.Native(rest)})
	}
	return t
}

// join adds the bond to an offer and signs; nobody can change a part of it any more.
func (p *peer) join(t *chain.Tx, e *chain.JobEscrow) (chain.Witness, error) {
	total, _ := e.Total()
	want := chain.Output{Lock: chain.Open(), Value: chain.Native(total), Body: e.State()}
	if len(t.Outputs) == 0 || !bytes.Equal(t.Outputs[0].Encode(), want.Encode()) || t.Until > p.clock()+2*offerTime {
		return nil, errors.New("the offer is not of the escrow that was agreed on")
	}
	coin, err := p.reserve(e.Bond, t.Until)
	if err != nil {
		return nil, err
	}
	t.Inputs = append(t.Inputs, coin.Outpoint)
	p.change(t, coin, e.Bond)
	return p.sign(t, make(chain.Witness, len(t.Inputs)))
}

// sign adds the signatures of this wallet.
func (p *peer) sign(t *chain.Tx, w chain.Witness) (chain.Witness, error) {
	id := t.ID()
	for i, o := range t.Inputs {
		u, found := p.w.ledger.output(o)
		if !found || i >= len(w) {
			return nil, errors.New("an input is not there")
		}
		if chain.LockHash(u.Entry.Output.Lock) == chain.LockHash(p.wallet.Lock()) {
			w[i].Data = [][]byte{p.wallet.Sign(chain.SigHash(t.Chain, id, uint32(i), &u.Entry.Output))}
		}
	}
	return w, nil
}

// extends reports whether a transaction is the offer with one input more and perhaps one output.
func extends(t, offer *chain.Tx) bool {
	n, m := len(offer.Inputs), len(offer.Outputs)
	if len(t.Inputs) != n+1 || len(t.Outputs) < m || len(t.Outputs) > m+1 {
		return false
	}
	bare := *t
	bare.Inputs, bare.Outputs = t.Inputs[:n], t.Outputs[:m]
	return bytes.Equal(bare.Encode(), offer.Encode())
}

// signedOf decodes a funding transaction as Start has it.
func signedOf(s *market.Start) (chaintest.Signed, error) {
	t, err := chain.DecodeTx(s.Tx)
	if err != nil {
		return chaintest.Signed{}, err
	}
	w, err := chain.DecodeWitness(s.Witness)
	return chaintest.Signed{Tx: t, Witness: w}, err
}
