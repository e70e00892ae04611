package node

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/consensus"
	"github.com/weisyn/wes/chain/mempool"
	"github.com/weisyn/wes/chain/replica"
	"github.com/weisyn/wes/chain/store"
	"github.com/weisyn/wes/node/api"
	"github.com/weisyn/wes/node/proofs"
)

// Open opens the parts in the order in which they need each other. What was opened is closed
// again if a later one fails. The node listens when Open returns, and answers when it runs.
func Open(ctx context.Context, c Config, o Options) (*Node, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	n := &Node{cfg: c, log: o.Log, unlocked: map[string]Signer{}}
	for _, open := range []func(context.Context, Options) error{
		n.openHome, n.openStore, n.openSockets, n.openResources, n.openLedger, n.openMiner, n.openMarket, n.openHealth, n.openAPI, n.listen,
	} {
		if err := open(ctx, o); err != nil {
			return nil, errors.Join(err, n.Close())
		}
	}
	return n, nil
}

func (o Options) withDefaults() Options {
	if o.Proofs == nil {
		o.Proofs = proofs.New(proofs.Config{})
	}
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	o.Registry = cmp.Or[Registry](o.Registry, prometheus.NewRegistry())
	return o
}

func (n *Node) openHome(context.Context, Options) (err error) {
	if n.network, err = OpenNetwork(n.cfg.Network); err != nil {
		return err
	}
	if n.home, err = openHome(n.cfg.Home, n.network); err != nil {
		return err
	}
	n.closers.add("home", n.home.close)
	return nil
}

func (n *Node) openStore(_ context.Context, o Options) error {
	options, err := n.storeOptions(o)
	if err != nil {
		return err
	}
	if n.store, err = store.Open(n.home.path(storeFolder), options); err != nil {
		return n.advise(fmt.Errorf("open store: %w", err))
	}
	n.closers.add("store", n.store.Close)
	return nil
}

// storeOptions sets up the rules of blocks, and says what they make of the genesis block.
func (n *Node) storeOptions(o Options) (options store.Options, err error) {
	n.proofs = chain.NewProofCache(newTimedVerifier(o.Proofs, o.Registry), n.cfg.ProofCache)
	if n.rules, err = n.network.validator(n.proofs, n.cfg.Workers); err != nil {
		return options, err
	}
	genesis, err := n.network.Genesis()
	if err != nil {
		return options, err
	}
	applied, err := n.rules.Genesis(genesis)
	if err != nil {
		return options, fmt.Errorf("genesis block: %w", err)
	}
	return store.Options{Genesis: genesis, Applied: applied, Archive: n.cfg.Archive, Log: o.Log}, nil
}

func (n *Node) openSockets(ctx context.Context, o Options) error {
	seed, err := n.home.nodeKey()
	if err != nil {
		return err
	}
	n.sockets, err = openSockets(ctx, &n.cfg, n.network, seed, n.home.path(banFile), o)
	if err != nil {
		return fmt.Errorf("open peers: %w", err)
	}
	n.closers.add("peers", n.sockets.close)
	return nil
}

func (n *Node) openLedger(_ context.Context, o Options) error {
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
		Consensus: headers, Validator: n.rules,
		Mempool: mempool.Config{
			Accept: prices, MinRate: mempool.Rate(n.cfg.MinFeeRate), MaxBytes: uint64(n.cfg.MempoolMiB) << 20,
		},
	}, n.store)
	if errors.Is(err, consensus.ErrRecord) {
		err = fmt.Errorf("%w: %w", store.ErrCorrupt, err)
	}
	if err != nil {
		return n.advise(fmt.Errorf("open ledger: %w", err))
	}
	n.ledger = newLedger(r, n.store, n.store.Published(), n.sockets, o.Log, o.Registry)
	n.parts = append(n.parts,
		part{"ledger", n.ledger.run},
		part{"upkeep", func(ctx context.Context) error { return upkeep(ctx, n.tidy) }})
	return nil
}

