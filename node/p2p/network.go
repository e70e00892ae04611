package p2p

import (
	"context"
	"net/netip"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

// connected begins a session with a peer's first direct connection. A connection through a relay
// serves to punch a hole, and for nothing else.
func (h *Host) connected(_ network.Network, c network.Conn) {
	if c.Stat().Limited {
		return
	}
	s, begun := h.sessions.add(c)
	if begun {
		h.life.spawn(func(ctx context.Context) { h.live(ctx, s) })
	}
	if c.Stat().Direction == network.DirOutbound {
		h.life.spawn(func(ctx context.Context) { h.greet(ctx, s, c) })
	}
}

func (h *Host) disconnected(_ network.Network, c network.Conn) { h.sessions.remove(c) }

// disconnect closes all connections of a peer.
func (h *Host) disconnect(id peer.ID) { _ = h.host.Network().ClosePeer(id) }

// groupOf returns the address of one of a peer's connections.
func (h *Host) groupOf(id peer.ID) netip.Prefix {
	for _, c := range h.host.Network().ConnsToPeer(id) {
		if g := group(c.RemoteMultiaddr()); g.IsValid() {
			return g
		}
	}
	return netip.Prefix{}
}

// connections counts those of one direction.
func (h *Host) connections(d network.Direction) float64 {
	return float64(len(h.sessions.conns(func(c network.Conn) bool { return c.Stat().Direction == d })))
}

// reserved reads how much memory a resource manager counts.
func reserved(m network.ResourceManager) func() float64 {
	return func() float64 {
		var n int64
		_ = m.ViewSystem(func(s network.ResourceScope) error {
			n = s.Stat().Memory
			return nil
		})
		return float64(n)
	}
}
