package trade

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/channel"
)

// ErrNotSelling is returned for questions and awards where nothing is sold.
var ErrNotSelling = errors.New("this node sells nothing")

// Protocols lists the requests that Serve answers, with their limits in bytes.
func Protocols() []Protocol {
	return []Protocol{
		{AskProtocol, market.MaxAsk, market.MaxAsk},
		{AwardProtocol, market.MaxAward, market.MaxStart},
		{StartProtocol, market.MaxStart, market.MaxAsk},
		{CollectProtocol, market.MaxCollect, market.MaxDelivery},
		{AnnounceProtocol, channel.MaxAnnounce, channel.MaxAck},
		{VoucherProtocol, channel.MaxPayments, channel.MaxAck},
	}
}

// Protocol is a kind of request.
type Protocol struct {
	Name                    string
	MaxRequest, MaxResponse int
}

// Serve answers a request of a peer. An error that is market.ErrMessage is the peer's fault.
func (d *Desk) Serve(ctx context.Context, peer, protocol string, request []byte) ([]byte, error) {
	switch protocol {
	case AskProtocol, AwardProtocol:
		if d.cfg.Works == nil {
			return nil, ErrNotSelling
		}
	}
	switch protocol {
	case AskProtocol:
		a, err := market.DecodeAsk(request)
		if err != nil {
			return nil, err
		}
		if !a.Signed(peer) {
			return nil, errUnsigned
		}
		problem, err := d.problem(ctx, a)
		if err != nil {
			return nil, err
		}
		return d.await(ctx, a.Terms.Kind, func(t market.Ticket) market.Event {
			return market.Asked{Ticket: t, Peer: peer, Ask: a, Problem: problem}
		})
	case AwardProtocol:
		a, err := market.DecodeAward(request)
		if err != nil {
			return nil, err
		}
		if !a.Ask.Signed(peer) {
			return nil, errUnsigned
		}
		problem, err := d.problem(ctx, &a.Ask)
		if err != nil {
			return nil, err
		}
		return d.await(ctx, a.Ask.Terms.Kind, func(t market.Ticket) market.Event {
			return market.Awarded{Ticket: t, Peer: peer, Award: a, Problem: problem}
		})
	case AnnounceProtocol:
		return d.announced(ctx, request)
	case VoucherProtocol:
		return d.paid(ctx, request)
	case StartProtocol:
		return d.started(ctx, peer, request)
	case CollectProtocol:
		c, err := market.DecodeCollect(request)
		if err != nil {
			return nil, err
		}
		until := d.cfg.Clock() + uint64(collectWait.Milliseconds())
		return d.await(ctx, 0, func(t market.Ticket) market.Event {
			return market.Collecting{Ticket: t, Peer: peer, Ask: c, Until: until}
		})
	}
	return nil, fmt.Errorf("%w: protocol %q", market.ErrMessage, protocol)
}

// errUnsigned is returned for an ask that its client has not signed for the peer that sends it.
var errUnsigned = fmt.Errorf("%w: an ask that its client has not signed for this peer", market.ErrMessage)

// errRefused is the answer to requests that are not worth one.
var errRefused = errors.New("refused")

// await gives the operator an event with a ticket and waits for what it says. The kind of the
// job counts for asks and awards alone.
func (d *Desk) await(ctx context.Context, kind chain.JobKind, e func(market.Ticket) market.Event) ([]byte, error) {
	answer := make(chan []byte, 1)
	var ticket market.Ticket
	err := d.ask(ctx, func(ctx context.Context, _ uint64) {
		d.owned.ticket++
		ticket = d.owned.ticket
		d.owned.tickets[ticket] = asker{answer, kind}
		d.step(ctx, event{seller: e(ticket)})
	})
	if err != nil {
		return nil, err
	}
	select {
	case raw := <-answer:
		if raw == nil {
			raw = []byte{}
		}
		return raw, nil
	case <-ctx.Done():
		d.drop(ticket)
		return nil, ctx.Err()
	case <-d.ended:
		return nil, ErrClosed
	}
}

