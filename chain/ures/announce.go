package ures

import (
	"context"
	"time"

	"github.com/ipfs/go-cid"
)

// provideTime bounds one announcement.
const provideTime = time.Minute

// Announce tells the network again what this node keeps; it forgets within two days (kad-dht,
// amino.DefaultProvideValidity). It returns when all is told, or ctx ends.
func (s *Store) Announce(ctx context.Context) {
	for _, p := range s.pins.list() {
		if c, err := parse(p.CID); err == nil && ctx.Err() == nil {
			s.provide(ctx, c)
		}
	}
}

// provide announces that this node has a resource; where that is not known, connected peers ask.
func (s *Store) provide(ctx context.Context, c cid.Cid) {
	if s.cfg.Routing == nil {
		return
	}
	ctx, stop := context.WithTimeout(ctx, provideTime)
	defer stop()
	if err := s.cfg.Routing.Provide(ctx, c, true); err != nil {
		s.cfg.Log.Debug("resource not announced", "cid", c.String(), "error", err)
	}
}
