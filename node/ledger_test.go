package node

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/chain/replica"
)

// lockedStore lets peers read a memory store while its owner writes.
type lockedStore struct {
	mu sync.RWMutex
	*chaintest.Store
}

func (s *lockedStore) Entry(o chain.Outpoint) (chain.Entry, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.Store.Entry(o)
}

func (s *lockedStore) VerifyingKey(h chain.Hash) ([]byte, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.Store.VerifyingKey(h)
}

func (s *lockedStore) Attachment(h chain.Hash) ([]byte, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.Store.Attachment(h)
}

func (s *lockedStore) Headers() iter.Seq2[chain.StoredHeader, error] { return s.Store.Headers() }

func (s *lockedStore) Header(h chain.Hash) (chain.StoredHeader, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.Store.Header(h)
}

func (s *lockedStore) Block(h chain.Hash) (*chain.Block, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.Store.Block(h)
}

func (s *lockedStore) Body(h chain.Hash) ([]byte, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.Store.Body(h)
}

func (s *lockedStore) MainHash(n uint64) (chain.Hash, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.Store.MainHash(n)
}

func (s *lockedStore) MainHeight(h chain.Hash) (uint64, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.Store.MainHeight(h)
}

// write makes one write alone.
func (s *lockedStore) write(f func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return f()
}

func (s *lockedStore) PutHeaders(hs []chain.StoredHeader) error {
	return s.write(func() error { return s.Store.PutHeaders(hs) })
}

func (s *lockedStore) MarkStored(hs []chain.Hash) error {
	return s.write(func() error { return s.Store.MarkStored(hs) })
}

func (s *lockedStore) MarkBad(hs []chain.Hash) error {
	return s.write(func() error { return s.Store.MarkBad(hs) })
}

func (s *lockedStore) PutBody(b *chain.Block) error {
	return s.write(func() error { return s.Store.PutBody(b) })
}

func (s *lockedStore) PutAttachments(all ...[]byte) error {
	return s.write(func() error { return s.Store.PutAttachments(all...) })
}

func (s *lockedStore) Begin(undo, apply []chain.Hash) error {
	return s.write(func() error { return s.Store.Begin(undo, apply) })
}

func (s *lockedStore) Disconnect() (b *chain.Block, err error) {
	err = s.write(func() error { b, err = s.Store.Disconnect(); return err })
	return b, err
}

func (s *lockedStore) Connect(b *chain.Block, a *chain.Applied, checked bool) error {
	return s.write(func() error { return s.Store.Connect(b, a, checked) })
}
func (s *lockedStore) End() error      { return s.write(s.Store.End) }
func (s *lockedStore) Rollback() error { return s.write(s.Store.Rollback) }

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
	dial  []string
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

// await waits until a condition holds, as long as a test may take.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	for !holds() {
		if ctx.Err() != nil {
			t.Fatalf("it never came to this: %s", what)
		}
		pause(ctx, nil, 2*time.Millisecond)
	}
}

func agree(nodes ...*memoryNode) func() bool {
	return func() bool {
		for _, n := range nodes {
			if n.status().Chain.Tip != nodes[0].status().Chain.Tip {
				return false
			}
		}
		return true
	}
}

// funded is a dev network whose coins belong to a test wallet.
func funded(t *testing.T) (*Network, chaintest.Wallet) {
	t.Helper()
	alice := chaintest.NewWallet("alice")
	n := devNetwork()
	n.Outputs = []GenesisOutput{{Address: AddressOf(n.Prefix, alice.Public()), Amount: 1000 * chain.Unit, Count: 10}}
	if err := n.validate(); err != nil {
		t.Fatal(err)
	}
	return n, alice
}

