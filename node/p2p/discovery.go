package p2p

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/discovery"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/discovery/mdns"
	drouting "github.com/libp2p/go-libp2p/p2p/discovery/routing"
)

// openDHT starts the network's own DHT.
func (h *Host) openDHT(ctx context.Context) error {
	modes := map[Mode]dht.ModeOpt{DHTClient: dht.ModeClient, DHTServer: dht.ModeServer, DHTAuto: dht.ModeAuto}
	mode, on := modes[h.cfg.DHT]
	if !on {
		return nil
	}
	var err error
	h.dht, err = dht.New(ctx, h.host, dht.Mode(mode), dht.ProtocolPrefix(protocol.ID("/wes/"+h.cfg.Network)), dht.BootstrapPeers(h.static...))
	if err != nil {
		return fmt.Errorf("DHT: %w", err)
	}
	if err := h.dht.Bootstrap(ctx); err != nil {
		return fmt.Errorf("DHT: %w", err)
	}
	return nil
}

// openDiscovery starts to look for peers and to stay connected.
func (h *Host) openDiscovery(ctx context.Context) error {
	h.host.SetStreamHandler(protocol.ID(h.cfg.protocol("member")), func(s network.Stream) { _ = s.Reset() })
	for _, info := range h.static {
		h.host.Peerstore().AddAddrs(info.ID, info.Addrs, peerstore.PermanentAddrTTL)
		h.host.ConnManager().Protect(info.ID, "static")
	}
	if h.cfg.MDNS {
		s := mdns.NewMdnsService(h.host, "_wes-"+h.cfg.Network+"._udp", found{ctx, h})
		if err := s.Start(); err != nil {
			return fmt.Errorf("mDNS: %w", err)
		}
		h.mdns = s
	}
	h.work.Go(func() { h.stayConnected(ctx) })
	if h.dht != nil {
		h.work.Go(func() { h.meet(ctx) })
	}
	h.work.Go(func() {
		every(ctx, pointsHalfLife, nil, h.fade)
	})
	return nil
}

// found hears of peers on the local network.
type found struct {
	ctx  context.Context
	host *Host
}

// HandlePeerFound implements mdns.Notifee.
func (f found) HandlePeerFound(info peer.AddrInfo) {
	f.host.work.Go(func() { f.host.dial(f.ctx, info) })
}

// every calls do now, after every period, and when woken, until ctx ends.
func every(ctx context.Context, period time.Duration, wake <-chan struct{}, do func()) {
	t := time.NewTicker(period)
	defer t.Stop()
	for {
		do()
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		case <-wake:
		}
	}
}

// How often missing peers are looked for, and how long one dial may take.
const (
	dialPeriod = 5 * time.Second
	dialTime   = 20 * time.Second
	meetPeriod = 30 * time.Second
)

// Redial dials static peers now, whatever their backoff says, and asks the DHT for others.
func (h *Host) Redial() {
	select {
	case h.redial <- struct{}{}:
	default: // it was asked for already
	}
}

// stayConnected dials static peers that are gone, each after a time that doubles with every
// failure.
func (h *Host) stayConnected(ctx context.Context) {
	next, wait := make([]time.Time, len(h.static)), make([]time.Duration, len(h.static))
	for {
		for i, info := range h.static {
			if h.connected(info.ID) {
				wait[i] = 0
				continue
			}
			if time.Now().Before(next[i]) {
				continue
			}
			wait[i] = min(max(2*wait[i], dialPeriod), 10*time.Minute)
			next[i] = time.Now().Add(wait[i] + rand.N(wait[i]/4+1))
			h.dial(ctx, info)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(dialPeriod):
		case <-h.redial:
			clear(next)
		}
	}
}

func (h *Host) connected(id peer.ID) bool {
	return h.host.Network().Connectedness(id) == network.Connected
}

// dial connects to a peer that was found; that it cannot be reached is no error of anybody.
func (h *Host) dial(ctx context.Context, info peer.AddrInfo) {
	if info.ID == h.host.ID() || h.connected(info.ID) {
		return
	}
	ctx, stop := context.WithTimeout(ctx, dialTime)
	defer stop()
	if err := h.host.Connect(ctx, info); err != nil {
		h.cfg.Log.Debug("peer not reached", "peer", info.ID.String(), "error", err)
	}
}

// meet announces this host in the DHT under the network's name, and dials others found there
// while there are fewer connections than Low.
func (h *Host) meet(ctx context.Context) {
	finder := drouting.NewRoutingDiscovery(h.dht)
	name := h.cfg.protocol("member")
	var advertised time.Time
	every(ctx, meetPeriod, nil, func() {
		if time.Since(advertised) > 30*time.Minute && h.dht.RoutingTable().Size() > 0 {
			if _, err := finder.Advertise(ctx, name, discovery.TTL(time.Hour)); err == nil {
				advertised = time.Now()
			}
		}
		if len(h.host.Network().Peers()) >= h.cfg.Low {
			return
		}
		within, stop := context.WithTimeout(ctx, meetPeriod)
		defer stop()
		all, err := finder.FindPeers(within, name, discovery.Limit(h.cfg.Low))
		if err != nil {
			return
		}
		for info := range all {
			h.dial(within, info)
		}
	})
}

// loopback are the addresses of one's own machine.
func loopback() []*net.IPNet {
	return []*net.IPNet{
		{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
		{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
	}
}
