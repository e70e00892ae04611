package storefront

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/node/gateway"
)

// Explain implements gateway.Market.
func (s *Storefront) Explain(ctx context.Context, id string) (*gateway.Explanation, error) {
	p, err := s.purchase(ctx, id)
	if err != nil {
		return nil, err
	}
	e, found, err := s.cfg.Desk.Explain(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, noJob(id)
	}
	out := &gateway.Explanation{
		Job: id, Text: sentence(&p.Purchase, &e), Asked: e.Asked, Capable: e.Capable, Bids: e.Bids, Rounds: e.Rounds,
		Reserve: amount(e.Reserve), MaxPrice: amount(e.Highest),
	}
	for _, n := range e.Prices {
		out.Prices = append(out.Prices, amount(n))
	}
	for _, r := range e.Reasons {
		out.Reasons = append(out.Reasons, gateway.ReasonCount{Reason: string(r.Code), Count: r.Count})
	}
	for _, d := range e.Declines {
		x := gateway.Decline{Operator: keyText(d.From.Operator), Reason: string(d.Refusal.Code), Text: d.Refusal.Text}
		if d.Refusal.Price > 0 {
			x.Price = amount(d.Refusal.Price)
		}
		out.Declines = append(out.Declines, x)
	}
	return out, nil
}

// sentence sums an explanation up.
func sentence(p *market.Purchase, e *market.Explanation) string {
	if to, ok := p.Contact(); ok {
		text := fmt.Sprintf("operator %.16s… has the job for %d base units", keyText(to.Operator), p.Price())
		posted := func(r market.Received) bool { return r.Posted && r.From.Operator == to.Operator }
		if e.Asked == 0 || slices.ContainsFunc(p.Bids, posted) {
			return text + ", at its posted price"
		}
		return fmt.Sprintf("%s: the best of %d bids from %d operators", text, e.Bids, e.Asked)
	}
	if e.Asked == 0 {
		return "nobody has the job: this node knows no operator that offers the model or takes questions about it"
	}
	var why []string
	for _, r := range e.Reasons {
		why = append(why, fmt.Sprintf("%d × %s", r.Count, r.Code))
	}
	return fmt.Sprintf("nobody has the job after %d rounds: %d operators were asked (%s); %d of them could have run it", e.Rounds, e.Asked, strings.Join(why, ", "), e.Capable)
}

// Bids implements gateway.Market.
func (s *Storefront) Bids(ctx context.Context, id string) ([]gateway.Bid, error) {
	p, err := s.purchase(ctx, id)
	if err != nil {
		return nil, err
	}
	all := []gateway.Bid{}
	to, assigned := p.Contact()
	for _, r := range p.Bids {
		b := gateway.Bid{
			Operator: keyText(r.From.Operator), Price: amount(r.Bid.Price), Promised: r.Bid.Promise, Device: r.Bid.Class,
			ExpiresMS: r.Bid.Expiry, Round: int(p.Round), Chosen: assigned && to.Operator == r.From.Operator && p.Price() == r.Bid.Price,
		}
		if len(r.Bid.Bond) > 0 {
			b.Bond = r.Bid.Bond[0].String()
		}
		all = append(all, b)
	}
	return all, nil
}

// Operators implements gateway.Market.
func (s *Storefront) Operators(ctx context.Context) ([]gateway.Operator, error) {
	adverts, standings, err := s.cfg.Desk.Operators(ctx)
	if err != nil {
		return nil, err
	}
	all := []gateway.Operator{}
	for i, a := range adverts {
		x := gateway.Operator{
			ID: keyText(a.Operator), Peer: a.Peer, SeenMS: a.Issued, Done: int(standings[i].Done), Broken: int(standings[i].Broken),
			Shunned: standings[i].Lied > 0,
		}
		if a.Class != "" {
			x.Devices = []string{a.Class}
		}
		for _, o := range a.Offers {
			if o.Level != chain.LevelZK {
				continue
			}
			x.Prices = append(x.Prices, gateway.Offered{Model: s.contentOf(ctx, o.Program), Price: amount(o.Price)})
		}
		all = append(all, x)
	}
	return all, nil
}

// contentOf is the CID of a program, or its output where the ledger does not announce it.
func (s *Storefront) contentOf(ctx context.Context, ref market.Ref) string {
	if u, found, err := s.cfg.Ledger.Output(ctx, ref.Outpoint()); err == nil && found {
		if e, ok := program(&u); ok {
			return e.cid
		}
	}
	return ref.String()
}
