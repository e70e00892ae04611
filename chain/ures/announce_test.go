package ures

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/routing"
)

// crier is a routing that hears announcements; those of one resource hang.
type crier struct {
	routing.Routing
	hang string
	mu   sync.Mutex
	told []string
}

func (c *crier) Provide(ctx context.Context, of cid.Cid, _ bool) error {
	c.mu.Lock()
	c.told = append(c.told, of.String())
	hang := of.String() == c.hang
	c.mu.Unlock()
	if !hang {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

// TestAnnouncementsHoldNothingUp: what is added is there although its announcement lasts, which
// ends with the store; all that is kept is announced again.
func TestAnnouncementsHoldNothingUp(t *testing.T) {
	first := "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4" // of "hello world\n"
	way := &crier{hang: first}
	s := open(t, nil, func(c *Config) { c.Routing = way })
	if a := s.mustAdd(t, []byte("hello world\n")); a.CID != first {
		t.Fatal(a.CID)
	}
	second := s.mustAdd(t, []byte("more"))
	way.mu.Lock()
	way.told, way.hang = nil, ""
	way.mu.Unlock()
	s.Announce(t.Context())
	way.mu.Lock()
	defer way.mu.Unlock()
	if !slices.Contains(way.told, first) || !slices.Contains(way.told, second.CID) {
		t.Errorf("announced: %v", way.told)
	}
}
