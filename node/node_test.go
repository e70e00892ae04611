package node

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/chain/replica"
)

// memoryStore is a store whose contents outlive the node, like files.
type memoryStore struct {
	*lockedStore
	closed int
}

func (s *memoryStore) Published() replica.Source  { return s.lockedStore }
func (s *memoryStore) Tidy(context.Context) error { return nil }
func (s *memoryStore) Close() error               { s.closed++; return nil }

func (n *memoryNode) Redial()      {}
func (n *memoryNode) Close() error { return nil }

// disks are the stores of a test, by folder, and where nodes find each other. fault makes a
// part fail to open.
type disks struct {
	hub   *hub
	fault string
	mu    sync.Mutex
	by    map[string]*memoryStore
}

var errFault = errors.New("this part is broken")

func (d *disks) check(part string) error {
	if d.fault == part {
		return errFault
	}
	return nil
}

func (d *disks) openers() openers {
	return openers{
		proofs: func(*Config) (chain.ProofVerifier, error) { return &chaintest.Verifier{}, d.check("proofs") },
		store:  d.open,
		peers: func(_ context.Context, c *Config, _ *Network, key []byte, _ *slog.Logger, _ prometheus.Registerer) (peers, error) {
			if len(key) != 32 {
				return nil, errors.New("a key of another length")
			}
			return &memoryNode{name: filepath.Base(c.Home), hub: d.hub, links: map[string]bool{}, dial: c.Peers}, d.check("peers")
		},
		serve: d.serve,
	}
}

func (d *disks) open(dir string, genesis *chain.Block, a *chain.Applied) (ledgerStore, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.by[dir]; s != nil {
		s.Reopen()
		return s, d.check("store")
	}
	s, err := chaintest.NewStore(genesis, a)
	if err != nil {
		return nil, err
	}
	d.by[dir] = &memoryStore{lockedStore: &lockedStore{Store: s}}
	return d.by[dir], d.check("store")
}

func (d *disks) serve(ctx context.Context, p peers, l *ledger) error {
	n := p.(*memoryNode)
	n.ledger = l
	d.hub.mu.Lock()
	d.hub.nodes[n.name] = n
	d.hub.mu.Unlock()
	for _, peer := range n.dial {
		if err := d.hub.link(ctx, n.name, peer); err != nil {
			return err
		}
	}
	<-ctx.Done()
	d.hub.mu.Lock()
	var linked []string
	for peer := range n.links {
		linked = append(linked, peer)
	}
	d.hub.mu.Unlock()
	for _, peer := range linked {
		d.hub.cut(n.name, peer)
	}
	return d.check("serve")
}

// place is a folder in which nodes have their homes, and a network.
type place struct {
	*disks
	t    *testing.T
	dir  string
	file string
}

func newPlace(t *testing.T, n *Network) *place {
	t.Helper()
	p := &place{t: t, dir: t.TempDir()}
	p.disks = &disks{hub: &hub{nodes: map[string]*memoryNode{}}, by: map[string]*memoryStore{}}
	p.file = filepath.Join(p.dir, "network.toml")
	text, err := n.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := writeFile(p.file, text); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *place) config(name string, peers ...string) Config {
	c := DefaultConfig()
	c.Home, c.Network, c.Peers, c.Threads = filepath.Join(p.dir, name), p.file, peers, 1
	return c
}

// run runs a node until the test ends or the function returned is called, which returns the
// error of Run and Close.
func (p *place) run(c Config) (*Node, func() error) {
	p.t.Helper()
	n, err := open(p.t.Context(), c, Options{Registry: prometheus.NewRegistry()}, p.openers())
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- errors.Join(n.Run(ctx), n.Close()) }()
	stop := sync.OnceValue(func() error { cancel(); return <-ended })
	p.t.Cleanup(func() {
		if err := stop(); err != nil {
			p.t.Error(err)
		}
	})
	await(p.t, "peers are served", func() bool {
		p.hub.mu.Lock()
		defer p.hub.mu.Unlock()
		m := p.hub.nodes[filepath.Base(c.Home)]
		return m != nil && m.ledger == n.ledger
	})
	return n, stop
}

