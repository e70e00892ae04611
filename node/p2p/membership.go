package p2p

import (
	"context"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
	"github.com/multiformats/go-multiaddr"
)

// Members hears who joins and who leaves. Calls come one at a time, in order.
type Members interface {
	Joined(ctx context.Context, peer string) error
	Left(ctx context.Context, peer string) error
}

// eventRoom is how many events of libp2p may wait.
const eventRoom = 1024

// Serve tells who joins and leaves until ctx ends, or until the listener returns an error. A peer
// joins once it is known to speak one of the protocols that have handlers.
func (h *Host) Serve(ctx context.Context, m Members) error {
	sub, err := h.host.EventBus().Subscribe([]any{
		new(event.EvtPeerIdentificationCompleted), new(event.EvtPeerProtocolsUpdated), new(event.EvtPeerConnectednessChanged),
	}, eventbus.BufSize(eventRoom))
	if err != nil {
		return fmt.Errorf("subscribe to events of libp2p: %w", err)
	}
	defer func() { _ = sub.Close() }() // nothing is left to read
	for _, id := range h.host.Network().Peers() {
		if err := h.look(ctx, m, id); err != nil {
			return err
		}
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, open := <-sub.Out():
			if !open {
				return nil
			}
			if err := h.look(ctx, m, subject(e)); err != nil {
				return err
			}
		}
	}
}

func subject(e any) peer.ID {
	switch e := e.(type) {
	case event.EvtPeerIdentificationCompleted:
		return e.Peer
	case event.EvtPeerProtocolsUpdated:
		return e.Peer
	case event.EvtPeerConnectednessChanged:
		return e.Peer
	}
	return ""
}

// look compares what is known of a peer with what it is said to be.
func (h *Host) look(ctx context.Context, m Members, id peer.ID) error {
	if id == "" {
		return nil
	}
	member := h.host.Network().Connectedness(id) == network.Connected && h.speaks(id)
	h.mu.Lock()
	was := h.mu.joined[id]
	if member {
		h.mu.joined[id] = true
	} else {
		delete(h.mu.joined, id)
	}
	h.mu.Unlock()
	switch {
	case member && !was:
		h.cfg.Log.Debug("peer joined", "peer", id.String())
		h.host.ConnManager().TagPeer(id, "wes", 10)
		return m.Joined(ctx, id.String())
	case was && !member:
		h.cfg.Log.Debug("peer left", "peer", id.String())
		return m.Left(ctx, id.String())
	}
	return nil
}

// speaks reports whether a peer speaks a protocol of this network.
func (h *Host) speaks(id peer.ID) bool {
	all, err := h.host.Peerstore().SupportsProtocols(id, protocol.ID(h.cfg.protocol("member")))
	return err == nil && len(all) > 0
}

// Drop disconnects a peer.
func (h *Host) Drop(name, reason string) {
	id, err := peer.Decode(name)
	if err != nil {
		return
	}
	h.cfg.Log.Info("peer dropped", "peer", name, "reason", reason)
	h.meters.dropped.Inc()
	_ = h.host.Network().ClosePeer(id) // it is gone either way
}

// Ban disconnects a peer and keeps it away for a while.
func (h *Host) Ban(name, reason string, d time.Duration) error {
	id, err := peer.Decode(name)
	if err != nil {
		return fmt.Errorf("ban %q: %w", name, err)
	}
	conns := h.host.Network().ConnsToPeer(id)
	var from []multiaddr.Multiaddr
	for _, c := range conns {
		from = append(from, c.RemoteMultiaddr())
	}
	h.meters.banned.Inc()
	err = h.bans.add(id, time.Now().Add(d), from)
	h.Drop(name, reason)
	return err
}
