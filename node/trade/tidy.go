package trade

import (
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
)

// records are all that the journal has to hold.
func (d *Desk) records() []market.Record {
	var all []market.Record
	for _, r := range d.owned.buyer.Records() {
		all = append(all, stored(buyerSide, r))
	}
	for _, r := range d.owned.seller.Records() {
		all = append(all, stored(sellerSide, r))
	}
	return append(all, d.channelRecords()...)
}

// forget drops jobs that ended long ago, and bytes that no job needs.
func (d *Desk) forget(now uint64) error {
	keep := uint64(d.cfg.Keep.Milliseconds())
	old := func(since uint64) bool { return since < now-min(now, keep) }
	needed := map[string]bool{}
	var gone []market.Record
	for _, p := range d.owned.buyer.Jobs() {
		if p.Ended() && old(p.Submitted) && d.owned.buyer.Forget(p.ID) {
			delete(d.owned.status, roleJob{buyerSide, p.ID})
			gone = append(gone, removed(buyerSide, p.ID))
			continue
		}
		need(needed, p.Terms.Payload, p.Terms.Input, p.Output, p.Proof)
		needed[fundingName(buyerSide, p.ID)] = true
	}
	for _, s := range d.owned.seller.Sales() {
		if s.Ended() {
			delete(d.owned.sealed, attempt{job: s.ID})
		}
		if s.Ended() && old(s.Signed) && d.owned.seller.Forget(s.ID) {
			delete(d.owned.status, roleJob{sellerSide, s.ID})
			gone = append(gone, removed(sellerSide, s.ID))
			continue
		}
		need(needed, s.Terms.Payload, s.Terms.Input, s.Output, s.Proof)
		needed[fundingName(sellerSide, s.ID)] = true
	}
	for id := range d.owned.payers {
		needed[fundingName(payerSide, id)] = true
	}
	if err := d.journal.put(gone...); err != nil {
		return err
	}
	return d.blobs.sweep(needed, time.Hour)
}

func need(all map[string]bool, hashes ...chain.Hash) {
	for _, h := range hashes {
		all[h.String()] = true
	}
}

// removed is the record of a job that is no more.
func removed(side byte, id chain.Hash) market.Record {
	r := stored(side, market.Record{ID: id})
	r.Bytes = nil
	return r
}

// fundingName is where the funding transaction of a job is stored.
func fundingName(side byte, job chain.Hash) string {
	return "funding-" + string(side) + "-" + job.String()
}
