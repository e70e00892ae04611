package p2p

import (
	"context"
	"crypto/ed25519"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/connmgr"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	quic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/multiformats/go-multiaddr"
)

// options of the libp2p host. Nothing is taken from libp2p's defaults that talks to the outside
// or to a global registry.
func (h *Host) options(resources network.ResourceManager) ([]libp2p.Option, error) {
	key, err := crypto.UnmarshalEd25519PrivateKey(ed25519.NewKeyFromSeed(h.cfg.Seed))
	if err != nil {
		return nil, err
	}
	manager, err := connmgr.NewConnManager(h.cfg.LowWater, h.cfg.HighWater, connmgr.WithGracePeriod(2*GreetWithin))
	if err != nil {
		return nil, err
	}
	announce, err := addresses(h.cfg.Announce)
	if err != nil {
		return nil, err
	}
	all := []libp2p.Option{
		libp2p.Identity(key),
		libp2p.UserAgent(h.cfg.Agent),
		libp2p.ProtocolVersion("wes/" + h.cfg.Network),
		libp2p.Transport(quic.NewTransport),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.ResourceManager(resources),
		libp2p.ConnectionManager(manager),
		libp2p.ConnectionGater(h.gate),
		libp2p.BandwidthReporter(&h.metrics.traffic),
		libp2p.DisableMetrics(),
		libp2p.Ping(false),
	}
	if len(announce) > 0 {
		all = append(all, libp2p.AddrsFactory(func([]multiaddr.Multiaddr) []multiaddr.Multiaddr { return announce }))
	}
	return append(all, h.natOptions()...), nil
}

func (h *Host) natOptions() []libp2p.Option {
	if !h.cfg.NAT {
		return []libp2p.Option{
			libp2p.DisableRelay(), libp2p.ForceReachabilityPublic(), libp2p.DisableIdentifyAddressDiscovery(),
		}
	}
	return []libp2p.Option{
		libp2p.NATPortMap(),
		libp2p.EnableNATService(),
		libp2p.EnableAutoNATv2(),
		libp2p.EnableRelay(),
		libp2p.EnableRelayService(relay.WithACL(relayed{h.sessions})),
		libp2p.EnableAutoRelayWithPeerSource(h.relays),
		libp2p.EnableHolePunching(),
	}
}

// relays offers members as relays.
func (h *Host) relays(_ context.Context, n int) <-chan peer.AddrInfo {
	members := h.Members()
	found := make(chan peer.AddrInfo, min(n, len(members)))
	for _, m := range members[:cap(found)] {
		found <- h.host.Peerstore().PeerInfo(m.Peer.id())
	}
	close(found)
	return found
}

// relayed lets members, and only them, be relayed to and from.
type relayed struct{ sessions *sessions }

var _ relay.ACLFilter = relayed{}

func (r relayed) AllowReserve(p peer.ID, _ multiaddr.Multiaddr) bool { return r.sessions.isOpen(p) }

func (r relayed) AllowConnect(_ peer.ID, _ multiaddr.Multiaddr, to peer.ID) bool {
	return r.sessions.isOpen(to)
}
