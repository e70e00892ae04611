package simulator

import (
	"bytes"
	"errors"
	"maps"
	"slices"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/chain/mempool"
	"github.com/weisyn/wes/chain/replica"
)

// node is one replica with its disk, clock and links.
type node struct {
	world     *World
	id        int
	adversary Adversary
	offset    int64 // of its clock, ms
	store     *chaintest.Store
	replica   *replica.Replica
	server    *replica.Server
	links     map[replica.PeerID]*link // by what it calls the peer
	seen      map[chain.Hash]bool      // gossip that it has carried
	tickets   map[uint64]gossip        // under validation
	ticket    uint64
	life      int                 // of how many; events of an earlier one come to nothing
	down      bool                // crashed
	submitted []replica.Relayed   // in this life
	clashed   map[chain.Hash]bool // those that were impossible for a while
	confirmed map[chain.Hash]bool // transactions of this life's blocks
}

// gossip is a transaction on its way.
type gossip struct {
	raw  []byte
	from replica.PeerID
}

func (n *node) clock() uint64 { return uint64(int64(n.world.now) + n.offset) }

// start begins a life on what the disk holds.
func (n *node) start() error {
	r, err := replica.New(replica.Config{
		Consensus: n.world.consensus, Validator: n.world.validator,
		Mempool: mempool.Config{MinRate: 1, MaxBytes: 8 << 20},
	}, n.store)
	if err != nil {
		return err
	}
	n.replica, n.server = r, r.Server(n.store)
	n.tickets, n.submitted, n.down = map[uint64]gossip{}, nil, false
	n.clashed, n.confirmed = map[chain.Hash]bool{}, map[chain.Hash]bool{}
	n.life++
	n.later(n.world.src.Uint64N(1000), n.tick)
	return nil
}

// later does something in this life.
func (n *node) later(delay uint64, do func()) {
	life := n.life
	n.world.after(delay, func() {
		if !n.down && n.life == life {
			do()
		}
	})
}

func (n *node) tick() {
	n.did(n.replica.Tick(n.clock()))
	n.later(1000, n.tick)
}

// did carries out the effects of a call. A fault of the disk ends this life.
func (n *node) did(err error) {
	if errors.Is(err, chaintest.ErrDisk) {
		n.crash()
		return
	}
	if err != nil {
		n.world.fail("node %d: %v", n.id, err)
		return
	}
	for _, e := range n.replica.Effects() {
		if n.down {
			return
		}
		n.carry(e)
	}
}

func (n *node) carry(e replica.Effect) {
	switch e := e.(type) {
	case replica.Ask:
		n.ask(e)
	case replica.Announce:
		if n.adversary.quiet() {
			return
		}
		raw := replica.EncodeHeader(&e.Header)
		for _, p := range n.peers() {
			n.links[p].announce(raw)
		}
	case replica.Gossip:
		n.publish(gossip{replica.EncodeTx(e.Edition, e.Tx, e.Witness), 0})
	case replica.Verdict:
		g := n.tickets[e.Ticket]
		delete(n.tickets, e.Ticket)
		if e.Decision == replica.Accepted {
			n.publish(g)
		}
	case replica.Moved:
		n.moved(e)
	case replica.Drop:
		n.drop(e)
	}
}

// moved notes which submitted transactions are in a block, and which others are impossible now:
// a node forgets those, even if they become possible again.
func (n *node) moved(m replica.Moved) {
	for _, b := range m.Undone {
		for _, t := range b.Txs {
			delete(n.confirmed, t.ID())
		}
	}
	for _, b := range m.Applied {
		for _, t := range b.Txs {
			n.confirmed[t.ID()] = true
		}
	}
	for _, x := range n.submitted {
		if id := x.Tx.ID(); !n.confirmed[id] && n.replica.Pending(id) == nil {
			n.clashed[id] = n.clashed[id] || !n.possible(x.Tx)
		}
	}
}

// possible reports whether all that a transaction spends is unspent, in the ledger or in the
// mempool.
func (n *node) possible(t *chain.Tx) bool {
	return !slices.ContainsFunc(t.Inputs, func(o chain.Outpoint) bool {
		_, unspent := n.store.Unspent[o]
		return !unspent && n.replica.Pending(o.Tx) == nil
	})
}

// peers lists the links in a fixed order.
func (n *node) peers() []replica.PeerID { return slices.Sorted(maps.Keys(n.links)) }

// publish sends gossip to every peer but the one it came from.
func (n *node) publish(g gossip) {
	n.seen[chain.Hash(sum(g.raw))] = true
	for _, p := range n.peers() {
		if p != g.from {
			n.links[p].gossip(g.raw)
		}
	}
}

// heard takes gossip from a peer.
func (n *node) heard(from replica.PeerID, raw []byte) {
	id := chain.Hash(sum(raw))
	if n.seen[id] {
		return
	}
	n.seen[id] = true
	x, err := replica.DecodeTx(raw)
	if err != nil {
		n.drop(replica.Drop{Peer: from, Reason: err.Error(), Ban: true})
		return
	}
	n.ticket++
	n.tickets[n.ticket] = gossip{bytes.Clone(raw), from}
	n.did(n.replica.Relay(n.clock(), from, x, n.ticket))
}

// drop cuts a link; an honest node never breaks the protocol.
func (n *node) drop(d replica.Drop) {
	l := n.links[d.Peer]
	if l == nil {
		return
	}
	if d.Ban && n.adversary == 0 && l.to.adversary == 0 {
		n.world.fail("node %d bans node %d: %s", n.id, l.to.id, d.Reason)
	}
	if d.Ban {
		n.world.banned(n, l.to)
	}
	n.world.cut(n, l.to)
}

// crash ends a life: what was not durable is lost.
func (n *node) crash() {
	n.down = true
	for _, p := range n.peers() {
		n.world.cut(n, n.links[p].to)
	}
	n.store = n.store.Reopen()
}

// submit takes a transaction of a user, with its attachments.
func (n *node) submit(x replica.Relayed, attachments ...[]byte) bool {
	err := n.replica.Submit(n.clock(), x, attachments...)
	var refusal *replica.Refusal
	if errors.As(err, &refusal) {
		n.did(nil)
		return false
	}
	if err == nil {
		n.submitted = append(n.submitted, x)
	}
	n.did(err)
	return err == nil
}
