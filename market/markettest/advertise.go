package markettest

import (
	"crypto/ed25519"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
)

// advertEvery is in ms.
const advertEvery = 30_000

// advertise tells the clients what is sold, now and again.
func (o *Operator) advertise() {
	if o.w.calm {
		return // nobody wants anything any more
	}
	for _, c := range o.w.clients {
		o.tell(c)
	}
	o.later(advertEvery, o.advertise)
}

// tell sends the advert to a client.
func (o *Operator) tell(c *Client) {
	if o.w.lost() {
		return
	}
	raw := o.advert().Encode()
	o.w.at(o.w.now+o.w.delay(), func() { c.hear(raw) })
}

func (o *Operator) advert() *market.Advert {
	a := &market.Advert{
		Chain: o.w.ledger.net.Ledger.Chain, Operator: o.wallet.Public(), Peer: o.name, Class: "slot",
		Channels: o.Posted, Issued: o.clock(), Expiry: o.clock() + market.MaxAdvertTime,
	}
	for _, name := range o.Programs {
		p := o.w.programs[name]
		for _, l := range []chain.Level{chain.LevelZK, chain.LevelOptimistic}[:3-p.Kind] {
			a.Offers = append(a.Offers, market.Offer{
				Program: p.Ref, Level: l, Price: o.Price, Promise: o.Cost, ProveFee: settlementFee, Posted: o.Posted,
			})
		}
	}
	d := a.Digest()
	a.Signature = [ed25519.SignatureSize]byte(o.wallet.Sign(d))
	return a
}

func (c *Client) hear(raw []byte) {
	a, err := market.DecodeAdvert(raw)
	if err != nil || !a.Signed() {
		c.w.fail("an advert that is not one: %v", err)
		return
	}
	c.step(market.Heard{Advert: a})
}