// spend makes a transaction of the i-th output of the genesis block.
func spend(t *testing.T, n *Network, from chaintest.Wallet, i int) chaintest.Signed {
	t.Helper()
	genesis, err := n.Genesis()
	if err != nil {
		t.Fatal(err)
	}
	tx := genesis.Txs[0]
	u := chain.UTXO{Outpoint: chain.Outpoint{Tx: tx.ID(), Index: uint32(i)}, Entry: chain.Entry{Output: tx.Outputs[i]}}
	d := &chaintest.Draft{}
	d.Chain, d.Fee = n.Chain(), chain.Native(chain.Unit)
	d.Spend(u, chaintest.With{Data: []any{chain.EncodeLock(from.Lock()), from}})
	d.Pay(chain.Output{Lock: chaintest.NewWallet("bob").Lock(), Value: chain.Native(999 * chain.Unit)})
	return d.Sign()
}

func TestTransactionOfOneNodeIsMinedByAnother(t *testing.T) {
	n, alice := funded(t)
	h := &hub{nodes: map[string]*memoryNode{}}
	a, b, c := h.start(t, n, "a"), h.start(t, n, "b"), h.start(t, n, "c")
	if err := errors.Join(h.link(t.Context(), "a", "b"), h.link(t.Context(), "b", "c")); err != nil {
		t.Fatal(err)
	}
	tx := spend(t, n, alice, 0)
	notices, cancel := a.feed.subscribe()
	defer cancel()
	if err := a.submit(t.Context(), tx.Tx, tx.Witness, nil); err != nil {
		t.Fatal(err)
	}
	if first := <-notices; first.Entered == nil || first.Entered.ID != tx.ID() {
		t.Errorf("the first notice is %+v", first)
	}
	await(t, "the transaction reaches c", func() bool { return c.status().Mempool.Transactions == 1 })
	if _, err := c.miner.make(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	await(t, "all have the block", func() bool { return agree(a, b, c)() && a.status().Chain.Height == 1 })
	for _, node := range []*memoryNode{a, b, c} {
		if _, found, err := node.store.Entry(tx.Out(0).Outpoint); !found || err != nil {
			t.Errorf("%s does not have the output: %v", node.name, err)
		}
		await(t, "the mempool is empty", func() bool { return node.status().Mempool.Transactions == 0 })
	}
	for second := range notices {
		if len(second.Applied) > 0 {
			break
		}
	}
}

func TestSubmitSaysWhyNot(t *testing.T) {
	n, alice := funded(t)
	h := &hub{nodes: map[string]*memoryNode{}}
	a := h.start(t, n, "a")
	tx := spend(t, n, alice, 0)
	tx.Witness[0].Data[1][0] ^= 1
	err := a.submit(t.Context(), tx.Tx, tx.Witness, nil)
	var broken *chain.RuleError
	if !refused(err) || !errors.As(err, &broken) || broken.Code != chain.CodeSignature {
		t.Errorf("a wrong signature: %v", err)
	}
	if err := a.stop(); err != nil {
		t.Fatal(err)
	}
	if err := a.submit(t.Context(), tx.Tx, tx.Witness, nil); !errors.Is(err, errStopped) {
		t.Errorf("after the end: %v", err)
	}
}

func TestPartitionHeals(t *testing.T) {
	n, _ := funded(t)
	h := &hub{nodes: map[string]*memoryNode{}}
	a, b := h.start(t, n, "a"), h.start(t, n, "b")
	late := h.start(t, n, "late")
	for _, part := range []struct {
		node   *memoryNode
		blocks int
	}{{a, 5}, {b, 9}} {
		if made, err := part.node.miner.make(t.Context(), part.blocks); err != nil || len(made) != part.blocks {
			t.Fatalf("%s made %d: %v", part.node.name, len(made), err)
		}
	}
	if agree(a, b)() {
		t.Fatal("parted nodes agree")
	}
	if err := errors.Join(h.link(t.Context(), "a", "b"), h.link(t.Context(), "late", "a")); err != nil {
		t.Fatal(err)
	}
	await(t, "all stand on the longer branch", func() bool { return agree(a, b, late)() && a.status().Chain.Height == 9 })
}

func TestNodeResumesWhereItStood(t *testing.T) {
	n, alice := funded(t)
	h := &hub{nodes: map[string]*memoryNode{}}
	a, b := h.start(t, n, "a"), h.start(t, n, "b")
	if err := h.link(t.Context(), "a", "b"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.miner.make(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	await(t, "both stand on block 3", agree(a, b))
	h.cut("a", "b")
	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	tx := spend(t, n, alice, 0)
	if err := a.submit(t.Context(), tx.Tx, tx.Witness, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := a.miner.make(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	b = h.startOn(t, n, "b", &lockedStore{Store: b.store.Reopen()})
	if got := b.status().Chain.Height; got != 3 {
		t.Errorf("it resumes at block %d", got)
	}
	if err := h.link(t.Context(), "a", "b"); err != nil {
		t.Fatal(err)
	}
	await(t, "both stand on block 6", func() bool { return agree(a, b)() && b.status().Chain.Height == 6 })
}

// TestConsortiumMakesBlocksInTurns runs three miners of five listed: absent ones delay a block,
// and stop nothing.
func TestConsortiumMakesBlocksInTurns(t *testing.T) {
	names := []string{"a", "b", "c", "absent", "absent too"}
	var keys []chain.PublicKey
	for _, name := range names {
		keys = append(keys, chaintest.NewWallet(name).Public())
	}
	n, err := NewConsortium("acme", chain.TestPrefix, builtinTime, keys,
		[]GenesisOutput{{Address: AddressOf(chain.TestPrefix, keys[0]), Amount: chain.Unit, Count: 1}})
	if err != nil {
		t.Fatal(err)
	}
	n.Spacing, n.Heartbeat = 40, 50
	h := &hub{nodes: map[string]*memoryNode{}}
	var nodes []*memoryNode
	for _, name := range names[:3] {
		nodes = append(nodes, h.start(t, n, name))
	}
	if err := errors.Join(h.link(t.Context(), "a", "b"), h.link(t.Context(), "b", "c"), h.link(t.Context(), "a", "c")); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, len(nodes))
	for _, node := range nodes {
		go func() { ended <- node.miner.run(ctx) }()
	}
	await(t, "20 blocks", func() bool { return nodes[0].status().Chain.Height >= 20 })
	stop()
	for range nodes {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	await(t, "all agree", agree(nodes...))
	makers := map[chain.PublicKey]int{}
	for i := uint64(1); i <= 20; i++ {
		hash, _, _ := nodes[0].store.MainHash(i)
		header, _, _ := nodes[0].store.Header(hash)
		makers[header.Header.Miner]++
	}
	if len(makers) != 3 {
		t.Errorf("blocks by miner: %v", makers)
	}
}

// TestDiskFaultStopsTheLedger fails every write in turn, in blocks made here and in blocks that
// come, and sees the ledger stop with that fault.
func TestDiskFaultStopsTheLedger(t *testing.T) {
	n, _ := funded(t)
	for at := 1; at <= 6; at++ {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			h := &hub{nodes: map[string]*memoryNode{}}
			a := h.start(t, n, "a")
			a.store.FailAt = at
			_, err := a.miner.make(t.Context(), 3)
			if !errors.Is(err, chaintest.ErrDisk) && !errors.Is(err, errStopped) {
				t.Errorf("the miner: %v", err)
			}
			<-a.queue.ended
			if err := a.stop(); !errors.Is(err, chaintest.ErrDisk) {
				t.Errorf("the ledger: %v", err)
			}
			a.stop = func() error { return nil }
		})
	}
}

func TestGarbageIsThePeersFault(t *testing.T) {
	n, _ := funded(t)
	h := &hub{nodes: map[string]*memoryNode{}}
	a := h.start(t, n, "a")
	h.start(t, n, "b")
	if err := h.link(t.Context(), "a", "b"); err != nil {
		t.Fatal(err)
	}
	if d := a.relayed(t.Context(), "b", []byte("nonsense")); d != replica.Rejected {
		t.Errorf("a transaction: %v", d)
	}
	if err := a.announced(t.Context(), "b", []byte("nonsense")); err == nil {
		t.Error("a header is taken")
	}
	if _, err := a.serve(t.Context(), []byte("nonsense")); !errors.Is(err, replica.ErrMessage) {
		t.Errorf("a request: %v", err)
	}
	if err := a.stop(); err != nil {
		t.Errorf("it stops the node: %v", err)
	}
}
