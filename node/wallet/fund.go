package wallet

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/weisyn/wes/chain"
)

// build funds and signs a plan and reserves what it spends.
func (w *Wallet) build(ctx context.Context, p *plan) (*Built, error) {
	reserve := w.reserve
	if len(w.pool) > 0 {
		reserve = w.sponsored
	}
	part, env, err := reserve(ctx, p)
	if err != nil {
		return nil, err
	}
	return part.finish(env.Env, w.FeeToken)
}

// reserveTries bounds how often other wallets may be faster.
const reserveTries = 16

// reserve funds a plan, signs as far as the wallet can, and reserves what it spends.
func (w *Wallet) reserve(ctx context.Context, p *plan) (*Partial, *Env, error) {
	w.building.Lock()
	defer w.building.Unlock()
	for tries := 1; ; tries++ {
		c, err := w.coins(ctx)
		if err != nil {
			return nil, nil, err
		}
		part, err := w.draft(c, p)
		if err != nil {
			return nil, nil, err
		}
		others := 0
		if p.offer != nil {
			others = len(p.offer.Tx.Inputs)
		}
		complete, err := w.signable(part, c.env.Env, others)
		if err != nil {
			return nil, nil, err
		}
		r := w.pending(part)
		if !complete || p.given != nil {
			r.Change = nil // nobody knows whether others sign
		}
		r.Others, r.Inputs = r.Inputs[:others], r.Inputs[others:]
		err = w.reserved.Add(r, c.env.Now, c.under.dead)
		if err == nil {
			return part, &c.env, nil
		}
		if !errors.Is(err, ErrTaken) || tries == reserveTries {
			return nil, nil, fmt.Errorf("wallet: %w", err)
		}
	}
}

// signable reports whether all signatures are there. It is an error if anything else is missing,
// or if the wallet has no part in what an input asks for.
func (w *Wallet) signable(p *Partial, env chain.Env, others int) (complete bool, err error) {
	var missing *PartialError
	_, err = p.finish(env, w.FeeToken)
	if !errors.As(err, &missing) {
		return err == nil, err
	}
	ours := p.inputs[others:]
	strange := func(in partialInput) bool { return !in.asks(p.opener(env), w.signer.Public()) }
	if !onlySignatures(missing.Gaps) || slices.ContainsFunc(ours, strange) {
		return false, fmt.Errorf("%w: %w", ErrLock, &GapsError{missing.Gaps})
	}
	return false, nil
}

// draft makes the transaction of a plan and signs it.
func (w *Wallet) draft(c *coins, p *plan) (*Partial, error) {
	if err := w.schedule(c, p); err != nil {
		return nil, err
	}
	for _, s := range p.inputs {
		if o := s.utxo.Outpoint; c.under.held[o] {
			return nil, fmt.Errorf("spend %v:%d: %w", o.Tx, o.Index, ErrTaken)
		}
	}
	part, err := w.fund(c, p)
	if err != nil {
		return nil, err
	}
	return w.Sign(part), nil
}

// schedule completes the window of a plan.
func (w *Wallet) schedule(c *coins, p *plan) error {
	if p.offer != nil {
		p.from, p.until = p.offer.Tx.From, p.offer.Tx.Until
	}
	life := w.Lifetime
	if p.lifetime > 0 {
		life = min(life, p.lifetime)
	}
	end := c.now + min(life, math.MaxUint64-c.now)
	if p.offer == nil && (p.until == 0 || p.until > end) {
		p.until = end
	}
	if c.env.Now < p.from || c.env.Now > p.until {
		return fmt.Errorf("%w: open from %d to %d, it is %d", ErrTime, p.from, p.until, c.env.Now)
	}
	return nil
}

// feeRounds bounds the search for a fee. It takes two or three rounds, but for a pool whose
// payment has to fit the weight exactly and changes it.
const feeRounds = 24

// paddings are starts of windows in the past, whose encodings differ in length. Where no payment
// of a pool fits the weight that it leads to, another length does.
var paddings = [...]uint64{0, 1 << 5, 1 << 8, 1 << 16}

// fund chooses coins for a plan and a fee that the transaction's weight asks for: more inputs
// weigh more, so it goes round until both agree.
func (w *Wallet) fund(c *coins, p *plan) (*Partial, error) {
	if _, known := c.env.fee(w.FeeToken, 0); !known {
		return nil, ErrFeeToken
	}
	for _, pad := range paddings {
		part, err := w.settle(c, p, max(p.from, pad))
		if err != nil {
			return nil, err
		}
		if part != nil {
			return part, nil
		}
	}
	return nil, fmt.Errorf("%w: its payment changes the weight that it is for", ErrSponsor)
}

// firstWeight is a guess to start from.
const firstWeight = 1000

// settle looks for a fee; nil if it finds none.
func (w *Wallet) settle(c *coins, p *plan, from uint64) (*Partial, error) {
	fee, drawn := uint64(1), p.draw(1, firstWeight)
	for range feeRounds {
		part, err := w.assemble(c, p, max(fee, drawn), drawn)
		if err != nil {
			return nil, err
		}
		part.Tx.From = from
		base, weight := part.weight(c.env.Env, w.owns, p.fixedCost())
		if err := w.bounded(c, part, base, weight); err != nil {
			return nil, err
		}
		need, _ := c.env.fee(w.FeeToken, weight)
		if p.offer != nil {
			need -= min(need, p.offer.Tx.Fee.Of(w.FeeToken))
		}
		if need <= fee && drawn == p.draw(max(fee, drawn), weight) {
			return part, p.check(part)
		}
		if fee = max(fee, need); p.sponsor != nil {
			fee = need
		}
		drawn = p.draw(fee, weight)
	}
	return nil, nil
}

// check refuses a transaction that the plan's pool does not pay for.
func (p *plan) check(part *Partial) error {
	if p.sponsor == nil {
		return nil
	}
	return p.allowed(part)
}

func (w *Wallet) owns(k chain.PublicKey) bool { return k == w.signer.Public() }

// draw returns what the inputs give for a fee of a transaction of a weight.
func (p *plan) draw(fee, weight uint64) uint64 {
	if p.sponsor != nil {
		return min(proportion(p.sponsor.Rate, weight, 1), p.sponsor.MaxPerTx)
	}
	return min(p.reserve, fee)
}

// fixedCost is what proofs and references cost, in units.
func (p *plan) fixedCost() uint64 {
	n := p.cost
	for i := range p.references {
		n += stateCost(&p.references[i].Entry.Output)
	}
	return n
}

// bounded refuses what the ledger does not take, and too high a fee.
func (w *Wallet) bounded(c *coins, p *Partial, base, weight uint64) error {
	attached := uint64(0)
	for _, a := range p.Tx.Attachments {
		attached += uint64(a.Len)
	}
	switch fee := feeOf(c.env.FeeRate, weight); {
	case len(p.Tx.Inputs)+len(p.Tx.References) > chain.MaxInputs,
		base > chain.MaxTxBase && len(p.Tx.Inputs) > len(p.Tx.Outputs):
		return ErrInputs
	case base > chain.MaxTxBase || len(p.Tx.Outputs) > chain.MaxOutputs || attached > chain.MaxTxAttachments:
		return ErrSize
	case fee > w.MaxFee:
		return fmt.Errorf("%w: %d base units of WES, at most %d", ErrFee, fee, w.MaxFee)
	}
	return nil
}
