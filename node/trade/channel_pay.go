package trade

import (
	"context"
	"time"

	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/channel"
)

// payer is a client's channel. It belongs to the owner's goroutine, but for its last two fields, which
// are those of tendPayer.
type payer struct {
	*channel.Payer
	announced bool // the operator has answered this process
	wished    bool // the operator was asked to close since the last look at the ledger

	submitted time.Time     // when its transaction was last submitted
	wake      chan struct{} // has room for one: there is something to send
}

func newPayer(p *channel.Payer) *payer { return &payer{Payer: p, wake: make(chan struct{}, 1)} }

// rouse has the channel's goroutine send what there is.
func (x *payer) rouse() {
	select {
	case x.wake <- struct{}{}:
	default: // it will
	}
}

func (x *payer) describe() Channel {
	a := x.Announce()
	c := describe(x.ID(), roleClient, a, a.Terms.Operator)
	c.Paid, c.Room, c.Jobs = x.Cost(), x.Room(), x.Open()
	switch {
	case x.Closed():
		c.State, c.Room = ChannelClosing, 0
	case !x.announced:
		c.State = ChannelOpening
	}
	return c
}

// reserve keeps what a job costs, or says why the channel has no room for it.
func (d *Desk) reserve(e market.Contract) *market.ContractFailed {
	x := d.owned.payers[e.Channel]
	if x == nil {
		return theirs(market.CodePayment, channel.ErrClosed)
	}
	r, err := x.Reserve(d.cfg.Clock(), owed(e.Job, &e.Ask.Terms, e.Bid.Price))
	if err != nil {
		return theirs(market.CodePayment, err)
	}
	d.save(payerSide, x, r)
	return nil
}

// contractThrough awards a job that a channel pays for. own ends when it is abandoned.
func (d *Desk) contractThrough(own, ctx context.Context, e market.Contract) {
	limited, stop := d.until(own, e.Within)
	defer stop()
	if failed := d.awardThrough(limited, e); failed != nil {
		failed.Job, failed.Attempt = e.Job, e.Attempt
		d.post(ctx, event{buyer: *failed})
		return
	}
	d.post(ctx, event{buyer: market.Contracted{Job: e.Job, Attempt: e.Attempt}})
}

func (d *Desk) awardThrough(ctx context.Context, e market.Contract) *market.ContractFailed {
	payload, err := d.blobs.get(e.Ask.Terms.Payload)
	if err != nil {
		return own(market.CodeEscrow, err)
	}
	award := &market.Award{
		Ask: *d.signed(e.Ask), Bid: e.Bid, Posted: e.Posted, Channel: e.Channel, Escrow: e.Escrow.State().Data, Payload: payload,
	}
	raw, err := d.cfg.Peers.Ask(ctx, e.To, AwardProtocol, award.Encode(), market.MaxStart)
	if err != nil {
		return theirs(market.CodeUnreachable, err)
	}
	answer, err := market.DecodeCountersigned(raw)
	switch {
	case err != nil:
		return theirs(market.CodeEscrow, err)
	case len(answer.Refusal) > 0:
		return &market.ContractFailed{Refusal: answer.Refusal[0]}
	}
	return nil
}

// forgetReserved gives back what was reserved for a job.
func (d *Desk) forgetReserved(ctx context.Context, e market.Abandon) {
	x := d.owned.payers[e.Channel]
	if x == nil {
		return
	}
	r, err := x.Forget(e.Job)
	if err != nil {
		return // it is not reserved any more
	}
	d.save(payerSide, x, r)
	d.told(ctx, d.cfg.Clock(), x)
}

// pay signs for a job that is good; its voucher goes out in a moment.
func (d *Desk) pay(ctx context.Context, e market.Pay) {
	x := d.owned.payers[e.Channel]
	err := error(channel.ErrClosed)
	var r channel.Record
	if x != nil {
		r, err = x.Pay(d.cfg.Clock(), e.Job, e.Output)
	}
	if err != nil {
		d.step(ctx, event{buyer: market.Unpaid{Job: e.Job, Text: err.Error()}})
		return
	}
	d.save(payerSide, x, r)
	d.then(x.rouse)
}

// latest reports whether there is no later channel with the same operator.
func (d *Desk) latest(x *payer) bool {
	t := x.Announce().Terms
	for _, other := range d.owned.payers {
		if o := other.Announce().Terms; o.Operator == t.Operator && o.Expiry > t.Expiry {
			return false
		}
	}
	return true
}

// told tells the client what a channel can pay, if it is the latest with its operator.
func (d *Desk) told(ctx context.Context, now uint64, x *payer) {
	if !d.latest(x) {
		return
	}
	t := x.Announce().Terms
	e := market.ChannelRoom{Operator: t.Operator, Channel: x.ID()}
	if x.announced && !x.Closed() && now < t.Expiry-channel.Margin {
		e.Room = x.Room()
	}
	d.step(ctx, event{buyer: e})
}
