package wallet

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/weisyn/wes/chain"
)

// coins are the outputs of the wallet, by what can be done with them.
type coins struct {
	env      Env
	now      uint64       // later of the ledger's time and the local one
	free     []chain.UTXO // assets that are confirmed and not reserved
	change   []chain.UTXO // of transactions under way, spendable within the limits of mempools
	held     []chain.UTXO // reserved
	immature []chain.UTXO
	bodies   []chain.UTXO // resources and states
	under    *underWay
}

func (w *Wallet) coins(ctx context.Context) (*coins, error) {
	c, err := coinsOf(ctx, chain.LockHash(w.Lock()), w.ledger, w.reserved)
	if err == nil {
		c.now = max(c.env.Now, w.Clock())
	}
	return c, err
}

// readTries is how often the outputs are read while the ledger moves.
const readTries = 32

// coinsOf reads the outputs under a lock, all at one block: a transaction of several parties would
// be dead, and its coins free, where one party's coins are read before the block that has it and the
// other's after.
func coinsOf(ctx context.Context, lock chain.Hash, l Ledger, r Reservations) (*coins, error) {
	env, err := l.Env(ctx)
	for range readTries {
		if err != nil {
			return nil, fmt.Errorf("wallet: %w", err)
		}
		c, err := coinsAt(ctx, &env, lock, l, r)
		if err != nil {
			return nil, err
		}
		before := env.Tip
		if env, err = l.Env(ctx); err == nil && env.Tip == before {
			return c, nil
		}
	}
	return nil, fmt.Errorf("wallet: %w", cmp.Or(err, ErrMoving))
}

func coinsAt(ctx context.Context, env *Env, lock chain.Hash, l Ledger, r Reservations) (*coins, error) {
	pending, err := r.Pending(env.Now)
	if err != nil {
		return nil, fmt.Errorf("wallet: %w", err)
	}
	var all []chain.UTXO
	own := map[chain.Outpoint]bool{}
	err = l.Unspent(ctx, lock, func(u chain.UTXO) bool {
		all, own[u.Outpoint] = append(all, u), true
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("wallet: %w", err)
	}
	c := &coins{env: *env}
	if c.under, err = sortOut(ctx, l, lock, pending, own); err != nil {
		return nil, fmt.Errorf("wallet: %w", err)
	}
	for _, u := range all {
		c.put(u)
	}
	c.change = c.under.change()
	return c, nil
}

func (c *coins) put(u chain.UTXO) {
	switch {
	case u.Entry.Output.Body != nil:
		c.bodies = append(c.bodies, u)
	case c.under.held[u.Outpoint]:
		c.held = append(c.held, u)
	case u.Entry.Coinbase && c.env.Height-u.Entry.Height < c.env.Maturity:
		c.immature = append(c.immature, u)
	default:
		c.free = append(c.free, u)
	}
}

// choice is what is chosen of coins for a transaction.
type choice struct {
	coins []chain.UTXO
	need  map[chain.TokenID]uint64 // what is not covered yet
	in    map[chain.Outpoint]bool
}

// choose takes coins until they cover a need. Change that waits for a block comes last.
func (c *coins) choose(need map[chain.TokenID]uint64, inputs []chain.Outpoint, maxChain int) ([]chain.UTXO, error) {
	want := maps.Clone(need)
	confirmed := &choice{need: maps.Clone(need), in: map[chain.Outpoint]bool{}}
	missing := confirmed.cover(c.free, c.env.dust())
	if missing == nil {
		return confirmed.coins, nil
	}
	with := &choice{need: need, in: map[chain.Outpoint]bool{}}
	with.cover(c.free, c.env.dust())
	var usable []chain.UTXO
	for _, u := range c.change {
		if c.under.fits([]chain.Outpoint{u.Outpoint}, maxChain) {
			usable = append(usable, u)
		}
	}
	if with.cover(usable, c.env.dust()) == nil && c.under.fits(append(names(with.coins), inputs...), maxChain) {
		return with.coins, nil
	}
	return nil, c.short(*missing, want[*missing])
}

func names(all []chain.UTXO) []chain.Outpoint {
	var list []chain.Outpoint
	for _, u := range all {
		list = append(list, u.Outpoint)
	}
	return list
}

// cover takes coins, token by token, the native one last: coins of others may bring some of it.
// It returns a token that they do not cover, if there is one.
func (c *choice) cover(free []chain.UTXO, dust uint64) *chain.TokenID {
	var missing *chain.TokenID
	for _, token := range slices.Backward(slices.SortedFunc(maps.Keys(c.need), compareTokens)) {
		if c.need[token] == 0 {
			continue
		}
		for _, u := range largestFirst(free, token, dust) {
			if c.need[token] == 0 {
				break
			}
			c.take(u)
		}
		if c.need[token] > 0 && missing == nil {
			missing = &token
		}
	}
	return missing
}

func (c *choice) take(u chain.UTXO) {
	if c.in[u.Outpoint] {
		return
	}
	c.in[u.Outpoint] = true
	c.coins = append(c.coins, u)
	for _, coin := range u.Entry.Output.Value {
		if n, asked := c.need[coin.Token]; asked {
			c.need[coin.Token] = n - min(n, coin.Amount)
		}
	}
}

// largestFirst lists coins with a token, the largest amounts of it first and, of equals, those
// with fewer tokens. Ties are broken by name, so that a choice can be repeated.
func largestFirst(all []chain.UTXO, token chain.TokenID, dust uint64) []chain.UTXO {
	all = slices.DeleteFunc(slices.Clone(all), func(u chain.UTXO) bool {
		return u.Entry.Output.Value.Of(token) == 0 || isDust(&u, dust)
	})
	slices.SortFunc(all, func(a, b chain.UTXO) int {
		return cmp.Or(
			cmp.Compare(b.Entry.Output.Value.Of(token), a.Entry.Output.Value.Of(token)),
			cmp.Compare(len(a.Entry.Output.Value), len(b.Entry.Output.Value)),
			compareNames(a.Outpoint, b.Outpoint),
		)
	})
	return all
}

// isDust reports whether a coin holds nothing but too little WES to pay for spending it.
func isDust(u *chain.UTXO, dust uint64) bool {
	v := u.Entry.Output.Value
	return len(v) == 0 || len(v) == 1 && v[0].Token == (chain.TokenID{}) && v[0].Amount <= dust
}

func compareTokens(a, b chain.TokenID) int { return bytes.Compare(a[:], b[:]) }

func compareNames(a, b chain.Outpoint) int {
	return cmp.Or(bytes.Compare(a.Tx[:], b.Tx[:]), cmp.Compare(a.Index, b.Index))
}

// short says what is missing of a token.
func (c *coins) short(t chain.TokenID, need uint64) error {
	dust := c.env.dust()
	sum := func(all []chain.UTXO, counts func(*chain.UTXO) bool) (n uint64) {
		for _, u := range all {
			if counts(&u) {
				n += u.Entry.Output.Value.Of(t) // the supply of a token fits 64 bits
			}
		}
		return n
	}
	every := func(*chain.UTXO) bool { return true }
	return &FundsError{
		Token: t, Need: need,
		Have:        sum(c.free, func(u *chain.UTXO) bool { return !isDust(u, dust) }),
		Dust:        sum(c.free, func(u *chain.UTXO) bool { return isDust(u, dust) }),
		Reserved:    sum(c.held, every),
		Unconfirmed: sum(c.change, every),
		Immature:    sum(c.immature, every),
	}
}
