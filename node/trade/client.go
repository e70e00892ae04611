package trade

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
)

// Request is a job as a client of this node wants it.
type Request struct {
	Terms    market.Terms // client, payload and input are filled in
	Payload  []byte
	Input    []byte // as the ledger sees it; nil: the payload
	Replicas int    // 1: one job
	MaxPrice uint64 // of each replica, with royalty
	Deadline uint64 // ms since 1970
}

// ErrNoFunds is returned where the wallet holds nothing in the token of the price.
var ErrNoFunds = errors.New("the wallet has no money in this token")

// Order gives a job to the market, and returns the ids of its replicas.
func (d *Desk) Order(ctx context.Context, r Request) ([]chain.Hash, error) {
	if len(r.Payload) > market.MaxPayload {
		return nil, fmt.Errorf("%w: an input of %d bytes, at most %d", market.ErrTerms, len(r.Payload), market.MaxPayload)
	}
	if r.Input == nil {
		r.Input = r.Payload
	}
	if err := d.keep(r.Payload, r.Input); err != nil {
		return nil, err
	}
	r.Terms.Client = d.cfg.Signer.Public()
	r.Terms.Payload, r.Terms.PayloadLen = sha256.Sum256(r.Payload), uint32(len(r.Payload))
	r.Terms.Input = sha256.Sum256(r.Input)
	if err := d.checkFunds(ctx, r.Terms.Token); err != nil {
		return nil, err
	}
	o := market.Order{Terms: r.Terms, MaxPrice: r.MaxPrice, Deadline: r.Deadline}
	for range max(r.Replicas, 1) {
		var nonce [16]byte
		if _, err := rand.Read(nonce[:]); err != nil {
			return nil, fmt.Errorf("draw a nonce: %w", err)
		}
		o.Nonces = append(o.Nonces, nonce)
	}
	var ids []chain.Hash
	var refused error
	err := d.ask(ctx, func(ctx context.Context, now uint64) {
		var out market.Output
		if ids, out, refused = d.owned.buyer.Submit(now, o); refused == nil {
			d.perform(ctx, buyerSide, out)
		}
	})
	return ids, errors.Join(err, refused)
}

// checkFunds refuses an order where the wallet has nothing to pay with.
func (d *Desk) checkFunds(ctx context.Context, token chain.TokenID) error {
	found := false
	err := d.cfg.Ledger.Unspent(ctx, chain.LockHash(d.cfg.Signer.Lock()), func(u chain.UTXO) bool {
		found = u.Entry.Output.Body == nil && u.Entry.Output.Value.Of(token) > 0
		return !found
	})
	if err == nil && !found {
		err = ErrNoFunds
	}
	return err
}

// Purchase is a client's job with what the operator last said of it.
type Purchase struct {
	market.Purchase
	Progress *market.Progressed
}

// Job returns a job of this client.
func (d *Desk) Job(ctx context.Context, id chain.Hash) (p Purchase, found bool, err error) {
	err = d.ask(ctx, func(context.Context, uint64) {
		p.Purchase, found = d.owned.buyer.Job(id)
		p.Progress = d.owned.buyer.Progress(id)
	})
	return p, found, err
}

// Jobs returns all jobs of this client, the newest first.
func (d *Desk) Jobs(ctx context.Context) (all []Purchase, err error) {
	err = d.ask(ctx, func(context.Context, uint64) {
		for _, p := range d.owned.buyer.Jobs() {
			all = append(all, Purchase{p, d.owned.buyer.Progress(p.ID)})
		}
	})
	return all, err
}

// Sales returns all jobs of this operator, the newest first.
func (d *Desk) Sales(ctx context.Context) (all []market.Sale, err error) {
	err = d.ask(ctx, func(context.Context, uint64) { all = d.owned.seller.Sales() })
	return all, err
}

// Operators returns the adverts that stand, and what this client has seen of their operators.
func (d *Desk) Operators(ctx context.Context) (adverts []*market.Advert, standings []market.Standing, err error) {
	err = d.ask(ctx, func(_ context.Context, now uint64) {
		adverts = d.owned.buyer.Adverts(now)
		for _, a := range adverts {
			standings = append(standings, d.owned.buyer.Standing(a.Operator))
		}
	})
	return adverts, standings, err
}

// Explain says why a job has the operator that it has, or none.
func (d *Desk) Explain(ctx context.Context, id chain.Hash) (e market.Explanation, found bool, err error) {
	err = d.ask(ctx, func(context.Context, uint64) {
		var p market.Purchase
		if p, found = d.owned.buyer.Job(id); found {
			e = d.owned.buyer.Explain(&p)
		}
	})
	return e, found, err
}

// Cancel gives a job up that nobody has yet.
func (d *Desk) Cancel(ctx context.Context, id chain.Hash) error {
	return d.ask(ctx, func(ctx context.Context, _ uint64) { d.step(ctx, event{buyer: market.Cancel{Job: id}}) })
}

// Changed is closed at the next change of a job.
func (d *Desk) Changed(id chain.Hash) <-chan struct{} { return d.changes.of(id) }

// Blob returns a payload, output or proof by its hash.
func (d *Desk) Blob(h chain.Hash) ([]byte, error) { return d.blobs.get(h) }
