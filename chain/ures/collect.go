package ures

import (
	"context"
	"fmt"

	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
)

// List returns what is kept, by age.
func (s *Store) List() []Pin { return s.pins.list() }

// Pin keeps a resource that is here.
func (s *Store) Pin(ctx context.Context, text, name string) error {
	_, err := s.fetch(ctx, text, s.cfg.Quota, nil, Pin{Name: name})
	return err
}

// Unpin keeps a resource no more; its bytes go at the next collection. It returns ErrNotFound if
// it was not kept.
func (s *Store) Unpin(text string) error {
	c, err := parse(text)
	if err != nil {
		return err
	}
	was, err := s.pins.remove(c.String())
	if err == nil && !was {
		err = fmt.Errorf("%w: %s is not pinned", ErrNotFound, text)
	}
	return err
}

// Remove unpins a resource and deletes those of its bytes that no other pin has.
func (s *Store) Remove(ctx context.Context, text string) (freed uint64, err error) {
	if err := s.Unpin(text); err != nil {
		return 0, err
	}
	return s.Collect(ctx)
}

// Collect deletes the blocks that neither a pin nor a transfer has, and returns their bytes.
func (s *Store) Collect(ctx context.Context) (freed uint64, err error) {
	err = s.comes.collect(func() error {
		freed, err = s.sweep(ctx)
		return err
	})
	if err != nil {
		err = fmt.Errorf("collect resources: %w", err)
	}
	return freed, err
}

func (s *Store) sweep(ctx context.Context) (freed uint64, err error) {
	keep, err := s.reachable(ctx)
	if err != nil {
		return 0, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop() // of the list, if it is not read to its end
	all, err := s.blocks.AllKeysChan(ctx)
	if err != nil {
		return 0, err
	}
	for c := range all {
		hash := string(c.Hash())
		if keep[hash] {
			continue
		}
		err := s.comes.unless(hash, func() error {
			n, err := s.blocks.GetSize(ctx, c)
			if err == nil {
				err = s.blocks.DeleteBlock(ctx, c)
			}
			if err == nil {
				freed += uint64(n)
			}
			return err
		})
		if err != nil {
			return freed, err
		}
	}
	return freed, ctx.Err()
}

// reachable returns the hashes of all blocks under pins. What a pin lacks is not here to be kept.
func (s *Store) reachable(ctx context.Context) (map[string]bool, error) {
	keep := map[string]bool{}
	for _, p := range s.pins.list() {
		c, err := cid.Decode(p.CID)
		if err != nil {
			return nil, fmt.Errorf("pin %q: %w", p.CID, err)
		}
		visit := func(c cid.Cid) bool {
			h := string(multihash.Multihash(c.Hash()))
			fresh := !keep[h]
			keep[h] = true
			return fresh
		}
		if err := merkledag.Walk(ctx, merkledag.GetLinksWithDAG(s.local), c, visit, merkledag.IgnoreMissing()); err != nil {
			return nil, fmt.Errorf("pin %s: %w", p.CID, err)
		}
	}
	return keep, nil
}
