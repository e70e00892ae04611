package node

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/chain/replica"
)

// hub connects ledgers without sockets.
type hub struct {
	mu    sync.Mutex
	nodes map[string]*memoryNode
}

// memoryNode is a ledger on a memory store, and the transport between it and others.
type memoryNode struct {
	*ledger
	name  string
	hub   *hub
	store *lockedStore
	links map[string]bool
	miner *miner
	stop  func() error
}

var errCut = errors.New("no link")

func (n *memoryNode) to(peer string) (*memoryNode, error) {
	n.hub.mu.Lock()
	defer n.hub.mu.Unlock()
	if !n.links[peer] {
		return nil, errCut
	}
	return n.hub.nodes[peer], nil
}

func (n *memoryNode) ask(ctx context.Context, peer string, request []byte, limit int) ([]byte, error) {
	p, err := n.to(peer)
	if err != nil {
		return nil, err
	}
	out, err := p.serve(ctx, request)
	if len(out) > limit {
		return nil, errTooLarge
	}
	return out, err
}

func (n *memoryNode) announce(ctx context.Context, peer string, header []byte) error {
	p, err := n.to(peer)
	if err != nil {
		return err
	}
	return p.announced(ctx, n.name, header)
}

func (n *memoryNode) publish(ctx context.Context, tx []byte) error {
	n.hub.mu.Lock()
	var all []*memoryNode
	for name := range n.links {
		all = append(all, n.hub.nodes[name])
	}
	n.hub.mu.Unlock()
	for _, p := range all {
		if p.relayed(ctx, n.name, tx) == replica.Accepted {
			n.hub.mu.Lock()
			for name := range p.links {
				if name != n.name {
					defer p.hub.nodes[name].relayed(ctx, p.name, tx)
				}
			}
			n.hub.mu.Unlock()
		}
	}
	return nil
}

func (n *memoryNode) drop(peer, _ string, _ bool) { n.hub.cut(n.name, peer) }

func (h *hub) link(ctx context.Context, a, b string) error {
	h.mu.Lock()
	x, y := h.nodes[a], h.nodes[b]
	x.links[b], y.links[a] = true, true
	h.mu.Unlock()
	return errors.Join(x.join(ctx, b), y.join(ctx, a))
}

func (h *hub) cut(a, b string) {
	h.mu.Lock()
	x, y := h.nodes[a], h.nodes[b]
	delete(x.links, b)
	delete(y.links, a)
	h.mu.Unlock()
	for _, err := range []error{x.leave(context.Background(), b), y.leave(context.Background(), a)} {
		if err != nil && !errors.Is(err, errStopped) {
			panic(err)
		}
	}
}

// start runs a ledger on the network's genesis block, until the test ends or it is stopped.
func (h *hub) start(t *testing.T, n *Network, name string) *memoryNode {
	t.Helper()
	v, err := n.validator(&chaintest.Verifier{}, 2)
	if err != nil {
		t.Fatal(err)
	}
	genesis, err := n.Genesis()
	if err != nil {
		t.Fatal(err)
	}
	applied, err := v.Genesis(genesis)
	if err != nil {
		t.Fatal(err)
	}
	s, err := chaintest.NewStore(genesis, applied)
	if err != nil {
		t.Fatal(err)
	}
	return h.startOn(t, n, name, &lockedStore{Store: s})
}

// startOn is start on what another run has left.
func (h *hub) startOn(t *testing.T, n *Network, name string, s *lockedStore) *memoryNode {
	t.Helper()
	v, err := n.validator(&chaintest.Verifier{}, 2)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := n.consensus()
	if err != nil {
		t.Fatal(err)
	}
	node := &memoryNode{name: name, hub: h, store: s, links: map[string]bool{}}
	r, err := replica.New(replica.Config{Consensus: cfg, Validator: v}, node.store)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	node.ledger = newLedger(r, node.store, node.store, node, log, prometheus.NewRegistry())
	node.miner, err = newMiner(&Config{Threads: 1}, n, node.ledger, chaintest.NewWallet(name), log)
	if err != nil {
		t.Fatal(err)
	}
	h.mu.Lock()
	h.nodes[name] = node
	h.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- node.run(ctx) }()
	node.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() {
		if err := node.stop(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	return node
}
