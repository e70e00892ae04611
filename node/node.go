package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/replica"
	"github.com/weisyn/wes/chain/store"
	"github.com/weisyn/wes/chain/ures"
	"github.com/weisyn/wes/node/api"
	"github.com/weisyn/wes/node/works"
)

// Registry takes and shows metrics: a *prometheus.Registry.
type Registry interface {
	prometheus.Registerer
	prometheus.Gatherer
}

// Options is what a process gives its node.
type Options struct {
	Version  string              // of the program, for the API and for peers
	Log      *slog.Logger        // default: says nothing
	Registry Registry            // of metrics, which the API shows; default: one of its own
	Proofs   chain.ProofVerifier // default: package proofs; all nodes of a network need the same
	// Key unlocks the keys that the settings miner_key and market_key name. It is called once for a
	// name, before anything listens; nil where no key is named.
	Key func(ctx context.Context, name string) (Signer, error)
	// Stations opens the devices that this process works on for the market; nil: none.
	Stations func(ctx context.Context, c *Config) ([]works.Station, error)
}

// Node is an open node. Its methods may be called from any goroutine.
type Node struct {
	cfg       Config
	network   *Network
	log       *slog.Logger
	home      *home
	proofs    chain.ProofVerifier // remembers what it has found valid
	rules     *chain.Validator
	store     *store.Store
	sockets   *sockets
	resources *ures.Store
	ledger    *ledger
	health    *health
	market    *bazaar // nil where the node takes no part in it
	unlocked  map[string]Signer
	reloading sync.Mutex
	maker     *miner      // nil where no blocks are made
	api       *api.Server // nil where it is off
	parts     []part
	closers   closers
}

// Run opens a node, runs it until ctx ends or a part fails, and closes it.
func Run(ctx context.Context, c Config, o Options) error {
	n, err := Open(ctx, c, o)
	if err != nil {
		return err
	}
	return errors.Join(n.Run(ctx), n.Close())
}

// Run runs the node until ctx ends, or a part fails with a PartError. It is called once.
func (n *Node) Run(ctx context.Context) error {
	n.log.Info("node runs", "network", n.network.Name, "chain", n.network.Chain(), keyHeight, n.ledger.status().Chain.Height,
		"addresses", n.Addresses(), "api", n.URL())
	err := supervise(ctx, n.log, n.parts)
	n.log.Info("node stops", keyHeight, n.ledger.status().Chain.Height)
	return n.advise(err)
}

// advise adds to the fault of a part what to do about it.
func (n *Node) advise(err error) error {
	switch {
	case errors.Is(err, store.ErrDiskFull):
		return fmt.Errorf("%w; free space for %s and start the node again: nothing is lost", err, n.cfg.Home)
	case errors.Is(err, store.ErrCorrupt):
		return fmt.Errorf("%w; move %s away and start the node again: it fetches the chain anew", err, n.home.path(storeFolder))
	}
	return err
}

// Close closes the parts in reverse. Run has returned, or was never called.
func (n *Node) Close() error { return n.closers.close() }

// Status returns a recent summary; it is not to be changed.
func (n *Node) Status() *Status { return n.ledger.status() }

// Ready says why the node is of no use yet; nothing if it is.
func (n *Node) Ready() []string {
	reasons := n.health.reasons()
	if m := n.market; m != nil && m.capacity != nil && len(m.capacity.Slots()) == 0 {
		reasons = append(slices.Clone(reasons), "no device works for this operator")
	}
	return reasons
}

// Network returns the definition of the node's network; it is not to be changed.
func (n *Node) Network() *Network { return n.network }

// Addresses returns where peers reach this node.
func (n *Node) Addresses() []string { return n.sockets.host.Addresses() }

// URL returns where the API listens; empty if it is off.
func (n *Node) URL() string {
	if n.api == nil {
		return ""
	}
	return n.api.URL()
}

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

// malformed reports whether a message of a peer does not decode.
func malformed(err error) bool {
	var encoding *chain.EncodingError
	return errors.Is(err, replica.ErrMessage) || errors.As(err, &encoding)
}
