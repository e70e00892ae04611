package trade

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
)

const (
	// advertEvery is well below the time that an advert stands.
	advertEvery = 15 * time.Second
	// advertPause is the least time between two adverts.
	advertPause = time.Second
)

// advertise tells others what this operator sells, until ctx ends: now and then, and soon after a peer
// has come or something else is offered.
func (d *Desk) advertise(ctx context.Context) {
	if d.cfg.Works == nil {
		return
	}
	var told time.Time
	var peers, offers int
	for ; ctx.Err() == nil; sleep(ctx, advertPause) {
		n, m := d.cfg.Peers.Count(), len(d.cfg.Works.Programs())
		news := n > peers || m != offers || time.Since(told) >= advertEvery
		peers = min(peers, n)
		if !news || n == 0 {
			continue
		}
		a := d.advert(ctx)
		if a == nil {
			continue // nothing is offered yet
		}
		if err := d.cfg.Peers.Publish(ctx, a.Encode()); err != nil {
			d.log.Debug("advert not published", keyError, err)
			continue
		}
		told, peers, offers = time.Now(), n, m
	}
}

// advert is what this operator offers now; nil if it is nothing, and nothing else is taken.
func (d *Desk) advert(ctx context.Context) *market.Advert {
	name, addresses := d.cfg.Peers.Self()
	now := d.cfg.Clock()
	a := &market.Advert{
		Chain: d.cfg.Chain, Operator: d.cfg.Signer.Public(), Peer: name, Addresses: addresses[:min(len(addresses), 8)],
		Issued: now, Expiry: now + market.MaxAdvertTime,
	}
	if d.ask(ctx, func(_ context.Context, now uint64) { a.Offers, a.Class = d.offers(now) }) != nil || len(a.Offers) == 0 && !d.any() {
		return nil
	}
	a.Any, a.Channels = d.any(), d.takesChannels()
	digest := a.Digest()
	a.Signature = [ed25519.SignatureSize]byte(d.cfg.Signer.Sign(digest))
	return a
}

// any reports whether questions about other programs are welcome.
func (d *Desk) any() bool { return d.cfg.Any != nil && d.cfg.Any() }

// postedRoom is how much longer a posted promise is than a job alone takes, at least, in ms: what was
// posted holds while a few jobs are under way, and when the last ones took a little longer.
const postedRoom = 1000

// offers quotes every program as if it was asked for now.
func (d *Desk) offers(now uint64) ([]market.Offer, string) {
	var all []market.Offer
	var class string
	for _, p := range d.cfg.Works.Programs() {
		levels := []chain.Level{chain.LevelZK, chain.LevelOptimistic}
		if p.Kind == chain.JobProve {
			levels = levels[:1]
		}
		for _, l := range levels {
			t := market.Terms{Kind: p.Kind, Level: l, Program: p.Ref}
			const anytime = 1 << 62
			job := t.Hash() // of no job: it is only asked
			q, refusal := d.cfg.Capacity.Quote(now, job, &t, anytime, now)
			d.cfg.Capacity.Release(now, job)
			if refusal != nil || len(all) == market.MaxOffers {
				continue
			}
			class = q.Class
			o := market.Offer{Program: p.Ref, Level: l, Price: q.Price, Promise: max(q.Promise, 1), ProveFee: q.ProveFee, Posted: d.cfg.Posted}
			if o.Posted {
				o.Promise = min(o.Promise+max(o.Promise, postedRoom), market.MaxPromise*1000)
			}
			all = append(all, o)
		}
	}
	slices.SortStableFunc(all, func(a, b market.Offer) int { return int(a.Level) - int(b.Level) })
	return all, class
}

// ReadAdvert decodes a gossiped advert. An error says what is wrong with it.
func ReadAdvert(id chain.Hash, raw []byte) (*market.Advert, error) {
	a, err := market.DecodeAdvert(raw)
	if err != nil {
		return nil, err
	}
	if a.Chain != id || !a.Signed() {
		return nil, fmt.Errorf("%w: an advert that its operator has not signed for this chain", market.ErrMessage)
	}
	return a, nil
}

// Hear takes an advert that was read.
func (d *Desk) Hear(ctx context.Context, a *market.Advert) {
	d.post(ctx, event{buyer: market.Heard{Advert: a}})
}
