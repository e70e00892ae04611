package trade

import (
	"bytes"
	"context"
	"slices"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
)

// open lists the jobs of both machines that have not ended.
func (d *Desk) open() []chain.Hash {
	var all []chain.Hash
	for j, s := range d.owned.status {
		if s.ended {
			continue
		}
		if p, _ := d.owned.buyer.Job(j.job); j.side == buyerSide && p.Assignment != market.Assigned {
			continue // nothing of it can be on the ledger
		}
		all = append(all, j.job)
	}
	slices.SortFunc(all, func(a, b chain.Hash) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(all)
}

// changed looks at the jobs that a change of the ledger may concern.
func (d *Desk) changed(ctx context.Context, c Change) error {
	if c.Moved {
		return d.view(ctx, d.open())
	}
	if c.Entered == nil {
		return nil
	}
	jobs := d.concerns(c.Entered)
	for _, id := range jobs {
		d.remember(id, c.Entered.ID())
	}
	return d.view(ctx, jobs)
}

// remember notes that a transaction of the mempool concerns a job.
func (d *Desk) remember(job, tx chain.Hash) {
	if d.owned.pending[job] == nil {
		d.owned.pending[job] = map[chain.Hash]bool{}
	}
	d.owned.pending[job][tx] = true
}

// concerns lists the open jobs whose money a transaction brings or moves.
func (d *Desk) concerns(t *chain.Tx) []chain.Hash {
	var all []chain.Hash
	inputs := map[market.Ref]bool{}
	for _, o := range t.Inputs {
		inputs[market.RefOf(o)] = true
	}
	brought := map[chain.Hash]bool{}
	for i := range t.Outputs {
		if e, ok := escrowIn(&t.Outputs[i]); ok {
			brought[e.Job] = true
		}
	}
	for _, id := range d.open() {
		v, _ := d.seen(id)
		if brought[id] || inputs[v.Output] && !v.Output.IsZero() {
			all = append(all, id)
		}
	}
	return all
}

// seen is the last view of a job, of either side.
func (d *Desk) seen(id chain.Hash) (market.View, bool) {
	if p, ok := d.owned.buyer.Job(id); ok && !p.Ended() {
		return p.View, true
	}
	s, ok := d.owned.seller.Sale(id)
	return s.View, ok
}

// view computes what the ledger shows of jobs and tells the machines.
func (d *Desk) view(ctx context.Context, jobs []chain.Hash) error {
	for _, id := range jobs {
		v, err := d.viewJob(ctx, id)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		d.step(ctx, event{buyer: market.Viewed{Job: id, View: v}, seller: market.Viewed{Job: id, View: v}})
	}
	return nil
}

func (d *Desk) viewJob(ctx context.Context, id chain.Hash) (market.View, error) {
	if d.throughChannel(id) { // the ledger has nothing of it
		tip := d.cfg.Ledger.Tip()
		return market.View{Now: tip.Time, Height: tip.Height}, nil
	}
	tip, all, err := d.cfg.Ledger.Touches(ctx, id)
	if err != nil {
		return market.View{}, err
	}
	waiting, err := d.waiting(ctx, id)
	return viewOf(d.agreed(id), tip, append(all, waiting...)), err
}

// throughChannel reports whether a channel pays for a job, of either side.
func (d *Desk) throughChannel(id chain.Hash) bool {
	if p, ok := d.owned.buyer.Job(id); ok && !p.Ended() {
		return p.Channel != chain.Hash{}
	}
	if d.owned.seller != nil {
		if s, ok := d.owned.seller.Sale(id); ok {
			return s.Channel != chain.Hash{}
		}
	}
	return false
}

// agreed is the data of the escrow that was agreed on for a job; nil before.
func (d *Desk) agreed(id chain.Hash) []byte {
	if p, ok := d.owned.buyer.Job(id); ok && !p.Ended() {
		return p.Escrow
	}
	s, _ := d.owned.seller.Sale(id)
	return s.Escrow
}

// waiting are the transactions of the mempool that concern a job, each after those that it spends.
func (d *Desk) waiting(ctx context.Context, job chain.Hash) ([]Touch, error) {
	var all []Touch
	for id := range d.owned.pending[job] {
		t, w, found, err := d.cfg.Ledger.Pending(ctx, id)
		if err != nil {
			return nil, err
		}
		if !found {
			delete(d.owned.pending[job], id)
			continue
		}
		all = append(all, Touch{Tx: t, Witness: w})
	}
	if len(d.owned.pending[job]) == 0 {
		delete(d.owned.pending, job)
	}
	return parentsFirst(all), nil
}

// parentsFirst orders transactions so that each comes after those that it spends.
func parentsFirst(all []Touch) []Touch {
	left := map[chain.Hash]bool{}
	for i := range all {
		left[all[i].Tx.ID()] = true
	}
	var sorted []Touch
	for len(sorted) < len(all) {
		for _, t := range all {
			if id := t.Tx.ID(); left[id] && !slices.ContainsFunc(t.Tx.Inputs, func(o chain.Outpoint) bool { return left[o.Tx] }) {
				delete(left, id)
				sorted = append(sorted, t)
			}
		}
	}
	return sorted
}

// tidy now and then forgets what has ended long ago, and writes the journal anew when it has grown.
func (d *Desk) tidy() error {
	if now := d.cfg.Clock(); now > d.owned.tidied+tidyEvery {
		d.owned.tidied = now
		if err := d.forget(now); err != nil {
			return err
		}
	}
	if !d.journal.full() {
		return nil
	}
	return d.journal.compact(d.records())
}

// tidyEvery is in ms.
const tidyEvery = 600_000
