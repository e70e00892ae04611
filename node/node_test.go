package node

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/chain/store"
	"github.com/weisyn/wes/node/api"
)

// place is a folder in which nodes have their homes, and a network.
type place struct {
	t    testing.TB
	dir  string
	file string
}

func newPlace(t testing.TB, n *Network) *place {
	t.Helper()
	p := &place{t: t, dir: t.TempDir()}
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

// config is that of a node on loopback that knows some others.
func (p *place) config(name string, peers ...*Node) Config {
	c := DefaultConfig()
	c.Home, c.Network, c.Threads, c.API = filepath.Join(p.dir, name), p.file, 1, "127.0.0.1:0"
	c.Listen = []string{"/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0"}
	c.MDNS, c.NAT, c.DHT = false, false, "off"
	for _, n := range peers {
		c.Peers = append(c.Peers, n.Addresses()...)
	}
	return c
}

func options() Options {
	return Options{Version: "test", Registry: prometheus.NewRegistry()}
}

func (p *place) open(c Config, o Options) *Node {
	p.t.Helper()
	n, err := Open(p.t.Context(), c, o)
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

// run runs a node until the test ends or the function returned is called, which returns the
// error of Run and Close.
func (p *place) run(c Config, o Options) (*Node, func() error) {
	p.t.Helper()
	n := p.open(c, o)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- errors.Join(n.Run(ctx), n.Close()) }()
	stop := sync.OnceValue(func() error { cancel(); return <-ended })
	p.t.Cleanup(func() {
		if err := stop(); err != nil {
			p.t.Error(err)
		}
	})
	return n, stop
}

// holds reports whether readers of a node see an output.
func holds(n *Node, o chain.Outpoint) func() bool {
	return func() bool {
		r := n.store.Reader()
		defer r.Close()
		_, found, err := r.Entry(o)
		return found && err == nil
	}
}

func together(nodes ...*Node) func() bool {
	return func() bool {
		for _, n := range nodes {
			if n.Status().Chain.Tip != nodes[0].Status().Chain.Tip {
				return false
			}
		}
		return true
	}
}

// TestThreeNodesOverSockets: a transaction submitted at one is in a block on all, a node that
// stops resumes where it stood, one that comes late syncs, and all become ready.
func TestThreeNodesOverSockets(t *testing.T) {
	network, alice := funded(t)
	p := newPlace(t, network)
	a, _ := p.run(p.config("a"), options())
	b, stopB := p.run(p.config("b", a), options())
	await(t, "a and b are peers", func() bool { return a.Status().Peers == 1 && b.Status().Peers == 1 })
	for i := range 2 {
		tx := spend(t, network, alice, i)
		if err := b.Submit(t.Context(), tx.Tx, tx.Witness); err != nil {
			t.Fatal(err)
		}
		for _, n := range []*Node{a, b} {
			await(t, "it is in a block", holds(n, tx.Out(0).Outpoint))
		}
	}
	if err := stopB(); err != nil {
		t.Fatal(err)
	}
	stood := b.Status().Chain.Height
	if _, err := a.Make(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	b = p.open(p.config("b", a), options())
	if got := b.Status().Chain.Height; got != stood {
		t.Errorf("it resumes at block %d, and stood at %d", got, stood)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b, _ = p.run(p.config("b", a), options())
	late, _ := p.run(p.config("late", b), options())
	await(t, "all stand on one block", together(a, b, late))
	for _, n := range []*Node{a, b, late} {
		await(t, "the node is ready", func() bool { return len(n.Ready()) == 0 })
	}
}

// TestPublicNetworkHealsAfterAPartition: two miners part, both mine, and meet again.
func TestPublicNetworkHealsAfterAPartition(t *testing.T) {
	network, alice := funded(t)
	network.Profile, network.Spacing = "public", 1000
	p := newPlace(t, network)
	mining := func(c Config) Config {
		c.Mine, c.PayTo = true, AddressOf(network.Prefix, alice.Public())
		return c
	}
	a, stopA := p.run(mining(p.config("a")), options())
	b, stopB := p.run(mining(p.config("b")), options())
	for _, n := range []*Node{a, b} {
		await(t, "blocks on both sides", func() bool { return n.Status().Chain.Height > 5 })
	}
	if err := errors.Join(stopA(), stopB()); err != nil {
		t.Fatal(err)
	}
	if together(a, b)() {
		t.Fatal("parted nodes agree")
	}
	a, _ = p.run(p.config("a"), options())
	b, _ = p.run(mining(p.config("b", a)), options())
	await(t, "they agree, and go on", func() bool { return together(a, b)() && b.maker.made.Load() > 0 })
}

func TestIdentityIsKnownBeforeTheFirstStart(t *testing.T) {
	network, _ := funded(t)
	p := newPlace(t, network)
	c := p.config("a")
	name, err := Identity(c.Home)
	if err != nil {
		t.Fatal(err)
	}
	n := p.open(c, options())
	again, err := Identity(c.Home) // while it is open
	if got := string(n.sockets.host.Self()); got != name || again != name || err != nil {
		t.Errorf("the node is %s; said was %s and %s: %v", got, name, again, err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestNetworksOfOtherRulesDoNotTalk(t *testing.T) {
	network, _ := funded(t)
	p := newPlace(t, network)
	a, _ := p.run(p.config("a"), options())
	network.Params = map[string]uint64{"maturity": 2}
	q := newPlace(t, network)
	b, _ := q.run(q.config("b", a), options())
	for _, address := range a.Addresses() {
		_ = b.sockets.host.Connect(t.Context(), address) // it may last for a moment
	}
	c, _ := p.run(p.config("c", a), options())
	await(t, "one of the same rules is a peer", func() bool { return c.Status().Peers == 1 && a.Status().Peers > 0 })
	if a.Status().Peers != 1 || b.Status().Peers != 0 {
		t.Errorf("peers: %d and %d", a.Status().Peers, b.Status().Peers)
	}
	if err := a.sockets.Accept(b.sockets.Greeting()); err == nil {
		t.Error("the greeting of another chain is accepted")
	}
}

func TestBansOutliveTheNode(t *testing.T) {
	network, _ := funded(t)
	p := newPlace(t, network)
	a, stopA := p.run(p.config("a"), options())
	b, _ := p.run(p.config("b"), options())
	if err := b.sockets.host.Connect(t.Context(), a.Addresses()[0]); err != nil {
		t.Fatal(err)
	}
	await(t, "they are peers", func() bool { return a.Status().Peers == 1 })
	a.sockets.drop(string(b.sockets.host.Self()), "test", true)
	await(t, "it is gone", func() bool { return a.Status().Peers == 0 })
	if err := stopA(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(p.dir, "a", banFile)
	if all, err := loadBans(file); err != nil || len(all) != 1 || all[0].Peer != b.sockets.host.Self() {
		t.Errorf("bans %v, %v", all, err)
	}
	if err := os.WriteFile(file, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), p.config("a"), options()); !errors.Is(err, ErrHome) || !strings.Contains(err.Error(), banFile) {
		t.Errorf("a damaged file: %v", err)
	}
}

func TestAPIShowsTheNode(t *testing.T) {
	network, alice := funded(t)
	p := newPlace(t, network)
	n, stop := p.run(p.config("a"), options())
	written, err := os.ReadFile(filepath.Join(p.dir, "a", apiFile))
	if err != nil || strings.TrimSpace(string(written)) != n.URL() {
		t.Errorf("the API is said to be at %q, and is at %s: %v", written, n.URL(), err)
	}
	c := api.NewClient(n.URL(), "")
	ctx := t.Context()
	status, err := c.Status(ctx)
	if err != nil || status.Chain != network.Chain().String() || status.Network != network.Name || len(status.Addresses) == 0 {
		t.Errorf("status %+v, %v", status, err)
	}
	tx := spend(t, network, alice, 0)
	if _, err := c.Check(ctx, tx.Tx, tx.Witness); err != nil {
		t.Errorf("check: %v", err)
	}
	if _, err := c.Submit(ctx, tx.Tx, tx.Witness); err != nil {
		t.Fatalf("submit: %v", err)
	}
	await(t, "it is confirmed", func() bool {
		got, err := c.Transaction(ctx, tx.ID())
		return err == nil && got.Status == "confirmed" && got.Height == 1
	})
	page, err := c.Outputs(ctx, api.SubjectParams{Role: api.RoleLock, ID: AddressOf(network.Prefix, chaintest.NewWallet("bob").Public())})
	if err != nil || len(page.Outputs) != 1 || page.Outputs[0].Value[0].Amount != "99900000000" {
		t.Errorf("outputs %+v, %v", page, err)
	}
	history, err := c.History(ctx, api.SubjectParams{Role: api.RoleLock, ID: AddressOf(network.Prefix, alice.Public())})
	if err != nil || len(history.Transactions) == 0 || history.Transactions[0].ID != tx.ID().String() {
		t.Errorf("history %+v, %v", history, err)
	}
	if made, err := c.Make(ctx, 2); err != nil || len(made.Blocks) != 2 {
		t.Errorf("made %+v, %v", made, err)
	}
	tx.Witness[0].Data[1][0] ^= 1
	var refused *api.Error
	if _, err := c.Check(ctx, tx.Tx, tx.Witness); !errors.As(err, &refused) || refused.Code != api.CodeRule {
		t.Errorf("check of a spent output: %v", err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(p.dir, "a", apiFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after the end the API is said to be somewhere: %v", err)
	}
}

func TestWhatIsOpenIsClosedWhenAPartCannotOpen(t *testing.T) {
	network, _ := funded(t)
	for part, change := range map[string]func(t *testing.T, c *Config){
		"store": func(t *testing.T, c *Config) {
			if err := os.MkdirAll(c.Home, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(c.Home, storeFolder), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"peers": func(_ *testing.T, c *Config) { c.Listen = []string{"nonsense"} },
		"api":   func(_ *testing.T, c *Config) { c.APICert, c.APIKey = "absent", "absent" },
		"token": func(_ *testing.T, c *Config) { c.APIToken = "absent" },
		"miner": func(_ *testing.T, c *Config) { c.MinerKey = "absent" },
	} {
		t.Run(part, func(t *testing.T) {
			p := newPlace(t, network)
			c := p.config("a")
			change(t, &c)
			if _, err := Open(t.Context(), c, options()); err == nil {
				t.Fatal("it opens")
			}
			if part == "store" {
				if err := os.Remove(filepath.Join(c.Home, storeFolder)); err != nil {
					t.Fatal(err)
				}
			}
			n := p.open(p.config("a"), options()) // the locks are free again
			if err := n.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFaultOfAPartStopsTheNodeAndSaysWhatToDo(t *testing.T) {
	network, _ := funded(t)
	p := newPlace(t, network)
	for fault, want := range map[error]string{store.ErrDiskFull: "free space", store.ErrCorrupt: "move "} {
		n := p.open(p.config("a"), options())
		failed := make(chan error, 1)
		go func() { failed <- n.ledger.queue.do(t.Context(), func(uint64) error { return fault }) }()
		err := errors.Join(n.Run(t.Context()), n.Close())
		var broken *PartError
		if !errors.As(err, &broken) || broken.Part != "ledger" || !errors.Is(err, fault) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v", err)
		}
		if err := <-failed; err != nil && !errors.Is(err, errStopped) {
			t.Error(err)
		}
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
		_, err := Open(t.Context(), c, options())
		var bad *SettingError
		if !errors.As(err, &bad) || bad.Setting != setting {
			t.Errorf("%s: %v", setting, err)
		}
	}
	c := p.config("a")
	c.Mine, c.PayTo = true, AddressOf(chain.TestPrefix, alice.Public())
	n, _ := p.run(c, options())
	await(t, "a public network makes blocks", func() bool { return n.Status().Chain.Height > 0 })
	if _, err := n.Make(t.Context(), 1); !errors.Is(err, ErrNoMiner) {
		t.Errorf("blocks on demand: %v", err)
	}
	b, found, err := n.store.Block(n.Status().Chain.Tip)
	if err != nil || !found || b.Header.Miner != chain.PublicKey(chain.LockHash(chain.Key{Key: alice.Public()})) {
		t.Errorf("the miner of a block: %v %v", found, err)
	}
}

func TestConsortiumNeedsAListedKey(t *testing.T) {
	p := newPlace(t, consortium(t))
	key := func(name string) Options {
		o := options()
		o.Key = func(context.Context, string) (Signer, error) { return chaintest.NewWallet(name), nil }
		return o
	}
	c := p.config("a")
	c.Mine, c.MinerKey = true, "mine"
	if _, err := Open(t.Context(), c, key("mallory")); err == nil || !strings.Contains(err.Error(), "none of them") {
		t.Errorf("a key that is not listed: %v", err)
	}
	n := p.open(c, key("alice"))
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestTidyIsForARunningNode calls it while blocks are made.
func TestTidyIsForARunningNode(t *testing.T) {
	network, _ := funded(t)
	p := newPlace(t, network)
	n, stop := p.run(p.config("a"), options())
	if _, err := n.Make(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if err := n.tidy(t.Context()); err != nil {
		t.Error(err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if err := n.tidy(t.Context()); !errors.Is(err, errStopped) {
		t.Errorf("after the end: %v", err)
	}
}

// TestEveryMetricMoves runs two nodes and demands that whatever can change has changed.
func TestEveryMetricMoves(t *testing.T) {
	network, alice := funded(t)
	p := newPlace(t, network)
	a, _ := p.run(p.config("a"), options())
	if _, err := a.Make(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	o := options()
	n, _ := p.run(p.config("b", a), o)
	await(t, "it has synced", func() bool { return n.Status().Chain.Height == 3 && n.Status().Peers == 1 })
	tx := spend(t, network, alice, 0)
	if err := n.Submit(t.Context(), tx.Tx, tx.Witness); err != nil {
		t.Fatal(err)
	}
	await(t, "its block", func() bool { return n.Status().Chain.Height > 3 })
	if _, err := n.Make(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	families, err := o.Registry.Gather()
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
		"wes_chain_event_seconds", "wes_sync_requests_total", "wes_sync_peers", "wes_mempool_transactions_total",
		"wes_mempool_floor_units", "wes_miner_hashes_total", "wes_miner_blocks_total",
	} {
		if got[name] == 0 {
			t.Errorf("%s is 0", name)
		}
	}
	for _, name := range []string{
		"wes_chain_blocks_disconnected_total", "wes_chain_reorganisations_total", "wes_chain_events_queued", "wes_mempool_transactions",
		"wes_mempool_bytes", "wes_mempool_orphans", "wes_sync_initial", "wes_sync_blocks_wanted", "wes_sync_headers_held",
	} {
		if _, there := got[name]; !there {
			t.Errorf("there is no %s", name)
		}
	}
}
