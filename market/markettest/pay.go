package markettest

import (
	"bytes"
	"slices"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/channel"
)

// payer is a client's channel, with what this life of the client knows of it.
type payer struct {
	*channel.Payer
	announced bool
	sending   bool
	again     bool   // there is more to be sent
	since     uint64 // when the first job was paid
}

// restorePayers reads the channels that are stored. It is done before the machine resumes.
func (c *Client) restorePayers() {
	c.payers = map[chain.Hash]*payer{}
	for id, record := range c.channels {
		x, err := channel.RestorePayer(record)
		if err != nil {
			c.w.fail("%s: a channel does not load: %v", c.name, err)
			return
		}
		c.payers[id] = &payer{Payer: x}
	}
}

// tendAll goes on with all channels.
func (c *Client) tendAll() {
	life := c.life
	for _, id := range c.payerIDs() {
		if c.life == life {
			c.tend(id)
		}
	}
}

// payerIDs are in a fixed order.
func (c *Client) payerIDs() []chain.Hash {
	var all []chain.Hash
	for id := range c.payers {
		all = append(all, id)
	}
	slices.SortFunc(all, func(a, b chain.Hash) int { return bytes.Compare(a[:], b[:]) })
	return all
}

// open funds a channel.
func (c *Client) openChannel(e market.OpenChannel) {
	t := channel.Terms{
		Chain: c.w.ledger.net.Ledger.Chain, Client: c.wallet.Public(), Operator: e.To.Operator, Cap: c.w.o.Cap, Fee: closingFee,
		Expiry: c.w.ledger.net.Now() + channelLife,
	}
	coin, err := c.reserve(t.Cap+fundingFee, 1<<62)
	if err != nil {
		c.w.log("%s: no channel with %s: %v", c.name, e.To.Peer, err)
		c.step(market.ChannelFailed{Operator: e.To.Operator})
		return
	}
	tx := &chain.Tx{Chain: t.Chain, Inputs: []chain.Outpoint{coin.Outpoint}, Fee: chain.Native(fundingFee), Outputs: []chain.Output{t.Output()}}
	w, err := c.sign(c.change(tx, coin, t.Cap+fundingFee), make(chain.Witness, 1))
	if err != nil {
		c.w.fail("%s cannot fund a channel: %v", c.name, err)
		return
	}
	at := chain.UTXO{Outpoint: chain.Outpoint{Tx: tx.ID()}, Entry: chain.Entry{Output: tx.Outputs[0]}}
	x, err := channel.OpenPayer(t, &at)
	if err != nil {
		c.w.fail("%s cannot open a channel: %v", c.name, err)
		return
	}
	c.funding[x.ID()] = (&market.Start{Tx: tx.Encode(), Witness: w.Encode()}).Encode()
	c.opened[x.ID()] = x.Announce()
	r := x.Record()
	if !c.keep(x.ID(), r) {
		return
	}
	x.Stored(r)
	c.payers[x.ID()] = &payer{Payer: x}
	c.w.log("%s: opens channel with %s", c.name, e.To.Peer)
	c.tend(x.ID())
}

// tend does what a channel needs, now and again.
func (c *Client) tend(id chain.Hash) {
	x := c.payers[id]
	if x == nil {
		return
	}
	c.later(tendEvery, func() { c.tend(id) })
	a := x.Announce()
	s, depth, spent := c.w.ledger.spender(a.Funding())
	switch {
	case spent && depth >= buried:
		c.concludeChannel(x, s.ID())
	case spent:
		if x.announced = false; depth > 0 {
			c.told(x)
		}
	case c.w.ledger.net.Now() >= a.Terms.Expiry:
		tx, w, err := x.Reclaim(c.w.ledger.net.Now(), c.wallet.Sign)
		if err != nil {
			c.w.fail("%s cannot reclaim: %v", c.name, err)
			return
		}
		_ = c.submit(chaintest.Signed{Tx: tx, Witness: w}) // it is tried again
	default:
		made, _ := signedAt(c.funding[id])
		_ = c.submit(made) // it is tried again
		c.send(x)
	}
}

// told tells the machine what the channel can pay, if it is the latest with its operator.
func (c *Client) told(x *payer) {
	t := x.Announce().Terms
	for _, other := range c.payers {
		if o := other.Announce().Terms; o.Operator == t.Operator && o.Expiry > t.Expiry {
			return
		}
	}
	e := market.ChannelRoom{Operator: t.Operator, Channel: x.ID()}
	if x.announced && c.clock() < t.Expiry-channel.Margin {
		e.Room = x.Room()
	}
	c.step(e)
}

// send announces the channel, and then brings the vouchers that are not acknowledged.
func (c *Client) send(x *payer) {
	if x.sending {
		x.again = true
		return
	}
	a := x.Announce()
	kind, raw := announceKind, a.Encode()
	if x.announced {
		p, err := c.payments(x)
		if err != nil {
			c.w.fail("%s cannot sign: %v", c.name, err)
			return
		}
		if len(p.Vouchers) == 0 && !p.Close {
			return
		}
		kind, raw = voucherKind, p.Encode()
	}
	x.sending = true
	c.call(c.w.operatorOf(a.Terms.Operator).name, kind, raw, 5000, func(raw []byte, err error) {
		x.sending = false
		if err == nil {
			c.acknowledged(x, raw)
		}
		if x.again && c.up && c.payers[x.ID()] == x {
			x.again = false
			c.send(x)
		}
	})
}

