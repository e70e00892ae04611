package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/consensus"
	"github.com/weisyn/wes/chain/mempool"
	"github.com/weisyn/wes/chain/replica"
)

// Options is what a process gives its node.
type Options struct {
	Log      *slog.Logger          // default: says nothing
	Registry prometheus.Registerer // of metrics; nil: none
	// Key unlocks the key that signs blocks, named by the setting miner_key. It is called once,
	// before anything listens; nil where no key is named.
	Key func(ctx context.Context, name string) (Signer, error)
}

// ledgerStore is what a node needs of its store.
type ledgerStore interface {
	replica.Store
	// Published is the state that readers see.
	Published() replica.Source
	// Tidy gives space back; it is called now and then.
	Tidy(ctx context.Context) error
	Close() error
}

// peers is what a node needs of the network.
type peers interface {
	transport
	// Redial dials known peers anew.
	Redial()
	// Close disconnects all, and waits.
	Close() error
}

// openers open the parts that have files and sockets.
type openers struct {
	proofs func(c *Config) (chain.ProofVerifier, error)
	store  func(dir string, genesis *chain.Block, a *chain.Applied) (ledgerStore, error)
	// peers is called with the seed of the node's key. What comes from peers goes to the
	// ledger, from the call of serve on.
	peers func(ctx context.Context, c *Config, n *Network, key []byte, log *slog.Logger, reg prometheus.Registerer) (peers, error)
	serve func(ctx context.Context, p peers, l *ledger) error
}

// Node is an open node. Its methods may be called from any goroutine.
type Node struct {
	cfg     Config
	network *Network
	log     *slog.Logger
	home    *home
	ledger  *ledger
	health  *health
	maker   *miner
	makes   bool // the miner runs by itself
	parts   []part
	closers closers
}

