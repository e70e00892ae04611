package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/node/p2p"
	"github.com/weisyn/wes/node/trade"
)

// marketPeers reaches other desks over package p2p.
type marketPeers struct{ s *sockets }

var _ trade.Peers = (*marketPeers)(nil)

// Self implements trade.Peers.
func (m *marketPeers) Self() (string, []string) {
	return string(m.s.host.Self()), m.s.host.Addresses()
}

// Count implements trade.Peers.
func (m *marketPeers) Count() int { return len(m.s.host.Members()) }

// Publish implements trade.Peers.
func (m *marketPeers) Publish(ctx context.Context, advert []byte) error {
	return m.s.adverts.Publish(ctx, advert)
}

// Ask implements trade.Peers.
func (m *marketPeers) Ask(ctx context.Context, to market.Contact, protocol string, request []byte, limit int) ([]byte, error) {
	out, err := m.s.host.Request(ctx, p2p.Peer(to.Peer), protocol, request, limit)
	if !errors.Is(err, p2p.ErrLost) {
		return out, err
	}
	if err := m.meet(ctx, to); err != nil {
		return nil, err
	}
	return m.s.host.Request(ctx, p2p.Peer(to.Peer), protocol, request, limit)
}

// meetEvery is how often it is looked whether a peer that was dialled has joined.
const meetEvery = 20 * time.Millisecond

// meet dials a peer and waits until it has joined.
func (m *marketPeers) meet(ctx context.Context, to market.Contact) error {
	var all error
	for _, a := range to.Addresses {
		err := m.s.host.Connect(ctx, a)
		if err == nil {
			return m.joined(ctx, to.Peer)
		}
		all = errors.Join(all, err)
	}
	return fmt.Errorf("reach operator: %w", errors.Join(all, p2p.ErrLost))
}

func (m *marketPeers) joined(ctx context.Context, name string) error {
	every := time.NewTicker(meetEvery)
	defer every.Stop()
	for {
		for _, x := range m.s.host.Members() {
			if string(x.Peer) == name {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-every.C:
		}
	}
}

// startMarket answers requests of the market, where this node takes part in it.
func (s *sockets) startMarket() error {
	if s.desk == nil {
		return nil
	}
	var all error
	for _, x := range trade.Protocols() {
		all = errors.Join(all, s.host.Handle(p2p.Service{
			Protocol: x.Name, MaxRequest: x.MaxRequest, MaxResponse: x.MaxResponse,
			Rate: 100, Burst: 400, PerPeer: 64, Total: 512, Within: time.Minute,
		}, func(ctx context.Context, from p2p.Peer, request []byte) ([]byte, error) {
			out, err := s.desk.Serve(ctx, string(from), x.Name, request)
			if errors.Is(err, market.ErrMessage) {
				s.host.Penalise(from, penalty, err.Error())
			}
			return out, err
		}))
	}
	return all
}

// hearAdvert checks a gossiped advert, also where nobody buys: others may.
func (s *sockets) hearAdvert(ctx context.Context, _ p2p.Peer, raw []byte) p2p.Verdict {
	a, err := trade.ReadAdvert(s.chain, raw)
	if err != nil {
		s.log.Debug("bad advert", keyError, err)
		return p2p.Reject
	}
	if s.desk != nil {
		s.desk.Hear(ctx, a)
	}
	return p2p.Accept
}

// desk is what answers requests of the market; nil where there is none.
func (n *Node) desk() *trade.Desk {
	if n.market == nil {
		return nil
	}
	return n.market.desk
}
