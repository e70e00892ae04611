package wallet

import (
	"context"
	"fmt"
	"math"

	"github.com/weisyn/wes/chain"
)

// CreateBond builds a transaction that posts the wallet's bond as an operator, as output 0. Key
// signs its results.
func (w *Wallet) CreateBond(ctx context.Context, key chain.PublicKey, v chain.Value) (*Built, error) {
	if len(v) == 0 {
		return nil, ErrAmount
	}
	b := chain.OperatorBond{Operator: w.Lock(), Key: key}
	return w.build(ctx, &plan{pay: pays(chain.Output{Lock: chain.Open(), Value: v, Body: b.State()})})
}

// Unbond builds a transaction after which a bond is released when the network's delay has passed,
// counted from the end of the transaction's window.
func (w *Wallet) Unbond(ctx context.Context, bond chain.UTXO) (*Built, error) {
	b, err := stateOf[*chain.OperatorBond](&bond)
	if err != nil {
		return nil, err
	}
	if b.Release != 0 {
		return nil, fmt.Errorf("unbond: %w: released at %d", ErrState, b.Release)
	}
	env, err := w.ledger.Env(ctx)
	if err != nil {
		return nil, fmt.Errorf("wallet: %w", err)
	}
	until := max(env.Now, w.Clock()) + w.Lifetime
	next := *b
	next.Release = until + min(w.Params.UnbondDelay, math.MaxUint64-until)
	return w.build(ctx, &plan{
		inputs: []spend{{
			utxo: bond, exit: chain.BondUnbond, steps: takes(unlock(b.Operator), number(next.Release)),
			segment: demands(chain.Output{Lock: chain.Open(), Value: bond.Entry.Output.Value, Body: next.State()}),
		}},
		until: until,
	})
}

// Withdraw builds a transaction that takes a released bond back.
func (w *Wallet) Withdraw(ctx context.Context, bond chain.UTXO) (*Built, error) {
	b, err := stateOf[*chain.OperatorBond](&bond)
	if err != nil {
		return nil, err
	}
	if b.Release == 0 {
		return nil, fmt.Errorf("withdraw: %w: unbond first", ErrState)
	}
	return w.build(ctx, &plan{
		inputs: []spend{{utxo: bond, exit: chain.BondWithdraw, steps: takes(unlock(b.Operator))}}, from: b.Release,
	})
}

// Drop builds a transaction that removes receipts and other states and resources under the
// wallet's own lock, and takes what they hold.
func (w *Wallet) Drop(ctx context.Context, all ...chain.UTXO) (*Built, error) {
	p := &plan{}
	for _, u := range all {
		if u.Entry.Output.Body == nil || chain.LockHash(u.Entry.Output.Lock) != chain.LockHash(w.Lock()) {
			return nil, fmt.Errorf("drop: %w", ErrState)
		}
		p.inputs = append(p.inputs, spend{utxo: u})
	}
	if len(all) == 0 {
		return nil, ErrNothing
	}
	return w.build(ctx, p)
}
