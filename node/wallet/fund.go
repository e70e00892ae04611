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
		complete, err := part.signable(c.env.Env, w.FeeToken)
		if err != nil {
			return nil, nil, err
		}
		r := w.pending(part)
		if !complete || p.given != nil {
			r.Change = nil // nobody knows whether others sign
		}
		if p.offer != nil {
			n := len(p.offer.Tx.Inputs)
			r.Others, r.Inputs = r.Inputs[:n], r.Inputs[n:]
		}
		err = w.reserved.Add(r, c.env.Now, c.under.dead)
		if err == nil {
			return part, &c.env, nil
		}
		if !errors.Is(err, ErrTaken) || tries == reserveTries {
			return nil, nil, fmt.Errorf("wallet: %w", err)
		}
	}
}

// signable reports whether all signatures are there. It is an error if anything else is missing.
func (p *Partial) signable(env chain.Env, feeToken chain.TokenID) (complete bool, err error) {
	var missing *PartialError
	_, err = p.finish(env, feeToken)
	if errors.As(err, &missing) && !onlySignatures(missing.Gaps) {
		return false, fmt.Errorf("%w: %w", ErrLock, err)
	}
	return err == nil, nil
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

// assemble makes the transaction with some fee, without signatures.
func (w *Wallet) assemble(c *coins, p *plan, fee, drawn uint64) (*Partial, error) {
	chosen, err := w.choose(c, p, fee, drawn)
	if err != nil {
		return nil, err
	}
	part := &Partial{Tx: &chain.Tx{Chain: c.env.Chain}, drawn: drawn}
	if p.offer != nil {
		part = p.offer.extended()
	}
	t := part.Tx
	t.Until = p.until
	part.add(p, chosen, drawn)
	for _, u := range p.references {
		t.References = append(t.References, u.Outpoint)
	}
	for _, a := range p.attachments {
		t.Attachments = append(t.Attachments, a.named())
		part.Attachments = append(part.Attachments, a.bytes)
	}
	if err := w.giveBack(c, p, part, chosen, fee, drawn); err != nil {
		return nil, err
	}
	part.reveal(w.known(), w.secrets())
	return part, nil
}

// extended copies what is added to.
func (p *Partial) extended() *Partial {
	q, t := p.clone(), *p.Tx
	t.Inputs, t.Outputs, t.Fee = slices.Clone(t.Inputs), slices.Clone(t.Outputs), slices.Clone(t.Fee)
	q.Tx = &t
	q.known, q.secrets = slices.Clone(p.known), slices.Clone(p.secrets)
	return q
}

// add appends the inputs and outputs of a plan.
func (p *Partial) add(plan *plan, coins []chain.UTXO, drawn uint64) {
	t, first := p.Tx, len(p.inputs)
	for _, s := range plan.inputs {
		t.Inputs = append(t.Inputs, s.utxo.Outpoint)
		p.inputs = append(p.inputs, partialInput{spent: s.utxo.Entry.Output, exit: s.exit, moves: s.moves, steps: s.taken(drawn)})
	}
	for _, u := range coins {
		t.Inputs = append(t.Inputs, u.Outpoint)
		p.inputs = append(p.inputs, partialInput{spent: u.Entry.Output})
	}
	segments := func(last bool) {
		for i, s := range plan.inputs {
			if outputs := s.demanded(drawn); len(outputs) > 0 && s.last == last {
				p.inputs[first+i].base = uint32(len(t.Outputs))
				t.Outputs = append(t.Outputs, outputs...)
			}
		}
	}
	segments(false)
	t.Outputs = append(t.Outputs, plan.payout(t.Inputs[0]).outputs...)
	segments(true)
}

// choose takes coins for what a plan needs.
func (w *Wallet) choose(c *coins, p *plan, fee, drawn uint64) ([]chain.UTXO, error) {
	need, err := p.needs(chain.Tokens(w.FeeToken, fee), drawn)
	if err != nil {
		return nil, err
	}
	if !p.alone {
		return c.choose(need, p.outpoints(), w.MaxChain)
	}
	for _, missing := range valueOf(need) {
		_, take, err := p.sums(chain.Outpoint{}, nil, chain.Tokens(w.FeeToken, fee), drawn)
		if err != nil {
			return nil, err
		}
		all := take[missing.Token]
		return nil, &FundsError{Token: missing.Token, Need: all, Have: all - missing.Amount}
	}
	return nil, nil
}

// giveBack sets the fee, and pays what is left as change. Change that is not worth its own
// spending becomes fee.
func (w *Wallet) giveBack(c *coins, p *plan, part *Partial, coins []chain.UTXO, fee, drawn uint64) error {
	t := part.Tx
	give, take, err := p.sums(t.Inputs[0], coins, chain.Tokens(w.FeeToken, fee), drawn)
	if err != nil {
		return err
	}
	for token, n := range take {
		if give[token] < n {
			return fmt.Errorf("BUG: %d units of %v for %d", give[token], token, n)
		}
		give[token] -= n
	}
	left := valueOf(give)
	if len(left) == 1 && left[0].Token == w.FeeToken && w.FeeToken == (chain.TokenID{}) && left[0].Amount <= c.env.dust() {
		fee, left = fee+left[0].Amount, nil
	}
	lock := p.change
	if lock == nil {
		lock = w.Lock()
	}
	for part := range slices.Chunk(left, chain.MaxTokens) {
		t.Outputs = append(t.Outputs, chain.Output{Lock: lock, Value: part})
	}
	fees := map[chain.TokenID]uint64{w.FeeToken: fee}
	if err := add(fees, t.Fee); err != nil {
		return err
	}
	t.Fee = valueOf(fees)
	return nil
}
