package ures

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ipfs/boxo/blockservice"
	"github.com/ipfs/boxo/exchange/offline"
	"github.com/ipfs/boxo/ipld/merkledag"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"
)

// The bounds of a graph of a stranger.
const (
	maxBlock = 2 << 20 // bytes
	maxDepth = 64
	maxNodes = 1 << 24
	// batch is how many blocks are asked for at a time.
	batch = 128
)

// Fetch gets a resource of at most max bytes of blocks, from here and from peers, and pins it under
// a name. What has come is kept when it is interrupted, and not asked for again, until the next
// collection.
func (s *Store) Fetch(ctx context.Context, text, name string, max uint64, progress Progress) (Added, error) {
	return s.fetch(ctx, text, max, progress, Pin{Name: name})
}

func (s *Store) fetch(ctx context.Context, text string, max uint64, progress Progress, pin Pin) (Added, error) {
	c, err := parse(text)
	if err != nil {
		return Added{}, err
	}
	t := s.comes.begin()
	defer t.end()
	size, err := s.walk(ctx, s.service(), c, max, wanting{progress, func(c cid.Cid) { t.hold(c); s.wants.add(c) }})
	if err != nil {
		return Added{}, fmt.Errorf("fetch %v: %w", c, err)
	}
	pin.CID, pin.Size, pin.Since = c.String(), size, time.Now().UTC()
	if err := s.pins.set(pin); err != nil {
		return Added{}, fmt.Errorf("fetch %v: %w", c, err)
	}
	s.announce(c)
	return Added{c.String(), size}, nil
}

// level is a block that is wanted and how deep it lies.
type level struct {
	cid   cid.Cid
	depth int
}

// wanting hears what a walk asks for, before it does, and of bytes that come.
type wanting struct {
	progress Progress
	ask      func(cid.Cid)
}

// walk gets all blocks of a graph, and returns their bytes.
func (s *Store) walk(ctx context.Context, from blockservice.BlockService, root cid.Cid, max uint64, by wanting) (uint64, error) {
	session := blockservice.NewSession(ctx, from)
	seen := map[cid.Cid]bool{root: true}
	todo := []level{{root, 0}}
	var size uint64
	for len(todo) > 0 {
		n := min(len(todo), batch)
		part := todo[len(todo)-n:] // the deepest first, which keeps the list short
		todo = todo[:len(todo)-n]
		depth := map[cid.Cid]int{}
		var ask []cid.Cid
		for _, l := range part {
			depth[l.cid] = l.depth
			ask = append(ask, l.cid)
			by.ask(l.cid)
		}
		got := 0
		for b := range session.GetBlocks(ctx, ask) {
			got++
			size += uint64(len(b.RawData()))
			by.progress.add(len(b.RawData()))
			if size > max {
				return 0, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, max)
			}
			links, err := linksOf(b)
			if err != nil {
				return 0, err
			}
			for _, l := range links {
				if seen[l] {
					continue
				}
				if depth[b.Cid()] >= maxDepth || len(seen) >= maxNodes {
					return 0, fmt.Errorf("%w: deeper than %d, or more than %d blocks", ErrContent, maxDepth, maxNodes)
				}
				seen[l] = true
				todo = append(todo, level{l, depth[b.Cid()] + 1})
			}
		}
		if got < len(ask) {
			return 0, s.incomplete(ctx, len(ask)-got)
		}
	}
	return size, nil
}

func (s *Store) incomplete(ctx context.Context, n int) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %d blocks have not come in time", ErrNotFound, n)
	}
	if s.swap == nil {
		return fmt.Errorf("%w: %d blocks are not here, and there is no network", ErrNotFound, n)
	}
	return fmt.Errorf("%w: %d blocks have not come", ErrNotFound, n)
}

// service reads blocks here and, with a host, from peers.
func (s *Store) service() blockservice.BlockService {
	if s.swap == nil {
		return s.here()
	}
	return blockservice.New(s.blocks, s.swap)
}

// here reads blocks of this store alone.
func (s *Store) here() blockservice.BlockService {
	return blockservice.New(s.blocks, offline.Exchange(s.blocks))
}

// linksOf lists the children of a block, and refuses blocks that no resource has.
func linksOf(b blocks.Block) ([]cid.Cid, error) {
	if len(b.RawData()) > maxBlock {
		return nil, fmt.Errorf("%w: a block of %d bytes", ErrContent, len(b.RawData()))
	}
	if err := check(b.Cid()); err != nil {
		return nil, err
	}
	if b.Cid().Prefix().Codec == cid.Raw {
		return nil, nil
	}
	n, err := merkledag.DecodeProtobufBlock(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrContent, err)
	}
	var all []cid.Cid
	for _, l := range n.Links() {
		if err := check(l.Cid); err != nil {
			return nil, err
		}
		all = append(all, l.Cid)
	}
	return all, nil
}

// Has reports whether all of a resource is here.
func (s *Store) Has(ctx context.Context, text string) (bool, error) {
	c, err := parse(text)
	if err != nil {
		return false, err
	}
	_, err = s.walk(ctx, s.here(), c, 1<<62, wanting{ask: func(cid.Cid) {}})
	if errors.Is(err, ErrNotFound) || format.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}
