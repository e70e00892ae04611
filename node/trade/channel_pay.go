package trade

import (
	"context"
	"errors"
	"time"

	"github.com/weisyn/wes/chain"
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

// tendPayer does what a channel needs until its money has left for good, or ctx ends.
func (d *Desk) tendPayer(ctx context.Context, x *payer) {
	check := time.NewTimer(0)
	defer check.Stop()
	pause := firstPause
	for {
		select {
		case <-ctx.Done():
			return
		case <-check.C:
			over, err := d.checkPayer(ctx, x)
			if over {
				return
			}
			if err != nil {
				d.log.Debug("a channel waits", keyChannel, x.ID(), keyError, err)
			}
			check.Reset(tendEvery)
		case <-x.wake:
			if err := d.send(ctx, x); err != nil {
				d.log.Debug("an operator does not answer for its channel", keyChannel, x.ID(), keyError, err)
				sleep(ctx, pause)
				pause = min(2*pause, lastPause)
				x.rouse()
				continue
			}
			pause = firstPause
		}
	}
}

// checkPayer holds a channel against the ledger; true once it is over.
func (d *Desk) checkPayer(ctx context.Context, x *payer) (over bool, err error) {
	a := x.Announce()
	s, err := d.sight(ctx, &a)
	if err != nil {
		return false, err
	}
	switch {
	case s.over():
		return true, d.ask(ctx, func(ctx context.Context, now uint64) { d.concludePayer(ctx, now, x, s.by) })
	case s.spent:
		return false, d.ask(ctx, func(ctx context.Context, now uint64) { d.stopPaying(ctx, now, x) })
	case s.funded && s.now >= a.Terms.Expiry:
		return false, d.reclaim(ctx, x, s.now)
	case !s.funded:
		if err := x.resubmit(func() error { _, _, err := d.propagate(ctx, payerSide, x.ID()); return err }); err != nil {
			return d.lapsed(ctx, x, &s), err
		}
	}
	return false, d.ask(ctx, func(ctx context.Context, now uint64) {
		x.wished = false
		d.measureChannels()
		d.told(ctx, now, x)
		x.rouse()
	})
}

// resubmit submits a transaction unless that was just now.
func (x *payer) resubmit(submit func() error) error {
	if time.Since(x.submitted) < submitEvery {
		return nil
	}
	err := submit()
	if err == nil {
		x.submitted = time.Now()
	}
	return err
}

// lapsed gives up a channel whose funding can't enter the ledger any more.
func (d *Desk) lapsed(ctx context.Context, x *payer, s *sight) bool {
	t, err := d.fundingTx(x.ID())
	if err != nil || s.now <= t.Until {
		return false
	}
	a := x.Announce()
	err = d.ask(ctx, func(ctx context.Context, now uint64) {
		d.concludePayer(ctx, now, x, chain.Hash{})
		d.step(ctx, event{buyer: market.ChannelFailed{Operator: a.Terms.Operator}})
	})
	return err == nil
}

func (d *Desk) fundingTx(id chain.Hash) (*chain.Tx, error) {
	raw, err := d.blobs.read(fundingName(payerSide, id))
	if err != nil {
		return nil, err
	}
	s, err := market.DecodeStart(raw)
	if err != nil {
		return nil, err
	}
	return chain.DecodeTx(s.Tx)
}

// reclaim takes back what the operator has left.
func (d *Desk) reclaim(ctx context.Context, x *payer, now uint64) error {
	return x.resubmit(func() error {
		t, w, err := x.Reclaim(now, d.sign)
		if err != nil {
			return err
		}
		return d.cfg.Ledger.Submit(ctx, t, w, nil)
	})
}

// stopPaying ends the use of a channel whose money is leaving.
func (d *Desk) stopPaying(ctx context.Context, now uint64, x *payer) {
	if x.Closed() {
		return
	}
	d.save(payerSide, x, x.Close())
	d.told(ctx, now, x)
}

// concludePayer ends the jobs of a channel whose money has left by a transaction.
func (d *Desk) concludePayer(ctx context.Context, now uint64, x *payer, by chain.Hash) {
	d.stopPaying(ctx, now, x)
	ack := x.ClosedBy(by)
	d.settled(ctx, x, &ack)
	for _, job := range x.Covers(&channel.Ack{N: 1<<64 - 1}) {
		d.step(ctx, event{buyer: market.Unpaid{Job: job, Text: "the channel is closed"}})
	}
	delete(d.owned.payers, x.ID())
	d.store(removed(payerSide, x.ID()))
}

// send announces the channel or brings the vouchers that are not acknowledged, until there are none.
func (d *Desk) send(ctx context.Context, x *payer) error {
	for {
		q, err := d.compose(ctx, x)
		if err != nil || q == nil {
			return err
		}
		own, stop := context.WithTimeout(ctx, 10*time.Second)
		raw, err := d.cfg.Peers.Ask(own, q.to, q.protocol, q.body, channel.MaxAck)
		stop()
		if err != nil {
			return err
		}
		ack, err := channel.DecodeAck(raw)
		if err != nil {
			return err
		}
		if err := d.acknowledge(ctx, x, ack); err != nil {
			return err
		}
	}
}

// request is something to be sent to the operator of a channel.
type request struct {
	to       market.Contact
	protocol string
	body     []byte
}

// errUnheard is returned where nothing is known of an operator.
var errUnheard = errors.New("no advert of the operator is known")

// compose returns what there is to send; nil if there is nothing.
func (d *Desk) compose(ctx context.Context, x *payer) (q *request, err error) {
	asked := d.ask(ctx, func(_ context.Context, now uint64) {
		a := x.Announce()
		to, known := d.owned.buyer.Contact(now, a.Terms.Operator)
		switch {
		case !x.announced && !x.Closed():
			q = &request{to, AnnounceProtocol, a.Encode()}
		default:
			var p *channel.Payments
			if p, err = d.payments(x); err == nil && p != nil {
				q = &request{to, VoucherProtocol, p.Encode()}
			}
		}
		if q != nil && !known {
			q, err = nil, errUnheard
		}
	})
	return q, errors.Join(asked, err)
}

// payments are the vouchers that are not acknowledged. Where a later channel pays and no job is open,
// the operator is asked to close; nil if there is nothing to say.
func (d *Desk) payments(x *payer) (*channel.Payments, error) {
	all, err := x.Outbox(d.sign)
	p := &channel.Payments{Channel: x.ID(), Vouchers: all, Close: x.Open() == 0 && x.Cost() > 0 && !d.latest(x) && !x.wished}
	if err != nil || len(all) == 0 && !p.Close {
		return nil, err
	}
	x.wished = p.Close
	return p, nil
}

// errNotTaken is returned for vouchers that the operator does not take.
var errNotTaken = errors.New("the operator does not take a voucher")

func (d *Desk) acknowledge(ctx context.Context, x *payer, ack *channel.Ack) (err error) {
	asked := d.ask(ctx, func(ctx context.Context, now uint64) {
		fresh := x.announced
		x.announced = true
		before := x.Pending()
		if err = d.settled(ctx, x, ack); err == nil && fresh && before > 0 && before == x.Pending() {
			err = errNotTaken
		}
		d.told(ctx, now, x)
	})
	return errors.Join(asked, err)
}

// settled ends the jobs that are paid, and then forgets them. An operator that knows of later vouchers
// than this node ends the use of the channel.
func (d *Desk) settled(ctx context.Context, x *payer, ack *channel.Ack) error {
	jobs := x.Covers(ack)
	r, err := x.Acknowledged(ack)
	if errors.Is(err, channel.ErrBehind) {
		d.log.Error("a channel is of no use: its record is an old copy", keyChannel, x.ID(), keyError, err)
		d.stopPaying(ctx, d.cfg.Clock(), x)
	}
	if err != nil {
		return err
	}
	for _, job := range jobs {
		d.step(ctx, event{buyer: market.Vouched{Job: job}})
	}
	d.save(payerSide, x, r)
	d.metrics.vouchers.WithLabelValues(roleClient).Add(float64(len(jobs)))
	return nil
}
