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
// a period are split among the shards.
func (w *Wallet) CreateSponsor(ctx context.Context, pool chain.SponsorPool, amount uint64) (*Built, error) {
	if amount < SponsorShards {
		return nil, fmt.Errorf("sponsor: %d base units for %d shards: %w", amount, SponsorShards, ErrAmount)
	}
	if pool.Owner == nil {
		pool.Owner = w.Lock()
	}
	capped := pool.PeriodCap
	var all []chain.Output
	for i := range uint64(SponsorShards) {
		shard := pool
		shard.PeriodCap = share(capped, i)
		shard.PeriodLeft = shard.PeriodCap
		all = append(all, chain.Output{Lock: chain.Open(), Value: chain.Native(share(amount, i)), Body: shard.State()})
	}
	return w.build(ctx, &plan{outputs: fixed(all...)})
}

// share is the part of a shard in an amount; the first ones take what does not divide.
func share(amount, shard uint64) uint64 {
	part := amount / SponsorShards
	if shard < amount%SponsorShards {
		part++
	}
	return part
}

// CloseSponsor builds a transaction that takes back what shards of a pool still hold; the wallet
// owns them.
func (w *Wallet) CloseSponsor(ctx context.Context, shards []chain.UTXO) (*Built, error) {
	p := &plan{outputs: fixed()}
	for _, u := range shards {
		p.inputs = append(p.inputs, spend{u, chain.InputWitness{Exit: chain.SponsorOwner}, true})
	}
	return w.build(ctx, p)
}
