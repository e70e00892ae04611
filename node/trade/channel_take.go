package trade

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/channel"
)

// payee is an operator's channel. It belongs to the owner's goroutine.
type payee struct {
	*channel.Payee
	wished    bool      // the client wants it closed
	submitted time.Time // when the closing transaction was last submitted
}

func (x *payee) describe() Channel {
	a := x.Announce()
	c := describe(x.ID(), roleOperator, a, a.Terms.Client)
	c.Paid, c.Jobs = x.Earned(), x.Unpaid()
	if x.Closes() {
		c.State = ChannelClosing
	}
	return c
}

// accept has a channel owe the price of a job.
func (d *Desk) accept(ctx context.Context, now uint64, e market.Countersign) {
	told := market.Signed{Job: e.Job}
	if err := d.owe(now, e); err != nil {
		told.Refusal = &market.Refusal{Code: market.CodePayment, Text: clip(err.Error())}
	}
	d.step(ctx, event{seller: told})
}

// errNoChannel is returned for a channel that the client does not have with this operator.
var errNoChannel = errors.New("no such channel of yours")

func (d *Desk) owe(now uint64, e market.Countersign) error {
	x := d.owned.payees[e.Award.Channel]
	if x == nil || x.Announce().Terms.Client != e.Award.Ask.Terms.Client {
		return errNoChannel
	}
	r, err := x.Accept(now, owed(e.Job, &e.Award.Ask.Terms, e.Award.Bid.Price))
	if err != nil {
		return err
	}
	d.save(payeeSide, x, r)
	return nil
}

// forgo gives up what a channel owes for a job.
func (d *Desk) forgo(e market.Disengage) {
	x := d.owned.payees[e.Channel]
	if x == nil {
		return
	}
	if r, err := x.Drop(e.Job); err == nil {
		d.save(payeeSide, x, r)
	}
}

// noteDelivery has a channel know of a result before it is sent; false if that fails.
func (d *Desk) noteDelivery(e market.Deliver) bool {
	x := d.owned.payees[e.Channel]
	if x == nil || !x.Owes(e.Delivery.Job) {
		return true // it is paid, or never will be
	}
	r, err := x.Deliver(e.Delivery.Job, e.Result.Output)
	if err != nil {
		d.running.fail(fmt.Errorf("deliver a result: %w", err))
		return false
	}
	d.save(payeeSide, x, r)
	return true
}

// paid takes vouchers. What they pay counts once it is stored.
func (d *Desk) paid(ctx context.Context, raw []byte) ([]byte, error) {
	p, err := channel.DecodePayments(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", market.ErrMessage, err)
	}
	var answer []byte
	err = d.ask(ctx, func(ctx context.Context, now uint64) {
		if x := d.owned.payees[p.Channel]; x != nil {
			d.takeVouchers(ctx, now, x, p)
			d.then(func() { answer = x.acknowledgement() })
		}
	})
	if err == nil && answer == nil {
		err = errRefused
	}
	return answer, err
}

func (d *Desk) takeVouchers(ctx context.Context, now uint64, x *payee, p *channel.Payments) {
	var jobs []chain.Hash
	for i := range p.Vouchers {
		v := &p.Vouchers[i]
		owes := x.Owes(v.Job)
		if _, err := x.Receive(now, v); err != nil {
			d.log.Debug("a voucher is not taken", keyChannel, p.Channel, keyJob, v.Job, keyError, err)
		} else if owes {
			jobs = append(jobs, v.Job)
		}
	}
	if len(jobs) > 0 {
		d.save(payeeSide, x, x.Record())
	}
	for _, id := range jobs {
		d.step(ctx, event{seller: market.Vouched{Job: id}})
	}
	d.metrics.vouchers.WithLabelValues(roleOperator).Add(float64(len(jobs)))
	x.wished = x.wished || p.Close
}

// acknowledgement is of all that is stored.
func (x *payee) acknowledgement() []byte {
	a := x.Ack()
	return a.Encode()
}

// reconcile tells the operator what became of the jobs of channels while the process was down.
func (d *Desk) reconcile(ctx context.Context) {
	if d.owned.seller == nil {
		return
	}
	for _, s := range d.owned.seller.Sales() {
		x := d.owned.payees[s.Channel]
		switch {
		case s.Ended() || s.Channel == chain.Hash{}:
		case x == nil:
			d.step(ctx, event{seller: market.ChannelClosed{Channel: s.Channel}})
		case x.Paid(s.ID):
			d.step(ctx, event{seller: market.Vouched{Job: s.ID}})
		}
	}
}

// tendPayees closes channels when it is time, until ctx ends.
func (d *Desk) tendPayees(ctx context.Context) {
	for ; ctx.Err() == nil; sleep(ctx, tendEvery) {
		var all []*payee
		if d.ask(ctx, func(context.Context, uint64) {
			for _, x := range d.owned.payees {
				all = append(all, x)
			}
			d.measureChannels()
		}) != nil {
			return
		}
		slices.SortFunc(all, func(a, b *payee) int { x, y := a.ID(), b.ID(); return bytes.Compare(x[:], y[:]) })
		for _, x := range all {
			if err := d.tendPayee(ctx, x); err != nil {
				d.log.Debug("a channel waits", keyChannel, x.ID(), keyError, err)
			}
		}
	}
}

func (d *Desk) tendPayee(ctx context.Context, x *payee) error {
	a := x.Announce()
	s, err := d.sight(ctx, &a)
	if err != nil {
		return err
	}
	if s.over() || !s.spent && !s.funded && s.now > a.Terms.Expiry {
		return d.ask(ctx, func(ctx context.Context, _ uint64) {
			d.step(ctx, event{seller: market.ChannelClosed{Channel: x.ID()}})
			delete(d.owned.payees, x.ID())
			d.store(removed(payeeSide, x.ID()))
		})
	}
	var t *chain.Tx
	var w chain.Witness
	var failed error
	err = d.ask(ctx, func(_ context.Context, now uint64) {
		d.closeIfDue(now, x)
		if s.spent || !x.Closes() || time.Since(x.submitted) < submitEvery {
			return
		}
		x.submitted = time.Now()
		d.then(func() { t, w, failed = x.Closing(d.sign) })
	})
	switch {
	case err != nil, errors.Is(failed, channel.ErrUnpaid): // the client reclaims all
		return err
	case failed != nil || t == nil:
		return failed
	}
	return d.cfg.Ledger.Submit(ctx, t, w, nil)
}

// closeIfDue ends a channel near its expiry or at its cap, where the client or the operator wants it
// and no job is open. Near the expiry, jobs that are not paid are waited for up to half of the margin.
func (d *Desk) closeIfDue(now uint64, x *payee) {
	t := x.Announce().Terms
	idle := x.Unpaid() == 0
	due := x.Due(now) && (idle || now >= t.Expiry-channel.Margin/2)
	if x.Closes() || !due && !(idle && x.Earned() > 0 && (x.wished || d.draining())) {
		return
	}
	d.save(payeeSide, x, x.Close())
}
