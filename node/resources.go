package node

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/weisyn/wes/chain/ures"
	"github.com/weisyn/wes/node/api"
	"github.com/weisyn/wes/node/p2p"
)

// openResources opens what is kept beside the ledger, over the connections to its peers.
func (n *Node) openResources(ctx context.Context, o Options) (err error) {
	host := n.sockets.host
	n.resources, err = ures.Open(ctx, ures.Config{
		Dir: n.home.path(resourceFolder), Quota: gib(n.cfg.ResourcesGiB), Replicas: gib(n.cfg.ReplicasGiB),
		Host: host.Host(), Routing: host.Routing(), Network: networkName(n.network),
		Penalise: func(peer, reason string) { host.Penalise(p2p.Peer(peer), penalty, reason) },
		Log:      o.Log, Registry: o.Registry,
	})
	if err != nil {
		return err
	}
	n.closers.add("resources", n.resources.Close)
	n.parts = append(n.parts, part{"announcements", n.announce})
	return nil
}

const (
	// announceAfter is how long a node that starts looks for peers before it tells what it keeps.
	announceAfter = time.Minute
	// announceEvery is well below the two days after which others forget.
	announceEvery = 12 * time.Hour
)

// announce tells others now and then what this node keeps, until ctx ends.
func (n *Node) announce(ctx context.Context) error {
	next := time.NewTimer(announceAfter)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-next.C:
		}
		n.resources.Announce(ctx)
		next.Reset(announceEvery)
	}
}

func gib(n int) uint64 { return uint64(n) << 30 }

// shelf is the node's resources as its API sees them.
type shelf struct{ *ures.Store }

var _ api.Resources = (*shelf)(nil)

// List implements api.Resources.
func (s *shelf) List(ctx context.Context) (api.ResourceList, error) {
	used, err := s.Used(ctx)
	if err != nil {
		return api.ResourceList{}, err
	}
	l := api.ResourceList{Used: used, Quota: s.Quota(), Resources: []api.Resource{}}
	for _, p := range s.Store.List() {
		l.Resources = append(l.Resources, api.Resource{
			CID: p.CID, Name: p.Name, Size: p.Size, Replica: p.Replica, Since: uint64(p.Since.UnixMilli()),
		})
	}
	return l, nil
}

// Add implements api.Resources.
func (s *shelf) Add(ctx context.Context, r io.Reader, name string) (api.Added, error) {
	a, err := s.AddStream(ctx, r, name, nil)
	return api.Added{CID: a.CID, Size: a.Size}, shelfError(err)
}

// Get implements api.Resources.
func (s *shelf) Get(ctx context.Context, cid string, most uint64, progress func(n int)) (io.ReadCloser, int64, error) {
	if _, err := s.Fetch(ctx, cid, "", most, progress); err != nil {
		return nil, 0, shelfError(err)
	}
	f, size, err := s.Open(ctx, cid)
	return f, size, shelfError(err)
}

// Pin implements api.Resources.
func (s *shelf) Pin(ctx context.Context, cid, name string) error {
	return shelfError(s.Store.Pin(ctx, cid, name))
}

// Unpin implements api.Resources.
func (s *shelf) Unpin(cid string) error { return shelfError(s.Store.Unpin(cid)) }

// Remove implements api.Resources.
func (s *shelf) Remove(ctx context.Context, cid string) (uint64, error) {
	freed, err := s.Store.Remove(ctx, cid)
	return freed, shelfError(err)
}

// Replicate implements api.Resources.
func (s *shelf) Replicate(ctx context.Context, cid string, copies int) ([]string, error) {
	peers, err := s.Store.Replicate(ctx, cid, copies)
	return peers, shelfError(err)
}

// shelfError gives errors of package ures the kinds of package api.
func shelfError(err error) error {
	for _, kind := range []struct{ ours, theirs error }{
		{ures.ErrNotFound, api.ErrNotFound},
		{ures.ErrQuota, api.ErrNoRoom},
		{ures.ErrTooLarge, api.ErrTooLarge},
		{ures.ErrCID, api.ErrResource},
		{ures.ErrContent, api.ErrResource},
	} {
		if errors.Is(err, kind.ours) {
			return &shelved{kind.theirs, err}
		}
	}
	return err
}

// shelved is an error of package ures of a kind of package api.
type shelved struct{ kind, err error }

func (e *shelved) Error() string { return e.err.Error() }

// Unwrap returns both.
func (e *shelved) Unwrap() []error { return []error{e.kind, e.err} }

// collect gives back the space of what nobody keeps any more.
func (n *Node) collect(ctx context.Context) error {
	freed, err := n.resources.Collect(ctx)
	if err != nil {
		return err
	}
	if freed > 0 {
		n.log.Info("resources collected", "bytes", freed)
	}
	return nil
}