// drop forgets a ticket that nobody waits for.
func (d *Desk) drop(t market.Ticket) {
	select {
	case d.events <- event{do: func(context.Context, uint64) { delete(d.owned.tickets, t) }}:
	case <-d.ended:
	}
}

// started stores the funding transaction of a job of this operator.
func (d *Desk) started(ctx context.Context, peer string, request []byte) ([]byte, error) {
	s, err := market.DecodeStart(request)
	if err != nil {
		return nil, err
	}
	t, err := chain.DecodeTx(s.Tx)
	if err == nil {
		_, err = chain.DecodeWitness(s.Witness)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", market.ErrMessage, err)
	}
	var sale market.Sale
	var known bool
	if err := d.ask(ctx, func(context.Context, uint64) { sale, known = d.owned.seller.Sale(s.Job) }); err != nil {
		return nil, err
	}
	if !known || sale.Client != peer {
		return nil, errRefused
	}
	index, holds := holdsEscrow(t, sale.Escrow)
	if !holds {
		return nil, errRefused
	}
	if sale.At.IsZero() { // the first one counts: a later one may be worthless
		if err := d.blobs.write(fundingName(sellerSide, s.Job), request); err != nil {
			return nil, err
		}
	}
	return d.await(ctx, 0, func(ticket market.Ticket) market.Event {
		return market.Started{Ticket: ticket, Peer: peer, Job: s.Job, At: market.Ref{Tx: t.ID(), Index: index}}
	})
}

// problem says what the ledger has against a question: terms that are not those of the program, or
// funds that are not there.
func (d *Desk) problem(ctx context.Context, a *market.Ask) (*market.Refusal, error) {
	p, offered := d.cfg.Works.Program(a.Terms.Program)
	if !offered {
		d.cfg.Works.Want(a.Terms.Program)
		return &market.Refusal{Code: market.CodeUnknownProgram}, nil
	}
	u, found, err := d.cfg.Ledger.Output(ctx, a.Terms.Program.Outpoint())
	if err != nil {
		return nil, err
	}
	r, ok := u.Entry.Output.Body.(*chain.Resource)
	if !found || !ok {
		return &market.Refusal{Code: market.CodeTerms, Text: "the program is not announced"}, nil
	}
	if text := differs(&a.Terms, &p, r); text != "" {
		return &market.Refusal{Code: market.CodeTerms, Text: text}, nil
	}
	return d.funds(ctx, a)
}

// differs says in what the terms are not those of the program.
func differs(t *market.Terms, p *Program, r *chain.Resource) string {
	switch {
	case t.Kind != p.Kind || t.Model != p.Model || t.Key != p.Key.Hash || t.KeyLen != p.Key.Len || t.KeyCost != p.Key.Cost:
		return "kind, model or verifying key are not the program's"
	case r.Price.Amount == 0:
		return ""
	case r.Price.Token != t.Token || t.Royalty < r.Price.Amount || !bytes.Equal(t.Owner, chain.EncodeLock(r.Owner)):
		return "the owner of the program asks for a royalty in another token, or a higher one"
	}
	return ""
}

// funds requires that the client's unspent outputs cover the price asked about. It keeps away those
// who have nothing; nothing is bound.
func (d *Desk) funds(ctx context.Context, a *market.Ask) (*market.Refusal, error) {
	var sum uint64
	err := d.cfg.Ledger.Unspent(ctx, chain.LockHash(chain.Key{Key: a.Terms.Client}), func(u chain.UTXO) bool {
		if u.Entry.Output.Body == nil {
			sum += u.Entry.Output.Value.Of(a.Terms.Token)
		}
		return sum < a.Reserve
	})
	if err != nil {
		return nil, err
	}
	if sum < a.Reserve {
		return &market.Refusal{Code: market.CodeNoFunds, Text: "the ledger does not show that the client can pay the price"}, nil
	}
	return nil, nil
}
