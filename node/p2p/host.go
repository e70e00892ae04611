package p2p

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/libp2p/go-libp2p"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/routing"
	"github.com/libp2p/go-libp2p/gologshim"
	"github.com/libp2p/go-libp2p/p2p/discovery/mdns"
)

// Host is this node on the network. Its methods may be called from any goroutine.
type Host struct {
	cfg     Config
	prefix  string // of protocols and topics
	log     *slog.Logger
	life    *life
	gate    *gate
	members Membership // set by Start

	patience    patience
	greetWithin time.Duration // GreetWithin

	host       host.Host
	dht        *dht.IpfsDHT // nil if off
	mdns       mdns.Service // nil if off, or before Start
	router     *pubsub.PubSub
	stopRouter context.CancelFunc

	sessions   *sessions
	reputation *reputation
	gossip     *gossip
	dialer     *dialer
	metrics    *hostMetrics
	banned     chan struct{} // holds one: the bans have changed
}

// CaptureLogs sends what libp2p itself logs to a handler, for the whole process, in place of stderr.
// A program calls it before it opens its first host, or not at all.
func CaptureLogs(to slog.Handler) { gologshim.SetDefaultHandler(to) }

// Open makes a host that neither listens nor dials. It must be closed.
func Open(ctx context.Context, c Config) (*Host, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	h := newHost(c)
	if err := h.open(ctx); err != nil {
		h.Close()
		return nil, fmt.Errorf("open p2p host: %w", err)
	}
	return h, nil
}

