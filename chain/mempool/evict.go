package mempool

import (
	"cmp"
	"slices"
)

// floor is the fee rate that evictions have raised. It halves with time.
type floor struct {
	rate Rate
	at   uint64 // ms since 1970
}

// Floor returns the least fee rate that the pool takes at the local time now.
func (p *Pool) Floor(now uint64) Rate {
	r, at := p.floor.rate, p.floor.at
	for ; r > 0 && now >= at+p.cfg.FloorHalfLife; at += p.cfg.FloorHalfLife {
		r /= 2
	}
	return max(p.cfg.MinRate, r)
}

// slack is the part of a full pool that is freed at once, so that sorting is rare: 1/slack.
const slack = 32

// trim evicts the worst entries while the pool is too large: those with the lowest fee rate,
// counted with their descendants where that is more, together with these. The least rate
// rises above theirs.
func (p *Pool) trim(now uint64) {
	if p.bytes <= p.cfg.MaxBytes {
		return
	}
	type candidate struct {
		*Entry
		score share
	}
	all := make([]candidate, 0, len(p.entries))
	for _, e := range p.entries {
		score := e.share()
		if with := withDescendants(e).share(); with.compare(score) > 0 {
			score = with
		}
		all = append(all, candidate{e, score})
	}
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(a.score.compare(b.score), cmp.Compare(b.order, a.order))
	})
	goal := p.cfg.MaxBytes - p.cfg.MaxBytes/slack
	for _, c := range all {
		if p.bytes <= goal {
			break
		}
		if p.entries[c.ID] != c.Entry {
			continue
		}
		p.remove(withDescendants(c.Entry))
		p.floor = floor{max(p.Floor(now), min(c.score.rate(), 1<<63)+p.cfg.MinRate), now}
	}
}

// Expire removes what is too old, at the local time now: transactions with their descendants,
// and orphans. It returns the number of transactions.
func (p *Pool) Expire(now uint64) int {
	var old []*Entry
	for _, e := range p.entries {
		if now >= e.Added+p.cfg.Expiry {
			old = append(old, e)
		}
	}
	gone := withDescendants(old...)
	p.remove(gone)
	p.orphans.expire(now, p.cfg.OrphanExpiry)
	p.expireBudgets(now)
	return len(gone)
}
