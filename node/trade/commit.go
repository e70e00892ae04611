package trade

import (
	"context"

	"github.com/weisyn/wes/market"
)

// batch is what the owner's goroutine has to store, and what follows once it is stored. Several events
// make one batch, so that a sync of the disk serves them all.
type batch struct {
	records []market.Record
	then    []func()
}

// maxBatch bounds the events of a batch.
const maxBatch = 64

// store has records stored with the batch.
func (d *Desk) store(all ...market.Record) {
	d.owned.batch.records = append(d.owned.batch.records, all...)
}

// then does something once all that was given to store before is durable.
func (d *Desk) then(f func()) { d.owned.batch.then = append(d.owned.batch.then, f) }

// commit stores the batch and does what follows, until nothing follows any more.
func (d *Desk) commit() error {
	for len(d.owned.batch.records)+len(d.owned.batch.then) > 0 {
		b := d.owned.batch
		d.owned.batch = batch{}
		if err := d.journal.put(b.records...); err != nil {
			return err
		}
		for _, f := range b.then {
			f()
		}
	}
	select {
	case err := <-d.running.fault:
		return err
	default:
		return nil
	}
}

// handleAll takes an event, and those that wait already.
func (d *Desk) handleAll(ctx context.Context, e event) {
	d.handle(ctx, e)
	for range maxBatch - 1 {
		select {
		case e := <-d.events:
			d.handle(ctx, e)
		default:
			return
		}
	}
}

func (d *Desk) handle(ctx context.Context, e event) {
	if e.do != nil {
		e.do(ctx, d.cfg.Clock())
		return
	}
	d.step(ctx, e)
}

// step gives an event to the machines; what they say is carried out once it is stored.
func (d *Desk) step(ctx context.Context, e event) {
	now := d.cfg.Clock()
	if e.buyer != nil {
		d.perform(ctx, buyerSide, d.owned.buyer.Step(now, e.buyer))
	}
	if e.seller != nil && d.owned.seller != nil {
		d.perform(ctx, sellerSide, d.owned.seller.Step(now, e.seller))
	}
}

func (d *Desk) perform(ctx context.Context, side byte, out market.Output) {
	for _, r := range out.Records {
		d.store(stored(side, r))
	}
	d.then(func() {
		for _, e := range out.Effects {
			if side == buyerSide {
				d.buy(ctx, e)
			} else {
				d.sell(ctx, e)
			}
		}
		d.count(side, out.Changed)
		d.changes.tell(out.Changed)
	})
}
