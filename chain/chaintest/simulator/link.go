package simulator

import (
	"crypto/sha256"

	"github.com/weisyn/wes/chain/replica"
)

// link is one direction of a connection: what a node needs to send to a peer.
type link struct {
	world    *World
	from, to *node
	name     replica.PeerID // of the receiver, at the sender
	back     replica.PeerID // of the sender, at the receiver
	up       bool
}

func sum(b []byte) [32]byte { return sha256.Sum256(b) }

// Link connects two nodes, if neither is down or has banned the other.
func (w *World) Link(a, b int) { w.link(w.nodes[a], w.nodes[b]) }

func (w *World) link(a, b *node) {
	if a == b || a.down || b.down || a.linkTo(b) != nil || a.bans(b) || b.bans(a) {
		return
	}
	w.peers += 2
	forth := &link{w, a, b, w.peers, w.peers - 1, true}
	back := &link{w, b, a, w.peers - 1, w.peers, true}
	a.links[forth.name], b.links[back.name] = forth, back
	a.did(a.replica.Join(a.clock(), forth.name))
	if back.up {
		b.did(b.replica.Join(b.clock(), back.name))
	}
}

func (n *node) linkTo(m *node) *link {
	for _, p := range n.peers() {
		if n.links[p].to == m {
			return n.links[p]
		}
	}
	return nil
}

// Cut disconnects two nodes.
func (w *World) Cut(a, b int) { w.cut(w.nodes[a], w.nodes[b]) }

func (w *World) cut(a, b *node) {
	forth := a.linkTo(b)
	if forth == nil {
		return
	}
	back := b.links[forth.back]
	forth.up, back.up = false, false
	delete(a.links, forth.name)
	delete(b.links, back.name)
	for _, l := range []*link{forth, back} {
		if !l.from.down {
			l.from.later(0, func() { l.from.did(l.from.replica.Leave(l.from.clock(), l.name)) })
		}
	}
}

// deliver does something at the receiver after a delay, if the link still stands then.
func (l *link) deliver(do func()) {
	l.to.later(l.world.delay(), func() {
		if l.up {
			do()
		}
	})
}

// gossip sends a transaction; some get lost, some come twice.
func (l *link) gossip(raw []byte) {
	if l.world.chance(l.world.o.Loss) {
		return
	}
	l.deliver(func() { l.to.heard(l.back, raw) })
	if l.world.chance(l.world.o.Loss) {
		l.deliver(func() { l.to.heard(l.back, raw) })
	}
}

// announce sends a header.
func (l *link) announce(raw []byte) {
	if l.world.chance(l.world.o.Loss) {
		return
	}
	l.deliver(func() { l.to.announced(l.back, raw) })
}

func (n *node) announced(from replica.PeerID, raw []byte) {
	h, err := replica.DecodeHeader(raw)
	if err != nil {
		n.drop(replica.Drop{Peer: from, Reason: err.Error(), Ban: true})
		return
	}
	n.did(n.replica.Announced(n.clock(), from, h))
}

// patience is how long a node waits for an answer, in ms.
const patience = 20_000

// ask sends a request and brings the answer back. A request whose link is gone or that gets no
// answer fails in the end.
func (n *node) ask(e replica.Ask) {
	done := false
	end := func(do func()) func() {
		return func() {
			if !done {
				done = true
				do()
			}
		}
	}
	lost := end(func() { n.did(n.replica.Fail(n.clock(), e.Peer, e.Request, replica.Lost)) })
	n.later(patience, lost)
	l := n.links[e.Peer]
	if l == nil {
		n.later(0, lost)
		return
	}
	if n.world.chance(n.world.o.Loss) {
		return
	}
	raw := e.Request.Encode()
	l.deliver(func() {
		answer, replies := l.to.serve(raw)
		if !replies {
			return
		}
		n.later(n.world.delay(), end(func() { n.answered(e, answer) }))
	})
}

func (n *node) answered(e replica.Ask, raw []byte) {
	a, err := replica.DecodeAnswer(e.Request, raw)
	if err != nil {
		n.did(n.replica.Fail(n.clock(), e.Peer, e.Request, replica.Garbled))
		return
	}
	n.did(n.replica.Answer(n.clock(), e.Peer, e.Request, a))
}

// serve answers a request, or does not.
func (n *node) serve(raw []byte) ([]byte, bool) {
	answer, err := n.server.Serve(raw)
	if err != nil {
		n.world.fail("node %d serves: %v", n.id, err)
		return nil, false
	}
	return n.adversary.tamper(n.world, raw, answer)
}

// bans remembers who was banned, by whom.
func (n *node) bans(m *node) bool { return n.world.bans[[2]int{n.id, m.id}] }

func (w *World) banned(by, who *node) { w.bans[[2]int{by.id, who.id}] = true }