func newHost(c Config) *Host {
	h := &Host{
		cfg: c, prefix: "/wes/" + c.Network, log: c.Log, life: newLife(),
		sessions: newSessions(c.GossipRate), reputation: newReputation(time.Now(), c.Bans),
		banned: make(chan struct{}, 1), patience: patience{10 * time.Second, 32 << 10}, greetWithin: GreetWithin,
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	h.gate, h.dialer = &gate{reputation: h.reputation}, newDialer(h)
	return h
}

func (h *Host) open(ctx context.Context) error {
	resources, err := newResourceManager(&h.cfg)
	if err != nil {
		return err
	}
	if h.metrics, err = newMetrics(h.cfg.Registry, reserved(resources), h.connections); err != nil {
		_ = resources.Close()
		return err
	}
	options, err := h.options(resources)
	if err != nil {
		_ = resources.Close()
		return err
	}
	if h.host, err = libp2p.New(options...); err != nil {
		return err
	}
	h.host.Network().Notify(&network.NotifyBundle{ConnectedF: h.connected, DisconnectedF: h.disconnected})
	h.host.SetStreamHandler(h.protocol("greet", 1), h.task(h.greeted))
	if err := h.openDHT(ctx); err != nil {
		return err
	}
	// What runs until Close must not end with the context of Open.
	within, stop := context.WithCancel(context.WithoutCancel(ctx))
	h.stopRouter = stop
	h.gossip, h.router, err = newGossip(within, h)
	return err
}

// protocol returns the id of a protocol of this network.
func (h *Host) protocol(name string, version int) protocol.ID {
	return protocol.ID(fmt.Sprintf("%s/%s/%d", h.prefix, name, version))
}

// task makes a stream handler that Close waits for.
func (h *Host) task(handle func(context.Context, network.Stream)) network.StreamHandler {
	return func(s network.Stream) {
		ctx, end, ok := h.life.begin()
		if !ok {
			_ = s.Reset()
			return
		}
		defer end()
		handle(ctx, s)
	}
}

// Start listens, and finds peers. It is called once.
func (h *Host) Start(m Membership) error {
	if n := len(m.Greeting()); n > MaxGreeting {
		return fmt.Errorf("start p2p host: %w: greeting of %d bytes, at most %d", ErrConfig, n, MaxGreeting)
	}
	h.members = m
	h.gate.started.Store(true)
	if err := h.listen(); err != nil {
		return fmt.Errorf("start p2p host: %w", err)
	}
	if err := h.discover(); err != nil {
		return fmt.Errorf("start p2p host: %w", err)
	}
	h.life.spawn(h.tellBans)
	return nil
}

// listen opens all addresses, or fails at the first that it cannot.
func (h *Host) listen() error {
	all, err := addresses(h.cfg.Listen)
	if err != nil {
		return err
	}
	for _, a := range all {
		if err := h.host.Network().Listen(a); err != nil {
			return fmt.Errorf("listen on %v: %w", a, err)
		}
	}
	return nil
}

// Close disconnects and waits for every goroutine that the host has started. It may be called
// again.
func (h *Host) Close() {
	if !h.life.close() {
		return
	}
	if h.mdns != nil {
		_ = h.mdns.Close()
	}
	if h.dht != nil {
		_ = h.dht.Close()
	}
	if h.stopRouter != nil {
		h.stopRouter()
	}
	if h.host != nil {
		_ = h.host.Close()
	}
	h.life.wait()
}

// Host returns the libp2p host, for exchanges of other kinds with the same peers.
func (h *Host) Host() host.Host { return h.host }

// Routing returns the DHT, or nil if the configuration has none.
func (h *Host) Routing() routing.Routing {
	if h.dht == nil {
		return nil
	}
	return h.dht
}

// Self returns the name of this host.
func (h *Host) Self() Peer { return named(h.host.ID()) }

// Addresses are the multiaddresses, with /p2p/ID, by which others may reach this host.
func (h *Host) Addresses() []string {
	var list []string
	for _, a := range h.host.Addrs() {
		list = append(list, a.String()+"/p2p/"+string(h.Self()))
	}
	return list
}

// Members lists the peers that have joined, in a fixed order.
func (h *Host) Members() []Member { return h.sessions.members() }

// Connect dials a peer by its multiaddress, with /p2p/ID, and remembers it. Whether it joins is
// another matter.
func (h *Host) Connect(ctx context.Context, address string) error {
	infos, err := peerAddresses([]string{address})
	if err != nil {
		return err
	}
	h.dialer.book.add(time.Now(), infos[0], kindMet)
	if err := h.host.Connect(ctx, infos[0]); err != nil {
		return fmt.Errorf("connect to %s: %w", address, err)
	}
	return nil
}

// Redial dials static peers, and others as far as they are needed, without waiting until they are
// due, and looks for new ones.
func (h *Host) Redial() {
	h.dialer.book.anew(time.Now())
	h.dialer.wake()
	signal(h.dialer.searching)
}

// Penalise adds points to a peer. At BanPoints it is banned for Config.BanTime.
func (h *Host) Penalise(p Peer, points float64, reason string) {
	if id := p.id(); id != "" {
		h.metrics.offences.WithLabelValues("reported").Inc()
		h.penalise(id, points, reason)
	}
}

// Drop disconnects a peer, which is not dialled for some minutes.
func (h *Host) Drop(p Peer, reason string) {
	id := p.id()
	if id == "" {
		return
	}
	h.log.Info("peer dropped", "peer", p, "reason", reason)
	h.dialer.book.putOff(time.Now(), id, dialDropped)
	h.disconnect(id)
}

// Ban disconnects a peer and keeps it away. When three peers of one address are banned, all of
// that address are.
func (h *Host) Ban(p Peer, d time.Duration, reason string) {
	if id := p.id(); id != "" {
		h.ban(id, d, reason)
	}
}

// punish penalises for an offence against this package's protocol.
func (h *Host) punish(id peer.ID, points float64, offence string) {
	h.metrics.offences.WithLabelValues(offence).Inc()
	h.penalise(id, points, offence)
}

func (h *Host) penalise(id peer.ID, points float64, reason string) {
	h.log.Debug("offence", "peer", named(id), "points", points, "reason", reason)
	if h.reputation.penalise(time.Now(), id, h.groupOf(id), points) {
		h.ban(id, h.cfg.BanTime, reason)
	}
}

func (h *Host) ban(id peer.ID, d time.Duration, reason string) {
	g, now := h.groupOf(id), time.Now()
	h.reputation.ban(now, id, g, now.Add(d))
	h.log.Info("peer banned", "peer", named(id), "address", g, "for", d, "reason", reason)
	h.metrics.bans.Inc()
	signal(h.banned)
	h.disconnect(id)
	if h.reputation.groupBanned(now, g) {
		for _, c := range h.sessions.conns(func(c network.Conn) bool { return group(c.RemoteMultiaddr()) == g }) {
			_ = c.Close()
		}
	}
}

// tellBans reports the bans when they have changed. Several changes may be one report.
func (h *Host) tellBans(ctx context.Context) {
	for h.cfg.Banned != nil && (ctx.Err() == nil || len(h.banned) > 0) {
		select {
		case <-h.banned:
			h.cfg.Banned(h.reputation.bans(time.Now()))
		case <-ctx.Done():
		}
	}
}