// open opens the parts in the order in which they need each other. What was opened is closed
// again if a later one fails.
func open(ctx context.Context, c Config, o Options, with openers) (*Node, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	n := &Node{cfg: c, log: o.Log}
	if err := n.open(ctx, o, with); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

func (n *Node) open(ctx context.Context, o Options, with openers) error {
	var err error
	if n.network, err = OpenNetwork(n.cfg.Network); err != nil {
		return err
	}
	if n.home, err = openHome(n.cfg.Home, n.network); err != nil {
		return err
	}
	n.closers.add("home", n.home.close)
	own, err := n.unlock(ctx, o)
	if err != nil {
		return err
	}
	rules, s, err := n.openStore(with)
	if err != nil {
		return err
	}
	seed, err := n.home.nodeKey()
	if err != nil {
		return err
	}
	net, err := with.peers(ctx, &n.cfg, n.network, seed, n.log, o.Registry)
	if err != nil {
		return fmt.Errorf("open network: %w", err)
	}
	n.closers.add("network", net.Close)
	if err := n.openLedger(rules, s, net, o.Registry); err != nil {
		return err
	}
	if err := n.openMiner(own, o.Registry); err != nil {
		return err
	}
	n.watch(net)
	n.parts = append(n.parts,
		part{"peers", func(ctx context.Context) error { return with.serve(ctx, net, n.ledger) }},
		part{"upkeep", func(ctx context.Context) error { return upkeep(ctx, s.Tidy) }},
	)
	return nil
}

// unlock returns the key of this node's blocks, nil if none is named.
func (n *Node) unlock(ctx context.Context, o Options) (Signer, error) {
	if n.cfg.MinerKey == "" {
		return nil, nil
	}
	if o.Key == nil {
		return nil, &SettingError{"miner_key", "this process unlocks no keys"}
	}
	own, err := o.Key(ctx, n.cfg.MinerKey)
	if err != nil {
		return nil, fmt.Errorf("unlock miner_key: %w", err)
	}
	return own, nil
}

func (n *Node) openStore(with openers) (*chain.Validator, ledgerStore, error) {
	proofs, err := with.proofs(&n.cfg)
	if err != nil {
		return nil, nil, fmt.Errorf("open proofs: %w", err)
	}
	rules, err := n.network.validator(chain.NewProofCache(proofs, n.cfg.ProofCache), n.cfg.Workers)
	if err != nil {
		return nil, nil, err
	}
	genesis, err := n.network.Genesis()
	if err != nil {
		return nil, nil, err
	}
	applied, err := rules.Genesis(genesis)
	if err != nil {
		return nil, nil, fmt.Errorf("genesis block: %w", err)
	}
	s, err := with.store(n.home.path(storeFolder), genesis, applied)
	if err != nil {
		return nil, nil, fmt.Errorf("open store: %w", err)
	}
	n.closers.add("store", s.Close)
	return rules, s, nil
}

func (n *Node) openLedger(rules *chain.Validator, s ledgerStore, net transport, reg prometheus.Registerer) error {
	headers, err := n.network.consensus()
	if err != nil {
		return err
	}
	headers.Archive = n.cfg.Archive
	prices, err := n.cfg.prices()
	if err != nil {
		return err
	}
	r, err := replica.New(replica.Config{
		Consensus: headers, Validator: rules,
		Mempool: mempool.Config{
			Accept: prices, MinRate: mempool.Rate(n.cfg.MinFeeRate), MaxBytes: uint64(n.cfg.MempoolMiB) << 20,
		},
	}, s)
	if errors.Is(err, consensus.ErrRecord) {
		return fmt.Errorf("open ledger: %w: the store is damaged: move %s away to sync anew", err, n.home.path(storeFolder))
	}
	if err != nil {
		return fmt.Errorf("open ledger: %w", err)
	}
	n.ledger = newLedger(r, s, s.Published(), net, n.log, reg)
	n.parts = append(n.parts, part{"ledger", n.ledger.run})
	return nil
}

// openMiner sets up what makes blocks: by itself if the configuration says so, and on a dev
// network always.
func (n *Node) openMiner(own Signer, reg prometheus.Registerer) error {
	dev := n.network.Profile == "dev"
	if !n.cfg.Mine && !dev {
		return nil
	}
	c := n.cfg
	if dev && own == nil && c.PayTo == "" {
		c.PayTo = n.network.Outputs[0].Address
	}
	var err error
	if n.maker, err = newMiner(&c, n.network, n.ledger, own, n.log); err != nil {
		return err
	}
	registerMiner(reg, n.maker)
	n.makes = true
	n.parts = append(n.parts, part{"miner", n.maker.run})
	return nil
}

func (n *Node) watch(net peers) {
	n.health = &health{
		status: n.ledger.status, redial: net.Redial, probe: n.home.probeDisk, log: n.log,
		alone: n.makes && len(n.cfg.Peers)+len(n.network.Bootstrap) == 0,
		dog:   watchdog{limit: n.network.silenceLimit()},
	}
	n.parts = append(n.parts, part{"health", n.health.run})
}

// Run runs the node until ctx ends, or a part fails.
func (n *Node) Run(ctx context.Context) error {
	n.log.Info("node runs", "network", n.network.Name, "chain", n.network.Chain(), keyHeight, n.ledger.status().Chain.Height)
	err := supervise(ctx, n.log, n.parts)
	n.log.Info("node stops", keyHeight, n.ledger.status().Chain.Height)
	return err
}

// Close closes the parts in reverse. Run has returned, or was never called.
func (n *Node) Close() error { return n.closers.close() }

// Status returns a recent summary; it is not to be changed.
func (n *Node) Status() *Status { return n.ledger.status() }

// Ready says why the node is of no use yet; nothing if it is.
func (n *Node) Ready() []string { return n.health.reasons() }

// Network returns the definition of the node's network; it is not to be changed.
func (n *Node) Network() *Network { return n.network }

// Subscribe returns changes from now on; see Notice. The channel is closed when the subscriber
// is too slow, or calls the function returned.
func (n *Node) Subscribe() (<-chan Notice, func()) { return n.ledger.feed.subscribe() }

// Submit takes a transaction into the mempool and tells peers. A *replica.Refusal says why it
// was not taken.
func (n *Node) Submit(ctx context.Context, t *chain.Tx, w chain.Witness, attachments ...[]byte) error {
	return n.ledger.submit(ctx, t, w, attachments)
}

// ErrNoMiner is returned by Make where no blocks are made on demand.
var ErrNoMiner = errors.New("blocks are made on demand on dev networks only")

// Make makes blocks on a dev network.
func (n *Node) Make(ctx context.Context, blocks int) ([]chain.Hash, error) {
	if n.network.Profile != "dev" {
		return nil, ErrNoMiner
	}
	return n.maker.make(ctx, blocks)
}