func (c *Client) payments(x *payer) (*channel.Payments, error) {
	all, err := x.Outbox(c.wallet.Sign)
	p := &channel.Payments{Channel: x.ID(), Vouchers: all, Close: x.Open() == 0 && c.replaced(x)}
	switch {
	case c.cheats[NeverPays], c.cheats[PaysLate] && c.clock() < x.since+paysLate:
		p.Vouchers = nil
	case c.cheats[PaysLess] && len(all) > 0:
		p.Vouchers[0].Paid--
	}
	return p, err
}

// replaced reports whether there is a later channel with the same operator.
func (c *Client) replaced(x *payer) bool {
	t := x.Announce().Terms
	for _, other := range c.payers {
		if o := other.Announce().Terms; o.Operator == t.Operator && o.Expiry > t.Expiry {
			return true
		}
	}
	return false
}

// acknowledged ends the jobs that are paid, and then forgets them.
func (c *Client) acknowledged(x *payer, raw []byte) {
	ack, err := channel.DecodeAck(raw)
	if err != nil {
		c.w.fail("an acknowledgement that is not one: %v", err)
		return
	}
	x.announced = true
	c.settled(x, ack)
	if c.payers[x.ID()] == x {
		c.told(x)
	}
}

func (c *Client) settled(x *payer, ack *channel.Ack) bool {
	life := c.life
	for _, job := range x.Covers(ack) {
		if c.step(market.Vouched{Job: job}); c.life != life {
			return false
		}
	}
	r, err := x.Acknowledged(ack)
	if err != nil {
		c.w.fail("%s: acknowledgement %d: %v", c.name, ack.N, err)
		return false
	}
	if !c.keep(x.ID(), r) {
		return false
	}
	x.Stored(r)
	return true
}

// concludeChannel ends the jobs of a channel whose money has left.
func (c *Client) concludeChannel(x *payer, by chain.Hash) {
	ack := x.ClosedBy(by)
	if !c.settled(x, &ack) {
		return
	}
	rest := x.Covers(&channel.Ack{N: 1<<64 - 1})
	life := c.life
	x.announced = false
	c.told(x)
	for _, job := range rest {
		if c.life == life {
			c.step(market.Unpaid{Job: job, Text: "the channel is closed"})
		}
	}
	if c.life == life {
		delete(c.channels, x.ID())
		delete(c.payers, x.ID())
	}
}

// pay signs for a job.
func (c *Client) pay(e market.Pay) {
	x := c.payers[e.Channel]
	if x == nil {
		c.step(market.Unpaid{Job: e.Job, Text: "the channel is closed"})
		return
	}
	r, err := x.Pay(c.clock(), e.Job, e.Output)
	if err != nil {
		c.step(market.Unpaid{Job: e.Job, Text: err.Error()})
		return
	}
	if !c.keep(x.ID(), r) {
		return
	}
	x.Stored(r)
	if x.since == 0 {
		x.since = c.clock()
	}
	c.send(x)
}

// contractThrough gives a job to an operator that a channel pays.
func (c *Client) contractThrough(e market.Contract) {
	failed := func(code market.Code, text string) {
		if c.giveUp(e.Job, e.Attempt) {
			c.step(market.ContractFailed{Job: e.Job, Attempt: e.Attempt, Refusal: market.Refusal{Code: code, Text: text}})
		}
	}
	c.contracts[e.Job] = attempt{n: e.Attempt}
	x := c.payers[e.Channel]
	if x == nil {
		c.later(1, func() { failed(market.CodePayment, "the channel is closed") })
		return
	}
	r, err := x.Reserve(c.clock(), owed(e.Job, &e.Ask.Terms, e.Bid.Price))
	if err != nil {
		c.later(1, func() { failed(market.CodePayment, err.Error()) })
		return
	}
	if !c.keep(x.ID(), r) {
		return
	}
	x.Stored(r)
	a := &market.Award{
		Ask: *e.Ask, Bid: e.Bid, Posted: e.Posted || c.cheats[NeverAsks], Channel: e.Channel, Escrow: c.lie(e).State().Data, Payload: c.blobs[e.Ask.Terms.Payload],
	}
	c.distort(a)
	c.call(e.To.Peer, awardKind, a.Encode(), e.Within-min(e.Within, c.clock()), func(raw []byte, err error) {
		if c.contracts[e.Job].n != e.Attempt {
			return
		}
		if err != nil {
			failed(market.CodeUnreachable, err.Error())
			return
		}
		answer, err := market.DecodeCountersigned(raw)
		switch {
		case err != nil:
			failed(market.CodeEscrow, err.Error())
		case len(answer.Refusal) > 0:
			failed(answer.Refusal[0].Code, answer.Refusal[0].Text)
		default:
			delete(c.contracts, e.Job)
			c.step(market.Contracted{Job: e.Job, Attempt: e.Attempt})
		}
	})
}

// forgetReserved gives back what was reserved for a job.
func (c *Client) forgetReserved(e market.Abandon) {
	x := c.payers[e.Channel]
	if x == nil {
		return
	}
	r, err := x.Forget(e.Job)
	if err != nil {
		return // it is paid, or was forgotten before
	}
	if c.keep(x.ID(), r) {
		x.Stored(r)
		c.told(x)
	}
}
