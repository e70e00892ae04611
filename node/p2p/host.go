package p2p

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/libp2p/go-libp2p"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/metrics"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/routing"
	"github.com/libp2p/go-libp2p/p2p/net/connmgr"
	"github.com/multiformats/go-multiaddr"
)

// Host is an open host. Its methods may be called from any goroutine.
type Host struct {
	cfg    Config
	static []peer.AddrInfo
	host   host.Host
	dht    *dht.IpfsDHT // nil without
	gossip *pubsub.PubSub
	bans   *bans
	usage  *metrics.BandwidthCounter
	meters *meters
	redial chan struct{}
	stop   context.CancelFunc
	work   sync.WaitGroup
	mdns   io.Closer // nil without

	mu struct {
		sync.Mutex
		joined map[peer.ID]bool
		points map[peer.ID]float64 // penalties, decaying
	}
}

// Open starts a host. Close ends it; ctx bounds the opening alone.
func Open(ctx context.Context, c Config) (*Host, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	h := &Host{cfg: c, usage: metrics.NewBandwidthCounter(), redial: make(chan struct{}, 1)}
	h.mu.joined, h.mu.points = map[peer.ID]bool{}, map[peer.ID]float64{}
	if h.static, err = peersOf(c.Static); err != nil {
		return nil, err
	}
	if h.bans, err = openBans(c.BanFile); err != nil {
		return nil, err
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	h.stop = stop
	if err := h.open(life); err != nil {
		return nil, errors.Join(fmt.Errorf("open peer-to-peer host: %w", err), h.Close())
	}
	return h, nil
}

func (h *Host) open(ctx context.Context) error {
	options, err := h.options()
	if err != nil {
		return err
	}
	if h.host, err = libp2p.New(options...); err != nil {
		return err
	}
	if h.meters, err = newMeters(h.cfg.Registry, h); err != nil {
		return err
	}
	if err := h.openDHT(ctx); err != nil {
		return err
	}
	if err := h.openGossip(ctx); err != nil {
		return err
	}
	return h.openDiscovery(ctx)
}

func (h *Host) options() ([]libp2p.Option, error) {
	c := &h.cfg
	key, err := crypto.UnmarshalEd25519PrivateKey(ed25519.NewKeyFromSeed(c.Seed))
	if err != nil {
		return nil, err
	}
	listen, err := addresses(c.Listen)
	if err != nil {
		return nil, err
	}
	announce, err := addresses(c.Announce)
	if err != nil {
		return nil, err
	}
	manager, err := connmgr.NewConnManager(c.Low, c.High)
	if err != nil {
		return nil, err
	}
	resources, err := resourceManager(c)
	if err != nil {
		return nil, err
	}
	options := []libp2p.Option{
		libp2p.Identity(key), libp2p.UserAgent(c.Agent), libp2p.ProtocolVersion("wes/1"),
		libp2p.ConnectionManager(manager), libp2p.ResourceManager(resources), libp2p.ConnectionGater(h.bans),
		libp2p.BandwidthReporter(h.usage), libp2p.DisableMetrics(), libp2p.DisableIdentifyAddressDiscovery(),
	}
	if len(listen) > 0 {
		options = append(options, libp2p.ListenAddrs(listen...))
	} else {
		options = append(options, libp2p.NoListenAddrs)
	}
	if len(announce) > 0 {
		options = append(options, libp2p.AddrsFactory(func([]multiaddr.Multiaddr) []multiaddr.Multiaddr { return announce }))
	}
	if c.NAT {
		return append(options, libp2p.NATPortMap(), libp2p.EnableAutoNATv2(), libp2p.EnableHolePunching()), nil
	}
	return append(options, libp2p.DisableRelay()), nil
}

// Close disconnects all peers and waits for every goroutine of the host.
func (h *Host) Close() error {
	h.stop()
	var errs []error
	if h.mdns != nil {
		errs = append(errs, h.mdns.Close())
	}
	if h.dht != nil {
		errs = append(errs, h.dht.Close())
	}
	if h.host != nil {
		errs = append(errs, h.host.Close())
	}
	h.work.Wait()
	if h.meters != nil {
		h.meters.close(h.cfg.Registry)
	}
	return errors.Join(errs...)
}

// Name returns what other hosts call this one.
func (h *Host) Name() string { return h.host.ID().String() }

// Addresses returns where others reach this host, each with its name at the end.
func (h *Host) Addresses() []string {
	var all []string
	for _, a := range h.host.Addrs() {
		all = append(all, a.String()+"/p2p/"+h.Name())
	}
	return all
}

// Host returns what package ures shares.
func (h *Host) Host() host.Host { return h.host }

// Routing returns the DHT, nil without.
func (h *Host) Routing() routing.Routing {
	if h.dht == nil {
		return nil
	}
	return h.dht
}

// Peer is a peer that has joined.
type Peer struct {
	Name      string
	Addresses []string // of its connections
	Agent     string   // what it says of its program
	Inbound   bool
	Latency   float64 // seconds, 0 if it is not known
}

// Peers lists the peers that have joined, by name.
func (h *Host) Peers() []Peer {
	var all []Peer
	for _, id := range h.joined() {
		p := Peer{Name: id.String(), Latency: h.host.Peerstore().LatencyEWMA(id).Seconds()}
		for _, c := range h.host.Network().ConnsToPeer(id) {
			p.Addresses = append(p.Addresses, c.RemoteMultiaddr().String())
			p.Inbound = c.Stat().Direction == network.DirInbound
		}
		if agent, err := h.host.Peerstore().Get(id, "AgentVersion"); err == nil {
			p.Agent = printable(fmt.Sprint(agent))
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Peer) int { return compare(a.Name, b.Name) })
	return all
}

func (h *Host) joined() []peer.ID {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []peer.ID
	for id := range h.mu.joined {
		all = append(all, id)
	}
	return all
}

// Connect dials a peer, which stays known.
func (h *Host) Connect(ctx context.Context, address string) error {
	infos, err := peersOf([]string{address})
	if err != nil {
		return err
	}
	for _, info := range infos {
		h.host.Peerstore().AddAddrs(info.ID, info.Addrs, peerstore.PermanentAddrTTL)
		if err := h.host.Connect(ctx, info); err != nil {
			return fmt.Errorf("connect to %s: %w", address, err)
		}
	}
	return nil
}

