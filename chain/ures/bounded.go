package ures

import (
	"context"

	"github.com/ipfs/boxo/blockstore"
	blocks "github.com/ipfs/go-block-format"
)

// bounded is a blockstore that takes no more than the quota.
type bounded struct {
	blockstore.Blockstore
	store *Store
}

// Put implements blockstore.Blockstore.
func (b *bounded) Put(ctx context.Context, x blocks.Block) error {
	if err := b.store.room(ctx, uint64(len(x.RawData()))); err != nil {
		return err
	}
	return b.Blockstore.Put(ctx, x)
}

// PutMany implements blockstore.Blockstore.
func (b *bounded) PutMany(ctx context.Context, all []blocks.Block) error {
	var n uint64
	for _, x := range all {
		n += uint64(len(x.RawData()))
	}
	if err := b.store.room(ctx, n); err != nil {
		return err
	}
	return b.Blockstore.PutMany(ctx, all)
}
