package consensus

import (
	"cmp"
	"container/heap"
	"fmt"
	"slices"
	"testing"

	"github.com/weisyn/wes/chain"
)

// network runs cores against each other in simulated time, in one goroutine and from one seed.
// Bodies are names only; every node has a toy ledger, a stack of applied blocks.
type network struct {
	t       testing.TB
	cfg     Config
	miner   *miner
	src     source
	now     uint64 // true time, ms
	seq     int
	queue   events
	nodes   []*simNode
	headers map[chain.Hash]SealedHeader
	links   map[chain.Hash]link
	broken  map[chain.Hash]bool // blocks whose bodies break a rule
	delay   uint64              // largest delay of a message, ms
}

// simNode is a node; its peer ids are the indices of other nodes plus one.
type simNode struct {
	net     *network
	id      int
	core    *Core
	offset  int64 // of its clock, ms
	bodies  map[chain.Hash]bool
	ledger  []chain.Hash
	records []Record
	linked  map[int]bool
	mute    bool // answers no request
	banned  int  // times it was dropped
}

type event struct {
	at  uint64
	seq int
	do  func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(e[i].at, e[j].at), cmp.Compare(e[i].seq, e[j].seq)) < 0
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

func newNetwork(t testing.TB, seed uint64, nodes int) *network {
	return newNetworkOf(t, testConfig(), seed, nodes)
}

func newNetworkOf(t testing.TB, cfg Config, seed uint64, nodes int) *network {
	n := &network{
		t: t, cfg: cfg, miner: newMiner(t, cfg), src: newSource(seed), now: epoch + 20_000, delay: 200,
		headers: map[chain.Hash]SealedHeader{}, links: map[chain.Hash]link{}, broken: map[chain.Hash]bool{},
	}
	n.links[n.miner.rules.chain] = n.miner.genesisLink()
	for i := range nodes {
		node := &simNode{net: n, id: i, bodies: map[chain.Hash]bool{}, linked: map[int]bool{}}
		node.core = newCore(t, cfg)
		n.nodes = append(n.nodes, node)
		n.after(n.src.Uint64N(1000), node.tick)
	}
	return n
}

func (n *network) after(delay uint64, do func()) {
	n.seq++
	heap.Push(&n.queue, event{n.now + delay, n.seq, do})
}

// run lets time pass.
func (n *network) run(ms uint64) {
	end := n.now + ms
	for len(n.queue) > 0 && n.queue[0].at <= end {
		e := heap.Pop(&n.queue).(event)
		n.now = e.at
		e.do()
	}
	n.now = end
}

func (n *network) link(a, b int) {
	if a == b || n.nodes[a].linked[b] {
		return
	}
	n.nodes[a].linked[b], n.nodes[b].linked[a] = true, true
	n.nodes[a].step(Joined{PeerID(b + 1)})
	n.nodes[b].step(Joined{PeerID(a + 1)})
}

func (n *network) cut(a, b int) {
	if !n.nodes[a].linked[b] {
		return
	}
	delete(n.nodes[a].linked, b)
	delete(n.nodes[b].linked, a)
	n.nodes[a].step(Left{PeerID(b + 1)})
	n.nodes[b].step(Left{PeerID(a + 1)})
}

func (n *network) linkAll() {
	for a := range n.nodes {
		for b := range a {
			n.link(a, b)
		}
	}
}

// split cuts every link between the first k nodes and the others.
func (n *network) split(k int) {
	for a := range k {
		for b := k; b < len(n.nodes); b++ {
			n.cut(a, b)
		}
	}
}

func (s *simNode) clock() uint64 { return uint64(int64(s.net.now) + s.offset) }

func (s *simNode) tick() {
	s.core.Tick(s.clock())
	s.handle()
	s.net.after(1000, s.tick)
}

func (s *simNode) step(m Message) {
	if err := s.core.Step(s.clock(), m); err != nil {
		s.net.t.Fatalf("node %d: %v", s.id, err)
	}
	s.handle()
}

// handle does what the core asks for.
func (s *simNode) handle() {
	for {
		r := s.core.Ready()
		for _, h := range r.Headers {
			s.records = append(s.records, Record{Header: h})
		}
		for _, q := range r.Requests {
			s.request(q)
		}
		if r.Announce != nil {
			for _, to := range s.peers() {
				s.send(to, Headers{PeerID(s.id + 1), []SealedHeader{s.net.headers[*r.Announce]}})
			}
		}
		for _, d := range r.Drops {
			s.net.nodes[d.Peer-1].banned++
			s.net.after(0, func() { s.net.cut(s.id, int(d.Peer)-1) })
		}
		if r.Switch == nil {
			return
		}
		if err := s.core.Step(s.clock(), s.perform(r.Switch)); err != nil {
			s.net.t.Fatalf("node %d: %v", s.id, err)
		}
	}
}

