package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/weisyn/wes/chain/replica"
	"github.com/weisyn/wes/node/p2p"
)

// Names of what peers of one network speak.
const (
	askProtocol = "ask" // requests of package replica
	tipProtocol = "tip" // announcements of headers; the answer is empty
	txTopic     = "tx"  // transactions
)

// banTime is how long a peer that broke the protocol stays away.
const banTime = 24 * time.Hour

// penalty is what a message that does not decode costs the score of its sender.
const penalty = 10

// sockets carries the ledger's messages over package p2p.
type sockets struct {
	host   *p2p.Host
	txs    *p2p.Topic
	ledger *ledger
	log    *slog.Logger
}

var (
	_ transport   = (*sockets)(nil)
	_ p2p.Members = (*sockets)(nil)
)

// peerConfig says who this node is among its peers. Networks of other rules have other names.
func (c *Config) peerConfig(n *Network, seed []byte, bans string, o Options) p2p.Config {
	return p2p.Config{
		Seed: seed, Network: fmt.Sprintf("%s-%.16s", n.Name, n.Chain()), Agent: "wes/" + o.Version,
		Listen: c.listen(n), Announce: c.Announce, Static: slices.Concat(c.Peers, n.Bootstrap),
		MDNS: c.MDNS, DHT: p2p.Mode(c.DHT), NAT: c.NAT, Low: c.PeersLow, High: c.PeersHigh,
		BanFile: bans, Log: o.Log, Registry: o.Registry,
	}
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

// attach serves peers from a ledger, which need not run yet.
func (s *sockets) attach(l *ledger) error {
	s.ledger = l
	s.host.Handle(askProtocol, p2p.Handler{
		MaxRequest: replica.MaxRequest, Concurrent: 64, PerPeer: 16, Rate: 500, Burst: 2000, Answer: s.answer,
	})
	s.host.Handle(tipProtocol, p2p.Handler{MaxRequest: replica.MaxAnnouncement, Concurrent: 64, PerPeer: 2, Answer: s.hear})
	txs, err := s.host.Join(txTopic, s.validate)
	if err != nil {
		return fmt.Errorf("join the topic of transactions: %w", err)
	}
	s.txs = txs
	return nil
}

// run tells the ledger who comes and goes.
func (s *sockets) run(ctx context.Context) error { return s.host.Serve(ctx, s) }

// close ends all connections.
func (s *sockets) close() error {
	var err error
	if s.txs != nil {
		err = s.txs.Leave()
	}
	return errors.Join(err, s.host.Close())
}

// Joined implements p2p.Members.
func (s *sockets) Joined(ctx context.Context, peer string) error { return s.ledger.join(ctx, peer) }

// Left implements p2p.Members.
func (s *sockets) Left(ctx context.Context, peer string) error { return s.ledger.leave(ctx, peer) }

func (s *sockets) answer(ctx context.Context, from string, request []byte) ([]byte, error) {
	out, err := s.ledger.serve(ctx, request)
	return out, s.blame(from, err)
}

func (s *sockets) hear(ctx context.Context, from string, header []byte) ([]byte, error) {
	return nil, s.blame(from, s.ledger.announced(ctx, from, header))
}

// blame lowers the score of who sent what does not decode.
func (s *sockets) blame(from string, err error) error {
	if malformed(err) {
		s.log.Debug("malformed message", keyPeer, from, keyError, err)
		s.host.Penalise(from, penalty)
	}
	return err
}

func (s *sockets) validate(ctx context.Context, from string, data []byte) p2p.Verdict {
	switch s.ledger.relayed(ctx, from, data) {
	case replica.Accepted:
		return p2p.Accept
	case replica.Rejected:
		return p2p.Reject
	}
	return p2p.Ignore
}

func (s *sockets) ask(ctx context.Context, peer string, request []byte, limit int) ([]byte, error) {
	out, err := s.host.Request(ctx, peer, askProtocol, request, limit)
	if errors.Is(err, p2p.ErrTooLarge) {
		return nil, errTooLarge
	}
	return out, err
}

func (s *sockets) announce(ctx context.Context, peer string, header []byte) error {
	_, err := s.host.Request(ctx, peer, tipProtocol, header, 0)
	return err
}

func (s *sockets) publish(ctx context.Context, tx []byte) error { return s.txs.Publish(ctx, tx) }

func (s *sockets) drop(peer, reason string, ban bool) {
	if !ban {
		s.host.Drop(peer, reason)
		return
	}
	if err := s.host.Ban(peer, reason, banTime); err != nil {
		s.log.Warn("ban not kept", keyPeer, peer, keyError, err)
	}
}
