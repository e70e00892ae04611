package wallet

import (
	"context"
	"fmt"

	"github.com/weisyn/wes/chain"
)

// Issue builds a transaction that creates a token: an amount for the wallet now, and up to max in
// all. It returns the token's id too. The policy is output 0.
func (w *Wallet) Issue(ctx context.Context, amount, max uint64) (*Built, chain.TokenID, error) {
	if amount == 0 || max < amount {
		return nil, chain.TokenID{}, fmt.Errorf("issue %d of at most %d: %w", amount, max, ErrAmount)
	}
	pay := func(first chain.Outpoint) payout {
		t := chain.TokenPolicy{ID: chain.NewTokenID(first, 0), Lock: w.Lock(), Max: max, Minted: amount}
		minted := chain.Tokens(t.ID, amount)
		return payout{
			outputs: []chain.Output{{Lock: chain.Open(), Body: t.State()}, {Lock: w.Lock(), Value: minted}},
			minted:  minted,
		}
	}
	b, err := w.build(ctx, &plan{pay: pay})
	if err != nil {
		return nil, chain.TokenID{}, err
	}
	return b, chain.NewTokenID(b.Tx.Inputs[0], 0), nil
}

// Mint builds a transaction that creates more of a token, by the state of its policy.
func (w *Wallet) Mint(ctx context.Context, policy chain.UTXO, amount uint64) (*Built, error) {
	t, err := stateOf[*chain.TokenPolicy](&policy)
	if err != nil {
		return nil, err
	}
	if amount == 0 || amount > t.Max-t.Minted {
		return nil, fmt.Errorf("mint %d: %d of at most %d exist already: %w", amount, t.Minted, t.Max, ErrAmount)
	}
	next := *t
	next.Minted += amount
	minted := chain.Tokens(t.ID, amount)
	return w.build(ctx, &plan{
		inputs: []spend{{
			utxo: policy, exit: chain.PolicyMint, steps: takes(unlock(t.Lock), number(amount)),
			segment: demands(chain.Output{Lock: chain.Open(), Value: policy.Entry.Output.Value, Body: next.State()}),
		}},
		pay: func(chain.Outpoint) payout {
			return payout{outputs: []chain.Output{{Lock: w.Lock(), Value: minted}}, minted: minted}
		},
	})
}

// ClosePolicy builds a transaction after which no more of a token is created.
func (w *Wallet) ClosePolicy(ctx context.Context, policy chain.UTXO) (*Built, error) {
	t, err := stateOf[*chain.TokenPolicy](&policy)
	if err != nil {
		return nil, err
	}
	return w.build(ctx, &plan{inputs: []spend{{utxo: policy, exit: chain.PolicyClose, steps: takes(unlock(t.Lock))}}})
}

// stateOf reads a state of the type that is asked for.
func stateOf[T any](u *chain.UTXO) (t T, err error) {
	s, ok := u.Entry.Output.Body.(*chain.State)
	if !ok {
		return t, fmt.Errorf("%w: output %v:%d has none", ErrState, u.Outpoint.Tx, u.Outpoint.Index)
	}
	read, err := chain.DecodeState(s)
	if err != nil {
		return t, fmt.Errorf("%w: output %v:%d: %w", ErrState, u.Outpoint.Tx, u.Outpoint.Index, err)
	}
	t, ok = read.(T)
	if !ok {
		return t, fmt.Errorf("%w: output %v:%d has a %T", ErrState, u.Outpoint.Tx, u.Outpoint.Index, read)
	}
	return t, nil
}