// openMiner sets up what makes blocks: if the configuration says so, and on a dev network
// always.
func (n *Node) openMiner(ctx context.Context, o Options) error {
	dev := n.network.Profile == "dev"
	if !n.cfg.Mine && !dev {
		return nil
	}
	own, err := n.unlock(ctx, o, "miner_key", n.cfg.MinerKey)
	if err != nil {
		return err
	}
	c := n.cfg
	if dev && own == nil && c.PayTo == "" {
		c.PayTo = n.network.Outputs[0].Address
	}
	if n.maker, err = newMiner(&c, n.network, n.ledger, own, o.Log); err != nil {
		return err
	}
	registerMiner(o.Registry, n.maker)
	n.parts = append(n.parts, part{"miner", n.maker.run})
	return nil
}

// unlock returns a key that a setting names, nil if it names none. Settings that name the same key
// get the same signer.
func (n *Node) unlock(ctx context.Context, o Options, setting, name string) (Signer, error) {
	if name == "" {
		return nil, nil
	}
	if known := n.unlocked[name]; known != nil {
		return known, nil
	}
	if o.Key == nil {
		return nil, &SettingError{setting, "this process unlocks no keys"}
	}
	own, err := o.Key(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("unlock %s: %w", setting, err)
	}
	n.unlocked[name] = own
	return own, nil
}

func (n *Node) openHealth(_ context.Context, o Options) error {
	n.health = &health{
		status: n.ledger.status, redial: n.sockets.host.Redial, probe: n.home.probeDisk, log: n.log,
		alone: n.maker != nil && len(n.cfg.Peers)+len(n.network.Bootstrap) == 0,
		dog:   watchdog{limit: n.network.silenceLimit()},
	}
	registerHealth(o.Registry, n.health)
	registerInfo(o.Registry, o.Version, n.network)
	n.parts = append(n.parts, part{"health", n.health.run})
	return nil
}

func (n *Node) openAPI(_ context.Context, o Options) error {
	if n.cfg.API == "" {
		return nil
	}
	token, err := n.cfg.Token()
	if err != nil {
		return err
	}
	n.api, err = api.Open(api.Config{
		Address: n.cfg.API, Token: token, Cert: n.cfg.APICert, Key: n.cfg.APIKey, Hosts: n.cfg.APIHosts,
		Prefix: n.network.Prefix, Maturity: n.rules.Params.Maturity, Registry: o.Registry, Gatherer: o.Registry, Log: o.Log,
		Resources: &shelf{n.resources}, Market: n.counter(),
	}, &backend{n, o.Version})
	if err != nil {
		return err
	}
	n.closers.add("API", n.api.Close)
	n.parts = append(n.parts, part{"API", n.api.Run})
	n.closers.add("API's address", func() error { return os.Remove(n.home.path(apiFile)) })
	return writeFile(n.home.path(apiFile), []byte(n.api.URL()+"\n"))
}

// listen lets peers come, last of all.
func (n *Node) listen(context.Context, Options) error {
	if err := n.sockets.start(n.ledger, n.desk()); err != nil {
		return fmt.Errorf("open peers: %w", err)
	}
	return nil
}

// Token reads the token that the API asks for; empty if it asks for none. An error is a
// SettingError.
func (c *Config) Token() (string, error) {
	if c.APIToken == "" {
		return "", nil
	}
	b, err := os.ReadFile(c.APIToken)
	if err != nil {
		return "", &SettingError{"api_token", err.Error()}
	}
	return trimToken("api_token", b)
}

// trimToken returns the token in a file that a setting names.
func trimToken(setting string, b []byte) (string, error) {
	b = bytes.TrimSpace(b)
	if len(b) < minToken || len(b) > 1024 {
		return "", &SettingError{setting, fmt.Sprintf("a token has %d to 1024 characters, not %d", minToken, len(b))}
	}
	return string(b), nil
}

// minToken is the least length of a token, in bytes.
const minToken = 16
