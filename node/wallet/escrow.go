package wallet

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/weisyn/wes/chain"
)

// An escrow is made by two parties, in these steps:
//
//  1. The client calls OfferEscrow: a transaction with the escrow as output 0, the client's coins
//     for price, royalty and fee reserve, and the client's change. It is unsigned and lacks the
//     bond.
//  2. The operator calls JoinEscrow on it: its coins for the bond, its change, and the fee that
//     its part weighs. Inputs and outputs are final now, and the operator signs.
//  3. The client calls SealEscrow, which compares it with the offer, and signs: the client's
//     signature is the last, so the client submits.
//
// Both reserve coins from their first step to the end of the offer's window. The client may let
// it pass and the operator loses that time only; nobody can use a part of it for another escrow,
// since every signature commits to the whole transaction.

// OfferTime is how long the other party may take, in ms.
const OfferTime = 600_000

// OfferEscrow makes step 1. The model or circuit is referred to, since it names the verifying key.
func (w *Wallet) OfferEscrow(ctx context.Context, e *chain.JobEscrow, program chain.UTXO) (*Partial, error) {
	sum, ok := e.Total()
	if !ok || e.Price == 0 {
		return nil, fmt.Errorf("offer: %w", ErrAmount)
	}
	part, _, err := w.reserve(ctx, &plan{
		pay:        pays(chain.Output{Lock: chain.Open(), Value: chain.Tokens(e.Token, sum), Body: e.State()}),
		references: []chain.UTXO{program}, given: chain.Tokens(e.Token, e.Bond), lifetime: OfferTime, until: e.Due,
	})
	if err != nil {
		return nil, err
	}
	for i := range part.inputs {
		part.inputs[i].signatures = nil // worthless when the operator has joined
	}
	return part, nil
}

// JoinEscrow makes step 2, for the escrow that was agreed on.
func (w *Wallet) JoinEscrow(ctx context.Context, offer *Partial, agreed *chain.JobEscrow) (*Partial, error) {
	if err := w.checkOffer(ctx, offer, agreed); err != nil {
		return nil, err
	}
	part, _, err := w.reserve(ctx, &plan{offer: offer, owed: chain.Tokens(agreed.Token, agreed.Bond)})
	return part, err
}

// checkOffer requires an offer of the escrow whose inputs exist and pay for all but the bond.
func (w *Wallet) checkOffer(ctx context.Context, offer *Partial, agreed *chain.JobEscrow) error {
	if len(offer.Tx.Outputs) == 0 || len(offer.inputs) != len(offer.Tx.Inputs) || len(offer.Tx.Attachments) > 0 {
		return fmt.Errorf("join: %w", ErrOffer)
	}
	sum, ok := agreed.Total()
	want := chain.Output{Lock: chain.Open(), Value: chain.Tokens(agreed.Token, sum), Body: agreed.State()}
	if !ok || !bytes.Equal(offer.Tx.Outputs[0].Encode(), want.Encode()) {
		return fmt.Errorf("join: %w", ErrOffer)
	}
	if err := w.checkWindow(ctx, offer.Tx); err != nil {
		return err
	}
	give := []chain.Value{chain.Tokens(agreed.Token, agreed.Bond)}
	for i, o := range offer.Tx.Inputs {
		u, there, err := w.ledger.Output(ctx, o)
		if err != nil {
			return fmt.Errorf("wallet: %w", err)
		}
		if !there || !bytes.Equal(u.Entry.Output.Encode(), offer.inputs[i].spent.Encode()) {
			return fmt.Errorf("join: %w: input %v:%d is not there", ErrOffer, o.Tx, o.Index)
		}
		give = append(give, u.Entry.Output.Value)
	}
	in, err := total(give)
	if err != nil {
		return err
	}
	out, err := total(append(valuesOf(offer.Tx.Outputs), offer.Tx.Fee))
	if err != nil {
		return err
	}
	if !valueOf(in).Equal(valueOf(out)) {
		return fmt.Errorf("join: %w: it does not balance", ErrOffer)
	}
	if o := w.opener(chain.Env{}); slices.ContainsFunc(offer.inputs, func(in partialInput) bool { return in.asks(o, w.signer.Public()) }) {
		return fmt.Errorf("join: %w: it spends coins of this wallet", ErrOffer)
	}
	return nil
}

// checkWindow refuses an offer for another ledger, or that would bind coins for long.
func (w *Wallet) checkWindow(ctx context.Context, t *chain.Tx) error {
	env, err := w.ledger.Env(ctx)
	if err != nil {
		return fmt.Errorf("wallet: %w", err)
	}
	const skew = OfferTime // of the clients' clocks
	latest := max(env.Now, w.Clock()) + OfferTime + skew
	if t.Chain != env.Chain || t.Until < env.Now || t.Until > latest || t.From > env.Now {
		return fmt.Errorf("join: %w: its window is from %d to %d", ErrOffer, t.From, t.Until)
	}
	return nil
}

// SealEscrow makes step 3.
func (w *Wallet) SealEscrow(ctx context.Context, offer, joined *Partial) (*Built, error) {
	if !joined.extends(offer) {
		return nil, fmt.Errorf("seal: %w", ErrOffer)
	}
	own := len(offer.inputs)
	if o := w.opener(chain.Env{}); slices.ContainsFunc(joined.inputs[own:], func(in partialInput) bool { return in.asks(o, w.signer.Public()) }) {
		return nil, fmt.Errorf("seal: %w: it spends other coins of this wallet", ErrOffer)
	}
	env, err := w.ledger.Env(ctx)
	if err != nil {
		return nil, fmt.Errorf("wallet: %w", err)
	}
	part := w.Sign(joined)
	b, err := part.finish(env.Env, w.FeeToken)
	if err != nil {
		return nil, err
	}
	return b, w.replace(offer, part, env.Now)
}

// extends reports whether p is an offer with more inputs, outputs and fee.
func (p *Partial) extends(offer *Partial) bool {
	t, o := p.Tx, *offer.Tx
	if len(t.Inputs) < len(o.Inputs) || len(t.Outputs) < len(o.Outputs) || len(p.inputs) != len(t.Inputs) {
		return false
	}
	for _, c := range o.Fee {
		if t.Fee.Of(c.Token) < c.Amount {
			return false
		}
	}
	for i := range offer.inputs {
		a, b := p.inputs[i], offer.inputs[i]
		a.signatures, b.signatures = nil, nil
		if !bytes.Equal(a.append(nil), b.append(nil)) {
			return false
		}
	}
	n, m := len(o.Inputs), len(o.Outputs)
	o.Inputs, o.Outputs, o.Fee = t.Inputs, append(slices.Clone(o.Outputs), t.Outputs[m:]...), t.Fee
	return slices.Equal(t.Inputs[:n], offer.Tx.Inputs) && bytes.Equal(o.Encode(), t.Encode())
}

// replace reserves for a whole transaction what its offer did.
func (w *Wallet) replace(offer, p *Partial, now uint64) error {
	r, n := w.pending(p), len(offer.Tx.Inputs)
	r.Inputs, r.Others = r.Inputs[:n], r.Inputs[n:]
	if err := w.reserved.Add(r, now, map[chain.Hash]bool{offer.Tx.ID(): true}); err != nil {
		return fmt.Errorf("wallet: %w", err)
	}
	return nil
}
