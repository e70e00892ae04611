package wallet

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/weisyn/wes/chain"
)

// Balance is what a wallet holds of a token, in base units.
type Balance struct {
	Token       chain.TokenID
	Spendable   uint64 // in blocks, and free
	Reserved    uint64 // spent by transactions that are not in a block yet
	Unconfirmed uint64 // change of those
	Immature    uint64
	InBodies    uint64 // held by resources and states under the wallet's own lock
	// What states hold that name the wallet as a party, if the ledger can find them.
	InEscrows uint64 // and claims: its part if the job is never done
	InBonds   uint64
	InPools   uint64
}

// Balances lists what the wallet holds, the native token first.
func (w *Wallet) Balances(ctx context.Context) ([]Balance, error) {
	return Balances(ctx, chain.LockHash(w.Lock()), w.ledger, w.reserved)
}

// Balances lists what is under a lock hash, the native token first. It needs no key.
func Balances(ctx context.Context, lock chain.Hash, l Ledger, r Reservations) ([]Balance, error) {
	c, err := coinsOf(ctx, lock, l, r)
	if err != nil {
		return nil, err
	}
	s := balances{{}: {}}
	for _, part := range []struct {
		all   []chain.UTXO
		field func(*Balance) *uint64
	}{
		{c.free, func(b *Balance) *uint64 { return &b.Spendable }},
		{c.held, func(b *Balance) *uint64 { return &b.Reserved }},
		{c.change, func(b *Balance) *uint64 { return &b.Unconfirmed }},
		{c.immature, func(b *Balance) *uint64 { return &b.Immature }},
		{c.bodies, func(b *Balance) *uint64 { return &b.InBodies }},
	} {
		for _, u := range part.all {
			s.add(u.Entry.Output.Value, part.field)
		}
	}
	if finder, ok := l.(States); ok {
		if err := finder.StatesOf(ctx, lock, func(u chain.UTXO) bool { s.state(&u.Entry.Output, lock); return true }); err != nil {
			return nil, fmt.Errorf("wallet: %w", err)
		}
	}
	return s.list(), nil
}

type balances map[chain.TokenID]*Balance

// add counts a value. The supply of a token fits 64 bits.
func (s balances) add(v chain.Value, field func(*Balance) *uint64) {
	for _, c := range v {
		if s[c.Token] == nil {
			s[c.Token] = &Balance{Token: c.Token}
		}
		*field(s[c.Token]) += c.Amount
	}
}

func (s balances) list() []Balance {
	var all []Balance
	for _, t := range slices.SortedFunc(maps.Keys(s), compareTokens) {
		all = append(all, *s[t])
	}
	return all
}

// state counts what a state holds that is the party's.
func (s balances) state(o *chain.Output, lock chain.Hash) {
	body, ok := o.Body.(*chain.State)
	if !ok {
		return
	}
	read, err := chain.DecodeState(body)
	if err != nil {
		return // data that the ledger does not read
	}
	switch b := read.(type) {
	case *chain.SponsorPool:
		if chain.LockHash(b.Owner) == lock {
			s.add(o.Value, func(b *Balance) *uint64 { return &b.InPools })
		}
	case *chain.OperatorBond:
		if chain.LockHash(b.Operator) == lock {
			s.add(o.Value, func(b *Balance) *uint64 { return &b.InBonds })
		}
	case *chain.JobEscrow:
		s.escrow(b, lock)
	case *chain.OptClaim:
		s.escrow(&b.Escrow, lock)
	case *chain.InvalidClaim:
		s.escrow(&b.Escrow, lock)
	}
}

func (s balances) escrow(e *chain.JobEscrow, lock chain.Hash) {
	field := func(b *Balance) *uint64 { return &b.InEscrows }
	if chain.LockHash(e.Client) == lock {
		s.add(chain.Tokens(e.Token, e.Price+e.Royalty.Amount+e.FeeReserve), field) // below the escrow's total
	}
	if chain.LockHash(e.Operator) == lock {
		s.add(chain.Tokens(e.Token, e.Bond), field)
	}
}
