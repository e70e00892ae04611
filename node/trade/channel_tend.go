package trade

import (
	"context"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/channel"
)

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
