package wallet

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/weisyn/wes/chain"
)

// Through returns a wallet whose fees a sponsor pool pays, as far as the pool's terms go. It uses
// the first of the shards that pays for a transaction.
func (w *Wallet) Through(shards ...chain.UTXO) *Wallet {
	through := *w
	through.pool = slices.Clone(shards)
	return &through
}

// sponsored makes the plans that try the shards of a pool in turn.
func (w *Wallet) sponsored(ctx context.Context, p *plan) (*Partial, *Env, error) {
	if w.FeeToken != (chain.TokenID{}) || p.alone || p.offer != nil {
		return nil, nil, fmt.Errorf("%w: pools pay in WES, for transactions of one wallet", ErrSponsor)
	}
	env, err := w.ledger.Env(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("wallet: %w", err)
	}
	failed := fmt.Errorf("%w: no shards", ErrSponsor)
	for _, u := range w.pool {
		part, err := w.tryShard(ctx, &env, p, u)
		if err == nil {
			return part, &env, nil
		}
		if !errors.Is(err, ErrTaken) && !errors.Is(err, ErrSponsor) {
			return nil, nil, err
		}
		failed = err
	}
	return nil, nil, failed
}

// tryShard reserves a plan with a shard, if it was not spent in the meantime.
func (w *Wallet) tryShard(ctx context.Context, env *Env, p *plan, u chain.UTXO) (*Partial, error) {
	_, there, err := w.ledger.Output(ctx, u.Outpoint)
	if err != nil {
		return nil, fmt.Errorf("wallet: %w", err)
	}
	q, err := w.through(env.Env, p, u)
	if err != nil {
		return nil, err
	}
	if !there {
		return nil, fmt.Errorf("%w: shard %v:%d is spent", ErrSponsor, u.Outpoint.Tx, u.Outpoint.Index)
	}
	part, _, err := w.reserve(ctx, q)
	return part, err
}

// through adds a shard to a plan.
func (w *Wallet) through(env chain.Env, p *plan, u chain.UTXO) (*plan, error) {
	pool, err := stateOf[*chain.SponsorPool](&u)
	if err != nil {
		return nil, err
	}
	if env.Now > pool.Expiry {
		return nil, fmt.Errorf("%w: it expired at %d", ErrSponsor, pool.Expiry)
	}
	user, err := w.user(env, pool)
	if err != nil {
		return nil, err
	}
	q := *p
	q.inputs = nil
	for _, s := range p.inputs {
		q.inputs = append(q.inputs, s.drawing(0))
	}
	q.reserve, q.sponsor = 0, pool
	q.until = sooner(p.until, pool.Expiry)
	start, left := period(pool, env.Now)
	if pool.PeriodCap > 0 && start+pool.PeriodLen > start {
		q.until = sooner(q.until, start+pool.PeriodLen-1) // another period, another state
	}
	// A pool that could pay too little pays nothing: the amount follows from the weight.
	q.limit = min(left, u.Entry.Output.Value.Of(chain.TokenID{}))
	q.inputs = append(q.inputs, spend{
		utxo: u, exit: chain.SponsorPay, last: true,
		steps: func(paid uint64) []step { return append(slices.Clone(user), number(paid)) },
		segment: func(paid uint64) []chain.Output {
			next := *pool
			if pool.PeriodCap > 0 {
				next.PeriodStart, next.PeriodLeft = start, left-min(left, paid)
			}
			rest, _ := u.Entry.Output.Value.Less(chain.TokenID{}, min(paid, q.limit))
			return []chain.Output{{Lock: chain.Open(), Value: rest, Body: next.State()}}
		},
	})
	return &q, nil
}

// drawing fixes what an input gives for the fee.
func (s *spend) drawing(n uint64) spend {
	fixed := *s
	fixed.steps = func(uint64) []step { return s.taken(n) }
	fixed.segment = func(uint64) []chain.Output { return s.demanded(n) }
	return fixed
}

// sooner is the earlier of an instant, 0 for none, and another.
func sooner(a, b uint64) uint64 {
	if a == 0 {
		return b
	}
	return min(a, b)
}

// user returns the steps of the first user that the wallet is; none in a pool for everybody.
func (w *Wallet) user(env chain.Env, pool *chain.SponsorPool) ([]step, error) {
	if len(pool.Users) == 0 {
		return nil, nil
	}
	for i, l := range pool.Users {
		if o := w.opener(env).root(l); len(o.gaps) == 0 {
			return []step{number(uint64(i)), unlock(l)}, nil
		}
	}
	return nil, fmt.Errorf("%w: the wallet is none of its users", ErrSponsor)
}

// period returns the start of the period that now is in, and what is left of it.
func period(p *chain.SponsorPool, now uint64) (start, left uint64) {
	if p.PeriodCap == 0 {
		return p.PeriodStart, 1<<64 - 1
	}
	if now >= p.PeriodStart && now-p.PeriodStart >= p.PeriodLen {
		return now - (now-p.PeriodStart)%p.PeriodLen, p.PeriodCap
	}
	return p.PeriodStart, p.PeriodLeft
}

// allowed refuses what the pool of a plan, its last input, does not pay for.
func (p *plan) allowed(part *Partial) error {
	if part.drawn > p.limit {
		return fmt.Errorf("%w: %d base units, %d are left in this period or shard", ErrSponsor, part.drawn, p.limit)
	}
	t, segment := part.Tx, int(part.inputs[len(p.inputs)-1].base)
	for i := range t.Outputs {
		if i != segment && operation(&t.Outputs[i])&^p.sponsor.Operations != 0 {
			return fmt.Errorf("%w: output %d is not among its operations", ErrSponsor, i)
		}
	}
	return nil
}

// operation returns what creating an output counts as.
func operation(o *chain.Output) chain.Operations {
	switch b := o.Body.(type) {
	case *chain.Resource:
		return chain.OpResource
	case *chain.State:
		return chain.OpState(b.Type)
	}
	return chain.OpAsset
}
