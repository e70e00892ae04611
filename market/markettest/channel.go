package markettest

import (
	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/channel"
)

const (
	// channelLife is how long channels are opened for, in ms. Operators close them half an hour before.
	channelLife = channel.Margin + channel.MinLife + 30*60_000
	// closingFee is what the transaction that closes a channel costs.
	closingFee = 5
	// tendEvery is how often a channel is looked at, in ms.
	tendEvery = 10_000
	// buried is how many blocks make the end of a channel the end.
	buried = 6
)

// spender returns the transaction of a block or of the mempool that spends an output, and how deep it
// is; 0: it waits.
func (l *ledger) spender(o chain.Outpoint) (s chaintest.Signed, depth uint64, found bool) {
	spends := func(all []chaintest.Signed) bool {
		for _, t := range all {
			for _, in := range t.Tx.Inputs {
				if in == o {
					s, found = t, true
				}
			}
		}
		return found
	}
	if spends(l.pool) {
		return s, 0, true
	}
	for i := len(l.blocks) - 1; i >= 0; i-- {
		if spends(l.blocks[i]) {
			return s, uint64(len(l.blocks) - i), true
		}
	}
	return s, 0, false
}

// keep stores the record of a channel. False: the peer was killed, before or after.
func (p *peer) keep(id chain.Hash, r channel.Record) bool {
	if p.crashes() {
		return false
	}
	p.channels[id] = r.Bytes
	return !p.crashes()
}

// owed is what client and operator agree on for a job.
func owed(id chain.Hash, t *market.Terms, price uint64) channel.Job {
	return channel.Job{ID: id, Input: t.Input, Price: price, Royalty: t.Royalty, Owner: t.Owner}
}

func (w *World) operatorOf(k chain.PublicKey) *Operator {
	for _, o := range w.operators {
		if o.wallet.Public() == k {
			return o
		}
	}
	return nil
}

// checkChannels requires that no money is bound in channels, and adds what their ends give.
func (w *World) checkChannels(profit map[string]int64) string {
	for _, c := range w.clients {
		for id, a := range c.opened {
			made, _ := signedAt(c.funding[id])
			if !w.ledger.mined(made.ID()) {
				continue
			}
			profit[c.name] -= fundingFee
			s, depth, found := w.ledger.spender(a.Funding())
			if !found || depth == 0 {
				return "money is still bound in channel " + id.String()
			}
			if len(s.Tx.Outputs) == 1 { // reclaimed
				profit[c.name] -= closingFee
			} else {
				profit[w.operatorOf(a.Terms.Operator).name] -= int64(s.Tx.Fee[0].Amount)
			}
		}
		for _, p := range c.buyer.Jobs() {
			if p.Channel != (chain.Hash{}) && p.Settlement == market.Paid {
				price, royalty := int64(p.Price()), int64(p.Terms.Royalty)
				to, _ := p.Contact()
				profit[c.name] -= price + royalty
				profit[to.Peer] += price
				profit[publisher] += royalty
			}
		}
	}
	return ""
}

// mined reports whether a transaction is in a block.
func (l *ledger) mined(id chain.Hash) bool {
	for _, b := range l.blocks {
		for _, s := range b {
			if s.ID() == id {
				return true
			}
		}
	}
	return false
}

func signedAt(start []byte) (chaintest.Signed, error) {
	s, err := market.DecodeStart(start)
	if err != nil {
		return chaintest.Signed{}, err
	}
	return signedOf(s)
}
