package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/replica"
	"github.com/weisyn/wes/node/p2p"
	"github.com/weisyn/wes/node/trade"
)

// Names of what peers of one network speak.
const (
	askProtocol = "ask"     // requests of package replica
	tipProtocol = "tip"     // announcements of headers; the answer is empty
	txTopic     = "tx"      // transactions
	advertTopic = "adverts" // of operators
)

// banTime is how long a peer that broke the protocol stays away.
const banTime = 24 * time.Hour

// penalty is what a message that does not decode costs its sender, in points of package p2p.
const penalty = 20

// sockets carries the ledger's messages over package p2p.
type sockets struct {
	host     *p2p.Host
	greeting []byte
	chain    chain.Hash
	txs      *p2p.Topic
	adverts  *p2p.Topic
	ledger   *ledger
	desk     *trade.Desk // nil where the node takes no part in the market
	log      *slog.Logger
}

var (
	_ transport      = (*sockets)(nil)
	_ p2p.Membership = (*sockets)(nil)
)

// openSockets makes a host that does not listen yet. bans is a file.
func openSockets(ctx context.Context, c *Config, n *Network, seed []byte, bans string, o Options) (*sockets, error) {
	cfg, err := c.peerConfig(n, seed, bans, o)
	if err != nil {
		return nil, err
	}
	host, err := p2p.Open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return &sockets{host: host, greeting: greeting(n), chain: n.Chain(), log: o.Log}, nil
}

// peerConfig says who this node is among its peers.
func (c *Config) peerConfig(n *Network, seed []byte, bans string, o Options) (p2p.Config, error) {
	cfg := p2p.Default()
	cfg.Seed, cfg.Agent = seed, "wes/"+o.Version
	cfg.Network = networkName(n)
	cfg.Listen, cfg.Announce, cfg.Static, cfg.Bootstrap = c.listen(n), c.Announce, c.Peers, n.Bootstrap
	cfg.MDNS, cfg.DHT, cfg.NAT = c.MDNS, c.DHT, c.NAT
	cfg.LowWater, cfg.HighWater = c.PeersLow, c.PeersHigh
	cfg.Log, cfg.Registry = o.Log, o.Registry
	cfg.Banned = func(all []p2p.Ban) {
		if err := saveBans(bans, all); err != nil {
			o.Log.Warn("bans are not kept", keyError, err)
		}
	}
	var err error
	cfg.Bans, err = loadBans(bans)
	return cfg, err
}

// networkName is part of the names of all protocols.
func networkName(n *Network) string { return fmt.Sprintf("%s-%.7s", n.Name, n.Chain()) }

// greeting is version 1 and the hash of the genesis block: what peers must have in common.
func greeting(n *Network) []byte {
	h := n.Chain()
	return append([]byte{1}, h[:]...)
}

// listen resolves the default of the setting.
func (c *Config) listen(n *Network) []string {
	switch {
	case len(c.Listen) > 0:
		return c.Listen
	case n.Profile == "dev":
		return []string{"/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0"}
	}
	return []string{
		"/ip4/0.0.0.0/udp/4871/quic-v1", "/ip6/::/udp/4871/quic-v1", "/ip4/0.0.0.0/tcp/4871", "/ip6/::/tcp/4871",
	}
}

// start serves peers from a ledger and a desk, which need not run yet, and listens.
func (s *sockets) start(l *ledger, d *trade.Desk) error {
	s.ledger, s.desk = l, d
	err := errors.Join(
		s.startMarket(),
		s.host.Handle(p2p.Service{
			Protocol: askProtocol, MaxRequest: replica.MaxRequest, MaxResponse: replica.MaxAnswer,
			Rate: 500, Burst: 2000, PerPeer: 16, Total: 64, Within: 30 * time.Second,
		}, s.answer),
		s.host.Handle(p2p.Service{
			Protocol: tipProtocol, MaxRequest: replica.MaxAnnouncement, MaxResponse: 1,
			Rate: 50, Burst: 200, PerPeer: 2, Total: 64, Within: 30 * time.Second,
		}, s.hear))
	if err != nil {
		return err
	}
	if s.txs, err = s.host.Join(txTopic, s.validate); err != nil {
		return err
	}
	if s.adverts, err = s.host.Join(advertTopic, s.hearAdvert); err != nil {
		return err
	}
	return s.host.Start(s)
}

// close ends all connections.
func (s *sockets) close() error {
	s.host.Close()
	return nil
}

// Greeting implements p2p.Membership.
func (s *sockets) Greeting() []byte { return s.greeting }

// Accept implements p2p.Membership.
func (s *sockets) Accept(theirs []byte) error {
	if !bytes.Equal(theirs, s.greeting) {
		return fmt.Errorf("it is of another chain or version: %x", theirs)
	}
	return nil
}

// Joined implements p2p.Membership.
func (s *sockets) Joined(ctx context.Context, m p2p.Member) {
	s.note(m.Peer, s.ledger.join(ctx, string(m.Peer)))
}

// Left implements p2p.Membership.
func (s *sockets) Left(ctx context.Context, p p2p.Peer) { s.note(p, s.ledger.leave(ctx, string(p))) }

// note hears why the ledger did not take note of a peer: the ledger or the host is ending.
func (s *sockets) note(p p2p.Peer, err error) {
	if err != nil {
		s.log.Debug("too late for a peer", keyPeer, string(p), keyError, err)
	}
}

func (s *sockets) answer(ctx context.Context, from p2p.Peer, request []byte) ([]byte, error) {
	out, err := s.ledger.serve(ctx, request)
	return out, s.blame(from, err)
}

func (s *sockets) hear(ctx context.Context, from p2p.Peer, header []byte) ([]byte, error) {
	return nil, s.blame(from, s.ledger.announced(ctx, string(from), header))
}

// blame penalises who sent what does not decode.
func (s *sockets) blame(from p2p.Peer, err error) error {
	if malformed(err) {
		s.host.Penalise(from, penalty, err.Error())
	}
	return err
}

func (s *sockets) validate(ctx context.Context, from p2p.Peer, data []byte) p2p.Verdict {
	switch s.ledger.relayed(ctx, string(from), data) {
	case replica.Accepted:
		return p2p.Accept
	case replica.Rejected:
		return p2p.Reject
	}
	return p2p.Ignore
}

func (s *sockets) ask(ctx context.Context, peer string, request []byte, limit int) ([]byte, error) {
	out, err := s.host.Request(ctx, p2p.Peer(peer), askProtocol, request, limit)
	if errors.Is(err, p2p.ErrTooLarge) {
		return nil, errTooLarge
	}
	return out, err
}

func (s *sockets) announce(ctx context.Context, peer string, header []byte) error {
	_, err := s.host.Request(ctx, p2p.Peer(peer), tipProtocol, header, 1)
	return err
}

func (s *sockets) publish(ctx context.Context, tx []byte) error { return s.txs.Publish(ctx, tx) }

func (s *sockets) drop(peer, reason string, ban bool) {
	if ban {
		s.host.Ban(p2p.Peer(peer), banTime, reason)
		return
	}
	s.host.Drop(p2p.Peer(peer), reason)
}
