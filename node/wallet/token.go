package wallet

import (
	"context"
	"fmt"

	"github.com/weisyn/wes/chain"
)

// Issue builds a transaction that creates a token: an amount for the wallet now, and up to max in
// all. It returns the token's id too.
func (w *Wallet) Issue(ctx context.Context, amount, max uint64) (*Built, chain.TokenID, error) {
	if amount == 0 || max < amount {
		return nil, chain.TokenID{}, fmt.Errorf("issue %d of at most %d: %w", amount, max, ErrAmount)
	}
	policy := func(first chain.Outpoint) chain.TokenPolicy {
		return chain.TokenPolicy{ID: chain.NewTokenID(first, 0), Lock: w.Lock(), Max: max, Minted: amount}
	}
	// What is minted is named by the first input, which is not known when coins are chosen: the
	// amount is paid out beside the balance of coins.
	b, err := w.buildIssue(ctx, policy, amount)
	if err != nil {
		return nil, chain.TokenID{}, err
	}
	return b, chain.NewTokenID(b.Tx.Inputs[0], 0), nil
}

func (w *Wallet) buildIssue(ctx context.Context, policy func(chain.Outpoint) chain.TokenPolicy, amount uint64) (*Built, error) {
	p := &plan{}
	p.outputs = func(first chain.Outpoint) []chain.Output {
		t := policy(first)
		p.minted = chain.Tokens(t.ID, amount)
		return []chain.Output{
			{Lock: chain.Open(), Body: t.State()},
			{Lock: w.Lock(), Value: chain.Tokens(t.ID, amount)},
		}
	}
	return w.build(ctx, p)
}

// Mint builds a transaction that creates more of a token, by the state of its policy, whose lock
// is the wallet's.
func (w *Wallet) Mint(ctx context.Context, policy chain.UTXO, amount uint64) (*Built, error) {
	t, err := policyOf(&policy)
	if err != nil {
		return nil, err
	}
	if amount == 0 || amount > t.Max-t.Minted {
		return nil, fmt.Errorf("mint %d: %d of at most %d exist already", amount, t.Minted, t.Max)
	}
	next := *t
	next.Minted += amount
	return w.build(ctx, &plan{
		inputs: []spend{{policy, chain.InputWitness{Exit: chain.PolicyMint, Choices: []uint64{amount}}, true}},
		minted: chain.Tokens(t.ID, amount),
		outputs: fixed(
			chain.Output{Lock: policy.Entry.Output.Lock, Value: policy.Entry.Output.Value, Body: next.State()},
			chain.Output{Lock: w.Lock(), Value: chain.Tokens(t.ID, amount)},
		),
	})
}

func policyOf(u *chain.UTXO) (*chain.TokenPolicy, error) {
	s, ok := u.Entry.Output.Body.(*chain.State)
	if !ok {
		return nil, fmt.Errorf("output %v:%d is no token policy", u.Outpoint.Tx, u.Outpoint.Index)
	}
	d, err := chain.DecodeState(s)
	if err != nil {
		return nil, fmt.Errorf("token policy: %w", err)
	}
	t, ok := d.(*chain.TokenPolicy)
	if !ok {
		return nil, fmt.Errorf("output %v:%d is no token policy", u.Outpoint.Tx, u.Outpoint.Index)
	}
	return t, nil
}
