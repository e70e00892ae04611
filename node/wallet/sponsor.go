package wallet

import (
	"context"
	"fmt"

	"github.com/weisyn/wes/chain"
)

// SponsorShards is how many outputs a sponsor pool is split into, so that as many transactions of
// a block can use it.
const SponsorShards = 16

// CreateSponsor builds a transaction that funds a sponsor pool with an amount in all. The caps of
// a period are split among the shards, which are outputs 0 to 15.
func (w *Wallet) CreateSponsor(ctx context.Context, pool chain.SponsorPool, amount uint64) (*Built, error) {
	if amount < SponsorShards {
		return nil, fmt.Errorf("sponsor: %d base units for %d shards: %w", amount, SponsorShards, ErrAmount)
	}
	if pool.PeriodCap > 0 && pool.PeriodCap < SponsorShards {
		return nil, fmt.Errorf("sponsor: a cap of %d base units a period for %d shards: %w", pool.PeriodCap, SponsorShards, ErrAmount)
	}
	if pool.Owner == nil {
		pool.Owner = w.Lock()
	}
	var all []chain.Output
	for i := range uint64(SponsorShards) {
		shard := pool
		shard.PeriodCap = share(pool.PeriodCap, SponsorShards, i)
		shard.PeriodLeft = shard.PeriodCap
		all = append(all, chain.Output{Lock: chain.Open(), Value: chain.Native(share(amount, SponsorShards, i)), Body: shard.State()})
	}
	return w.build(ctx, &plan{pay: pays(all...)})
}

// share is the i-th of n parts of an amount; the first ones take what does not divide.
func share(amount, n, i uint64) uint64 {
	part := amount / n
	if i < amount%n {
		part++
	}
	return part
}

// owned are the inputs that spend shards as their owner.
func owned(shards []chain.UTXO) ([]spend, error) {
	if len(shards) == 0 {
		return nil, fmt.Errorf("sponsor: %w: no shards", ErrState)
	}
	var all []spend
	for _, u := range shards {
		pool, err := stateOf[*chain.SponsorPool](&u)
		if err != nil {
			return nil, err
		}
		all = append(all, spend{utxo: u, exit: chain.SponsorOwner, steps: takes(unlock(pool.Owner))})
	}
	return all, nil
}

// TopUpSponsor builds a transaction that adds an amount to shards of a pool that the wallet owns.
func (w *Wallet) TopUpSponsor(ctx context.Context, shards []chain.UTXO, amount uint64) (*Built, error) {
	inputs, err := owned(shards)
	if err != nil {
		return nil, err
	}
	n := uint64(len(shards))
	if amount < n {
		return nil, fmt.Errorf("sponsor: %d base units for %d shards: %w", amount, n, ErrAmount)
	}
	var all []chain.Output
	for i, u := range shards {
		out := u.Entry.Output
		sum, err := total([]chain.Value{out.Value, chain.Native(share(amount, n, uint64(i)))})
		if err != nil {
			return nil, err
		}
		out.Value = valueOf(sum)
		all = append(all, out)
	}
	return w.build(ctx, &plan{inputs: inputs, pay: pays(all...)})
}

// CloseSponsor builds a transaction that takes back what shards of a pool still hold; the wallet
// owns them.
func (w *Wallet) CloseSponsor(ctx context.Context, shards []chain.UTXO) (*Built, error) {
	inputs, err := owned(shards)
	if err != nil {
		return nil, err
	}
	return w.build(ctx, &plan{inputs: inputs})
}
