package p2p

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

// GreetWithin is how long a peer may be connected without having joined.
const GreetWithin = 10 * time.Second

// session is a peer for as long as it has a direct connection.
type session struct {
	id     peer.ID
	before *session      // its last session, which may not have ended
	met    chan struct{} // closed when its greeting was accepted
	open   chan struct{} // closed when Joined has returned: requests and gossip count
	gone   chan struct{} // closed with its last connection
	ended  chan struct{} // closed when Left has returned

	usage  usage
	gossip *gossiper

	// Guarded by the mutex of sessions.
	conns    map[network.Conn]bool
	accepted bool
	member   Member // set when accepted
}

// isOpen reports whether the caller knows the peer.
func (s *session) isOpen() bool {
	select {
	case <-s.open:
		return true
	default:
		return false
	}
}

// isMet reports whether the peer's greeting was accepted.
func (s *session) isMet() bool {
	select {
	case <-s.met:
		return true
	default:
		return false
	}
}

// awaitOpen waits until the caller knows the peer.
func (s *session) awaitOpen(ctx context.Context) error {
	select {
	case <-s.open:
		return nil
	case <-s.gone:
		return ErrLost
	case <-ctx.Done():
		return ErrLost
	}
}

// awaitGone waits until the peer has no connection.
func (s *session) awaitGone(ctx context.Context) {
	select {
	case <-s.gone:
	case <-ctx.Done():
	}
}

// sessions are the peers with a connection.
type sessions struct {
	gossipRate int // of a peer, in bytes a second

	mu struct {
		sync.Mutex
		now map[peer.ID]*session
		old map[peer.ID]*session // whose Left has not returned
	}
}

func newSessions(gossipRate int) *sessions {
	s := &sessions{gossipRate: gossipRate}
	s.mu.now, s.mu.old = map[peer.ID]*session{}, map[peer.ID]*session{}
	return s
}

// add counts a connection. It reports whether the session has begun with it.
func (all *sessions) add(c network.Conn) (*session, bool) {
	all.mu.Lock()
	defer all.mu.Unlock()
	id := c.RemotePeer()
	s, begun := all.mu.now[id], false
	if s == nil {
		begun = true
		s = &session{
			id: id, before: all.mu.old[id], gossip: newGossiper(all.gossipRate), conns: map[network.Conn]bool{},
			met: make(chan struct{}), open: make(chan struct{}), gone: make(chan struct{}), ended: make(chan struct{}),
		}
		all.mu.now[id] = s
	}
	s.conns[c] = true
	return s, begun
}

// remove is called when a connection has closed, also for one that was not added.
func (all *sessions) remove(c network.Conn) {
	all.mu.Lock()
	defer all.mu.Unlock()
	s := all.mu.now[c.RemotePeer()]
	if s == nil || !s.conns[c] {
		return
	}
	delete(s.conns, c)
	if len(s.conns) == 0 {
		delete(all.mu.now, s.id)
		all.mu.old[s.id] = s
		close(s.gone)
	}
}

// end forgets a session whose Left has returned.
func (all *sessions) end(s *session) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.mu.old[s.id] == s {
		delete(all.mu.old, s.id)
	}
	s.before = nil
	close(s.ended)
}

// accept records that a peer's greeting was accepted on a connection.
func (all *sessions) accept(s *session, m Member) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if !s.accepted {
		s.accepted, s.member = true, m
		close(s.met)
	}
}

func (all *sessions) of(id peer.ID) *session {
	all.mu.Lock()
	defer all.mu.Unlock()
	return all.mu.now[id]
}

// isOpen reports whether the caller knows a peer.
func (all *sessions) isOpen(id peer.ID) bool {
	s := all.of(id)
	return s != nil && s.isOpen()
}

// members lists the peers that have joined, by name.
func (all *sessions) members() []Member {
	all.mu.Lock()
	defer all.mu.Unlock()
	var list []Member
	for _, id := range slices.Sorted(maps.Keys(all.mu.now)) {
		if s := all.mu.now[id]; s.isOpen() {
			list = append(list, s.member)
		}
	}
	return list
}

// outbound counts the sessions with a connection that this host has dialled.
func (all *sessions) outbound() int {
	all.mu.Lock()
	defer all.mu.Unlock()
	n := 0
	for _, s := range all.mu.now {
		for c := range s.conns {
			if c.Stat().Direction == network.DirOutbound {
				n++
				break
			}
		}
	}
	return n
}

// conns lists the connections of a group of addresses.
func (all *sessions) conns(in func(network.Conn) bool) []network.Conn {
	all.mu.Lock()
	defer all.mu.Unlock()
	var list []network.Conn
	for _, s := range all.mu.now {
		for c := range s.conns {
			if in(c) {
				list = append(list, c)
			}
		}
	}
	return list
}