func (s *simNode) peers() []int {
	var all []int
	for i := range s.net.nodes {
		if s.linked[i] {
			all = append(all, i)
		}
	}
	return all
}

// perform moves the toy ledger, all or nothing.
func (s *simNode) perform(w *Switch) Switched {
	before := slices.Clone(s.ledger)
	tip := func() chain.Hash {
		if len(s.ledger) == 0 {
			return s.net.miner.rules.chain
		}
		return s.ledger[len(s.ledger)-1]
	}
	for _, h := range w.Undo {
		if tip() != h {
			s.net.t.Fatalf("node %d undoes a block that is not on top", s.id)
		}
		s.ledger = s.ledger[:len(s.ledger)-1]
	}
	for _, a := range w.Apply {
		switch {
		case s.net.headers[a.Block].Parent != tip():
			s.net.t.Fatalf("node %d applies a block to another parent", s.id)
		case !s.bodies[a.Block]:
			s.net.t.Fatalf("node %d applies a block that it does not have", s.id)
		case s.net.broken[a.Block]:
			s.ledger = before
			return Switched{Tip: tip(), Invalid: a.Block}
		}
		s.ledger = append(s.ledger, a.Block)
	}
	return Switched{Tip: tip()}
}

// send delivers a message unless the link is cut by then.
func (s *simNode) send(to int, m Message) {
	s.net.after(1+s.net.src.Uint64N(s.net.delay), func() {
		if !s.linked[to] {
			return
		}
		if b, ok := m.(Body); ok {
			s.net.nodes[to].bodies[b.Block] = true
		}
		s.net.nodes[to].step(m)
	})
}

// request carries a request to a peer and its answer back.
func (s *simNode) request(q Request) {
	peer := s.net.nodes[q.Peer-1]
	s.net.after(1+s.net.src.Uint64N(s.net.delay), func() {
		if !s.linked[peer.id] || peer.mute {
			return
		}
		me := PeerID(peer.id + 1)
		switch {
		case q.Locator != nil:
			hashes, _ := peer.core.After(q.Locator)
			m := Headers{Peer: me}
			for _, h := range hashes {
				m.Headers = append(m.Headers, s.net.headers[h])
			}
			peer.send(s.id, m)
		case peer.bodies[q.Block]:
			peer.send(s.id, Body{Peer: me, Block: q.Block})
		default:
			peer.send(s.id, NotFound{me, q.Block})
		}
	})
}

// mine makes the node find a block now, if it can build one.
func (s *simNode) mine() (chain.Hash, bool) {
	t, err := s.core.Template(s.clock())
	if err != nil || t.Time > s.clock()+s.net.cfg.withDefaults().MaxAhead {
		return chain.Hash{}, false
	}
	h, l := s.net.miner.child(s.net.links[t.Parent], t.Time, nil)
	s.net.headers[l.hash], s.net.links[l.hash] = h, l
	s.bodies[l.hash] = true
	s.step(Mined{h})
	return l.hash, true
}

// mineFor has the nodes find blocks at random, spacing ms apart on average.
func (n *network) mineFor(ms, spacing uint64, nodes ...int) {
	end := n.now + ms
	for {
		wait := uint64(n.src.ExpFloat64() * float64(spacing))
		if n.now+wait > end {
			n.run(end - n.now)
			return
		}
		n.run(wait)
		n.nodes[nodes[n.src.IntN(len(nodes))]].mine()
	}
}

// tips returns how many nodes stand on each tip.
func (n *network) tips() map[chain.Hash]int {
	tips := map[chain.Hash]int{}
	for _, s := range n.nodes {
		tips[s.core.Status().Tip]++
	}
	return tips
}

// agree requires one tip, and toy ledgers that match it.
func (n *network) agree(what string) {
	n.t.Helper()
	if len(n.tips()) != 1 {
		var lines string
		for _, s := range n.nodes {
			lines += fmt.Sprintf("\nnode %d: %+v", s.id, s.core.Status())
		}
		n.t.Fatalf("%s: %d tips%s", what, len(n.tips()), lines)
	}
	for _, s := range n.nodes {
		if uint64(len(s.ledger)) != s.core.Status().Height {
			n.t.Fatalf("%s: node %d: ledger of %d blocks at height %d", what, s.id, len(s.ledger), s.core.Status().Height)
		}
	}
}

// settle adds one block at node 0 and gives it time to spread.
func (n *network) settle() {
	for {
		n.run(30_000)
		if _, ok := n.nodes[0].mine(); ok {
			break
		}
	}
	n.run(30_000)
}
