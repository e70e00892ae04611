package trade

import (
	"context"
	"errors"
	"time"

	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/channel"
)

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
