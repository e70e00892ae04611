package p2p

import (
	"context"
	"fmt"
	"time"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/discovery"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/discovery/mdns"
	drouting "github.com/libp2p/go-libp2p/p2p/discovery/routing"
)

const (
	// findEvery is how often the DHT is asked for peers while too few are connected, and how long
	// after a failure this host is announced again.
	findEvery = time.Minute
	// findMost bounds the peers that one search returns.
	findMost = 64
)

// openDHT makes the DHT, which keeps providers, of resources and of the network's name, and no
// values.
func (h *Host) openDHT(ctx context.Context) error {
	mode := map[string]dht.ModeOpt{DHTClient: dht.ModeClient, DHTServer: dht.ModeServer, DHTAuto: dht.ModeAutoServer}
	if h.cfg.DHT == DHTOff {
		return nil
	}
	begin, err := peerAddresses(append(h.cfg.Bootstrap[:len(h.cfg.Bootstrap):len(h.cfg.Bootstrap)], h.cfg.Static...))
	if err != nil {
		return err
	}
	h.dht, err = dht.New(context.WithoutCancel(ctx), h.host,
		dht.ProtocolPrefix(protocol.ID(h.prefix)),
		dht.Mode(mode[h.cfg.DHT]),
		dht.BootstrapPeers(begin...),
		dht.DisableValues(),
		dht.ProviderStore(newProviders(h.host.Peerstore())),
	)
	if err != nil {
		return fmt.Errorf("open DHT: %w", err)
	}
	return nil
}

// discover begins to look for peers in all ways that the configuration allows.
func (h *Host) discover() error {
	now := time.Now()
	for k, list := range map[kind][]string{kindStatic: h.cfg.Static, kindMet: h.cfg.Bootstrap} {
		infos, err := peerAddresses(list)
		if err != nil {
			return err
		}
		for _, info := range infos {
			if info.ID != h.host.ID() {
				h.dialer.book.add(now, info, k)
			}
			if k == kindStatic {
				h.host.ConnManager().Protect(info.ID, "static")
			}
		}
	}
	h.life.spawn(h.dialer.run)
	if h.dht != nil {
		h.life.spawn(h.advertise)
		h.life.spawn(h.find)
	}
	if h.cfg.MDNS {
		return h.openMDNS()
	}
	return nil
}

// neighbours hands over what mDNS finds.
type neighbours struct{ dialer *dialer }

var _ mdns.Notifee = neighbours{}

func (n neighbours) HandlePeerFound(info peer.AddrInfo) { n.dialer.found(info) }

func (h *Host) openMDNS() error {
	service := mdns.NewMdnsService(h.host, "_wes-"+h.cfg.Network+"._udp", neighbours{h.dialer})
	if err := service.Start(); err != nil {
		return fmt.Errorf("mDNS: %w", err)
	}
	h.mdns = service
	return nil
}

// rendezvous is what members provide on the DHT.
func (h *Host) rendezvous() string { return h.prefix + "/members" }

// advertise announces this host on the DHT, as long as it lives.
func (h *Host) advertise(ctx context.Context) {
	if h.dht.Mode() == dht.ModeClient && len(h.cfg.Listen) == 0 {
		return // nobody could dial it
	}
	on := drouting.NewRoutingDiscovery(h.dht)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		again, err := on.Advertise(ctx, h.rendezvous())
		if err != nil {
			again = findEvery
		}
		timer.Reset(again)
	}
}

// find asks the DHT for members while too few are connected.
func (h *Host) find(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.dialer.searching:
		case <-timer.C:
		}
		if h.sessions.outbound() < h.cfg.MinOutbound {
			h.search(ctx)
		}
		timer.Reset(findEvery)
	}
}

func (h *Host) search(ctx context.Context) {
	ctx, stop := context.WithTimeout(ctx, findEvery)
	defer stop()
	found, err := drouting.NewRoutingDiscovery(h.dht).FindPeers(ctx, h.rendezvous(), discovery.Limit(findMost))
	if err != nil {
		h.log.Debug("search for peers", "error", err)
		return
	}
	for info := range found {
		h.dialer.found(info)
	}
}
