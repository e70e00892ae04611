package wallet

import (
	"context"
	"fmt"

	"github.com/weisyn/wes/chain"
)

// Move builds a transaction that pays from an asset as the delegate of its lock. All that is paid is of
// the delegation's token; what is not moved stays, and the wallet's own coins pay the fee.
func (w *Wallet) Move(ctx context.Context, from chain.UTXO, all ...Payment) (*Built, error) {
	outputs, err := outputsOf(all)
	if err != nil {
		return nil, err
	}
	sum, err := total(valuesOf(outputs))
	if err != nil {
		return nil, err
	}
	v := valueOf(sum)
	if len(v) != 1 {
		return nil, fmt.Errorf("move: %w: several tokens", ErrAmount)
	}
	env, err := w.ledger.Env(ctx)
	if err != nil {
		return nil, fmt.Errorf("wallet: %w", err)
	}
	opener := w.opener(env.Env)
	opener.moves = &v[0].Amount
	o := opener.root(from.Entry.Output.Lock)
	rest, enough := from.Entry.Output.Value.Less(v[0].Token, v[0].Amount)
	if o.moved == nil || o.moved.Token != v[0].Token || !enough {
		return nil, fmt.Errorf("move: %w: no delegation over that amount", ErrLock)
	}
	if o.moved.Operations&chain.OpAsset == 0 {
		return nil, fmt.Errorf("move: %w: the delegation is not for payments", ErrLock)
	}
	return w.build(ctx, &plan{
		inputs: []spend{{utxo: from, moves: opener.moves, segment: demands(chain.Output{Lock: o.next, Value: rest})}},
		pay:    pays(outputs...), until: o.moved.Expiry,
	})
}
