package p2p

import (
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
)

// gate keeps those out that are banned, and everybody until the host is started. Numbers of
// connections are the resource manager's business.
type gate struct {
	reputation *reputation
	started    atomic.Bool
}

var _ connmgr.ConnectionGater = (*gate)(nil)

func (g *gate) InterceptPeerDial(p peer.ID) bool {
	return g.started.Load() && !g.reputation.banned(time.Now(), p)
}

func (g *gate) InterceptAddrDial(_ peer.ID, a multiaddr.Multiaddr) bool {
	return !g.reputation.groupBanned(time.Now(), group(a))
}

func (g *gate) InterceptAccept(a network.ConnMultiaddrs) bool {
	return g.started.Load() && !g.reputation.groupBanned(time.Now(), group(a.RemoteMultiaddr()))
}

func (g *gate) InterceptSecured(_ network.Direction, p peer.ID, _ network.ConnMultiaddrs) bool {
	return !g.reputation.banned(time.Now(), p)
}

func (g *gate) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }
