package p2p

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
)

// MaxGreeting is in bytes.
const MaxGreeting = 1 << 10

// Membership decides who takes part and is told so.
type Membership interface {
	// Greeting is what this node tells a peer when they meet, at most MaxGreeting bytes.
	Greeting() []byte
	// Accept says by a peer's greeting whether it may join. An error keeps it away for an hour.
	Accept(greeting []byte) error
	// Joined reports a peer.
	Joined(ctx context.Context, m Member)
	// Left reports that a peer that had joined has no connection any more.
	Left(ctx context.Context, p Peer)
}

// errGreeting says that the two do not belong to the same network.
var errGreeting = errors.New("greeting refused")

// A greeting is the length of the agent in a byte, the agent, and what Membership.Greeting says.
// Who has dialled greets first. The other answers with its own greeting, or refuses. If
// both have dialled, both greet.

func encodeGreeting(agent string, greeting []byte) []byte {
	return append(append([]byte{byte(len(agent))}, agent...), greeting...)
}

func decodeGreeting(raw []byte) (agent string, greeting []byte, err error) {
	if len(raw) == 0 || int(raw[0]) > maxAgent || len(raw) < 1+int(raw[0]) || len(raw)-1-int(raw[0]) > MaxGreeting {
		return "", nil, fmt.Errorf("%w: %d bytes that do not decode", errGreeting, len(raw))
	}
	n := 1 + int(raw[0])
	return printable(string(raw[1:n])), raw[n:], nil
}

// live follows a session from its first connection until its Left has returned.
func (h *Host) live(ctx context.Context, s *session) {
	defer h.dialer.wake()
	defer h.sessions.end(s)
	silent := time.NewTimer(h.greetWithin)
	defer silent.Stop()
	select {
	case <-s.met:
	case <-s.gone:
		return
	case <-ctx.Done():
		return
	case <-silent.C:
		h.punish(s.id, pointsSilent, "no greeting")
		h.disconnect(s.id)
		s.awaitGone(ctx)
		return
	}
	if s.before != nil {
		<-s.before.ended
	}
	h.members.Joined(ctx, s.member)
	close(s.open)
	h.met(s)
	s.awaitGone(ctx)
	h.members.Left(ctx, s.member.Peer)
	h.metrics.peers.Dec()
}

// met keeps a peer that has joined.
func (h *Host) met(s *session) {
	h.metrics.peers.Inc()
	h.host.ConnManager().TagPeer(s.id, "member", 50)
	h.dialer.book.add(time.Now(), h.host.Peerstore().PeerInfo(s.id), kindMet)
	h.dialer.book.succeeded(s.id)
	h.log.Debug("peer joined", "peer", s.member.Peer, "address", s.member.Address, "agent", s.member.Agent)
}

// greet tells a peer that was dialled who this node is.
func (h *Host) greet(ctx context.Context, s *session, c network.Conn) {
	ctx, stop := context.WithTimeout(ctx, h.greetWithin)
	defer stop()
	raw, err := h.exchange(ctx, s.id, h.protocol("greet", 1), encodeGreeting(h.cfg.Agent, h.members.Greeting()), 1+maxAgent+MaxGreeting)
	if err == nil {
		err = h.welcome(s, c, raw)
	}
	if err != nil && !s.isOpen() {
		h.log.Debug("greeting", "peer", named(s.id), "error", err)
		if errors.Is(err, errGreeting) || errors.Is(err, ErrRefused) {
			h.dialer.book.putOff(time.Now(), s.id, dialRefused)
		}
		h.disconnect(s.id)
	}
}

// welcome decides on a peer's greeting.
func (h *Host) welcome(s *session, c network.Conn, raw []byte) error {
	agent, greeting, err := decodeGreeting(raw)
	if err != nil {
		return err
	}
	if err := h.members.Accept(greeting); err != nil {
		return fmt.Errorf("%w: %w", errGreeting, err)
	}
	h.sessions.accept(s, Member{
		Peer: named(s.id), Address: c.RemoteMultiaddr().String(), Agent: agent,
		Outbound: c.Stat().Direction == network.DirOutbound, Greeting: greeting, Since: time.Now(),
	})
	return nil
}

// greeted answers a greeting.
func (h *Host) greeted(ctx context.Context, s network.Stream) {
	peer := h.sessions.of(s.Conn().RemotePeer())
	if peer == nil {
		_ = s.Reset()
		return
	}
	stop := context.AfterFunc(ctx, func() { _ = s.Reset() })
	defer stop()
	p := newPace(h.patience, s.SetDeadline)
	err := h.answerGreeting(peer, s, p)
	if err != nil {
		h.log.Debug("greeting", "peer", named(peer.id), "error", err)
		_ = p.allow(1)
		_, _ = s.Write([]byte{statusRefused})
	}
	_ = s.Close()
	if err != nil && !peer.isOpen() {
		h.part(ctx, peer)
	}
}

func (h *Host) answerGreeting(peer *session, s network.Stream, p *pace) error {
	if err := p.allow(0); err != nil {
		return err
	}
	n, err := readLength(s, 1+maxAgent+MaxGreeting)
	if err != nil {
		return err
	}
	raw, err := readBody(s, n, p)
	if err != nil {
		return err
	}
	if err := h.welcome(peer, s.Conn(), raw); err != nil {
		return err
	}
	return writeFrame(s, []byte{statusDone}, encodeGreeting(h.cfg.Agent, h.members.Greeting()), p)
}

// parting is how long a refused peer has to read that it is.
const parting = time.Second

// part leaves a peer that does not belong to this network, which does so itself if it is honest.
func (h *Host) part(ctx context.Context, s *session) {
	late := time.NewTimer(parting)
	defer late.Stop()
	select {
	case <-s.gone:
	case <-ctx.Done():
	case <-late.C:
		h.disconnect(s.id)
	}
}