func TestDevNodeMakesABlockForEveryTransaction(t *testing.T) {
	network, alice := funded(t)
	p := newPlace(t, network)
	a, _ := p.run(p.config("a"))
	b, stopB := p.run(p.config("b", "a"))
	for i := range 2 {
		tx := spend(t, network, alice, i)
		if err := b.Submit(t.Context(), tx.Tx, tx.Witness); err != nil {
			t.Fatal(err)
		}
		for _, n := range []*Node{a, b} {
			await(t, "it is in a block", func() bool {
				_, found, err := n.ledger.store.Entry(tx.Out(0).Outpoint)
				return found && err == nil
			})
		}
	}
	if err := stopB(); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Make(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	b, _ = p.run(p.config("b", "a"))
	late, _ := p.run(p.config("late", "b"))
	for _, n := range []*Node{b, late} {
		await(t, "all stand on one block", func() bool { return n.Status().Chain.Tip == a.Status().Chain.Tip })
		await(t, "the node is ready", func() bool { return len(n.Ready()) == 0 })
	}
}

func TestWhatIsOpenIsClosedWhenAPartCannotOpen(t *testing.T) {
	network, _ := funded(t)
	for _, part := range []string{"proofs", "store", "peers"} {
		p := newPlace(t, network)
		p.fault = part
		if _, err := open(t.Context(), p.config("a"), Options{}, p.openers()); !errors.Is(err, errFault) {
			t.Fatalf("%s: %v", part, err)
		}
		p.fault = ""
		n, err := open(t.Context(), p.config("a"), Options{}, p.openers()) // the lock is free again
		if err != nil {
			t.Fatalf("%s: %v", part, err)
		}
		if err := n.Close(); err != nil {
			t.Errorf("%s: %v", part, err)
		}
		if s := p.by[filepath.Join(p.dir, "a", storeFolder)]; s.closed == 0 {
			t.Error("the store was not closed")
		}
	}
}

func TestFaultOfAPartStopsTheNodeAndIsNamed(t *testing.T) {
	network, _ := funded(t)
	p := newPlace(t, network)
	n, err := open(t.Context(), p.config("a"), Options{}, p.openers())
	if err != nil {
		t.Fatal(err)
	}
	p.by[filepath.Join(p.dir, "a", storeFolder)].FailAt = 1
	made := make(chan error, 1)
	go func() {
		_, err := n.Make(t.Context(), 1)
		made <- err
	}()
	err = errors.Join(n.Run(t.Context()), n.Close())
	var broken *PartError
	if !errors.As(err, &broken) || !errors.Is(err, chaintest.ErrDisk) || !slices.Contains([]string{"ledger", "miner"}, broken.Part) {
		t.Errorf("%v", err)
	}
	if err := <-made; !errors.Is(err, chaintest.ErrDisk) && !errors.Is(err, errStopped) {
		t.Errorf("who waited for a block: %v", err)
	}
}

func TestMiningNeedsSomebodyToPay(t *testing.T) {
	network, alice := funded(t)
	network.Profile = "public"
	p := newPlace(t, network)
	for setting, change := range map[string]func(*Config){
		"mine":      func(*Config) {},
		"pay_to":    func(c *Config) { c.PayTo = AddressOf(chain.MainPrefix, alice.Public()) },
		"miner_key": func(c *Config) { c.MinerKey = "absent" },
	} {
		c := p.config("a")
		c.Mine = true
		change(&c)
		_, err := open(t.Context(), c, Options{}, p.openers())
		var bad *SettingError
		if !errors.As(err, &bad) || bad.Setting != setting {
			t.Errorf("%s: %v", setting, err)
		}
	}
	c := p.config("a")
	c.Mine, c.PayTo = true, AddressOf(chain.TestPrefix, alice.Public())
	n, _ := p.run(c)
	await(t, "a public network makes blocks", func() bool { return n.Status().Chain.Height > 2 })
	if _, err := n.Make(t.Context(), 1); !errors.Is(err, ErrNoMiner) {
		t.Errorf("blocks on demand: %v", err)
	}
	b, found, err := n.ledger.store.Block(n.Status().Chain.Tip)
	if err != nil || !found || b.Header.Miner != chain.PublicKey(chain.LockHash(chain.Key{Key: alice.Public()})) {
		t.Errorf("the miner of a block: %v %v", found, err)
	}
}

func TestConsortiumNeedsAListedKey(t *testing.T) {
	network := consortium(t)
	p := newPlace(t, network)
	key := func(name string) Options {
		return Options{Key: func(context.Context, string) (Signer, error) { return chaintest.NewWallet(name), nil }}
	}
	c := p.config("a")
	c.Mine, c.MinerKey = true, "mine"
	if _, err := open(t.Context(), c, key("mallory"), p.openers()); err == nil || !strings.Contains(err.Error(), "none of them") {
		t.Errorf("a key that is not listed: %v", err)
	}
	n, err := open(t.Context(), c, key("alice"), p.openers())
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestEveryMetricMoves runs two nodes and demands that whatever can change has changed.
func TestEveryMetricMoves(t *testing.T) {
	network, alice := funded(t)
	p := newPlace(t, network)
	reg := prometheus.NewRegistry()
	a, _ := p.run(p.config("a"))
	if _, err := a.Make(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	n, err := open(t.Context(), p.config("b", "a"), Options{Registry: reg}, p.openers())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- errors.Join(n.Run(ctx), n.Close()) }()
	await(t, "it has synced", func() bool { return n.Status().Chain.Height == 3 })
	tx := spend(t, network, alice, 0)
	if err := n.Submit(t.Context(), tx.Tx, tx.Witness); err != nil {
		t.Fatal(err)
	}
	await(t, "its block", func() bool { return n.Status().Chain.Height > 3 && n.maker.made.Load()+a.maker.made.Load() > 3 })
	got := map[string]float64{}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.Metric {
			got[f.GetName()] += m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	for _, name := range []string{
		"wes_chain_height", "wes_chain_headers", "wes_chain_work", "wes_chain_tip_age_seconds", "wes_chain_blocks_connected_total",
		"wes_chain_event_seconds", "wes_sync_requests_total", "wes_sync_peers", "wes_mempool_transactions_total", "wes_mempool_floor",
	} {
		if got[name] == 0 {
			t.Errorf("%s is 0", name)
		}
	}
	for _, name := range []string{"wes_chain_blocks_disconnected_total", "wes_chain_events_queued", "wes_miner_hashes_total", "wes_miner_blocks_total", "wes_mempool_orphans"} {
		if _, there := got[name]; !there {
			t.Errorf("there is no %s", name)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
