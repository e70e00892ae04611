package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/capacity"
	"github.com/weisyn/wes/node/executor"
	"github.com/weisyn/wes/node/fleet"
	"github.com/weisyn/wes/node/gateway"
	"github.com/weisyn/wes/node/storefront"
	"github.com/weisyn/wes/node/trade"
	"github.com/weisyn/wes/node/wallet"
	"github.com/weisyn/wes/node/works"
	"github.com/weisyn/wes/prover/pipeline"
)

// bazaar is the node's part in the market: it buys, and sells where the settings say so.
type bazaar struct {
	desk     *trade.Desk
	wallet   *wallet.Wallet
	gauges   *walletGauges
	signer   marketSigner
	gateway  *gateway.Gateway
	works    *works.Works    // nil where nothing is sold
	capacity *trade.Capacity // nil where nothing is sold
	queue    *fleet.Queue    // nil where nothing is sold
	pricing  *pricing        // nil where nothing is sold
}

// marketSigner is a key with the lock that it alone opens.
type marketSigner struct{ Signer }

var _ trade.Signer = marketSigner{}

// Lock implements trade.Signer.
func (s marketSigner) Lock() chain.Lock { return chain.Key{Key: s.Public()} }

// openMarket sets up what trades, if the configuration names a key for it.
func (n *Node) openMarket(ctx context.Context, o Options) error {
	if n.cfg.MarketKey == "" {
		return nil
	}
	key, err := n.unlock(ctx, o, "market_key", n.cfg.MarketKey)
	if err != nil {
		return err
	}
	signer := marketSigner{key}
	source := &marketLedger{n}
	w := wallet.New(signer, source, &wallet.File{Path: filepath.Join(n.home.path(keyFolder), "reserved", "outputs.json")})
	w.Params = n.rules.Params
	w.ProofCost = n.proofs.Cost
	n.market = &bazaar{wallet: w, signer: signer, gauges: newWalletGauges(o.Registry)}
	c := trade.Config{
		Dir: n.home.path(marketFolder), Chain: n.network.Chain(), Params: n.rules.Params, Signer: signer,
		Peers: &marketPeers{n.sockets}, Ledger: source, Wallet: w, Proofs: n.proofs,
		Seller: market.SellerConfig{
			RiskCap: n.cfg.RiskCap, AcceptWait: n.rules.Params.MinPromise / 4, Margin: n.rules.Params.MinPromise / 2,
		},
		Posted: n.cfg.Posted, ChannelCap: n.cfg.ChannelCap, ChannelLife: time.Duration(n.cfg.ChannelHours) * time.Hour, Log: o.Log, Registry: o.Registry,
	}
	if n.cfg.Sell {
		if err := n.openSelling(ctx, o, &c); err != nil {
			return err
		}
	}
	if n.market.desk, err = trade.Open(c); err != nil {
		return err
	}
	n.closers.add("market", n.market.desk.Close)
	n.parts = append(n.parts, part{"market", n.market.desk.Run}, part{"coins", n.mint})
	return n.openGateway(o)
}

// openGateway lets the API serve the market.
func (n *Node) openGateway(o Options) (err error) {
	m := n.market
	aliases, err := n.cfg.aliases()
	if err != nil {
		return err
	}
	c := storefront.Config{
		Desk: m.desk, Ledger: &marketLedger{n}, Wallet: m.wallet, Aliases: aliases, MaxPrice: n.cfg.MaxPrice,
		Ready: n.Ready, Address: func(l chain.Lock) string { return chain.FormatAddress(n.network.Prefix, chain.LockHash(l)) }, Log: o.Log,
	}
	if m.capacity != nil {
		c.Works, c.Capacity = m.works, m.capacity
	}
	m.gateway, err = gateway.Open(gateway.Config{Market: storefront.New(c), Version: o.Version, Registry: o.Registry, Log: o.Log})
	if err == nil {
		n.closers.add("gateway", m.gateway.Close)
	}
	return err
}

// counter serves the market over HTTP.
func (n *Node) counter() http.Handler {
	if n.market == nil {
		return gateway.Absent()
	}
	return n.market.gateway.Handler()
}

// openSelling sets up what executes and proves for others.
func (n *Node) openSelling(ctx context.Context, o Options, c *trade.Config) (err error) {
	m := n.market
	token, err := n.cfg.queueToken()
	if err != nil {
		return err
	}
	if m.queue, err = fleet.Open(ctx, n.fleetConfig(o, token)); err != nil {
		return err
	}
	n.closers.add("queue", m.queue.Close)
	m.works, err = works.New(works.Config{
		Chain: n.network.Chain(), Source: &worksSource{&marketLedger{n}}, Queue: m.queue, Serve: n.cfg.served(),
		Executor: executor.Config{Limits: pipeline.Limits{Memory: uint64(n.cfg.JobMiB) << 20}},
		MaxBytes: uint64(n.cfg.ProgramMiB) << 20, Log: o.Log, Registry: o.Registry,
	})
	if err != nil {
		return err
	}
	if m.pricing, err = newPricing(&n.cfg, m.works, o.Log); err != nil {
		return err
	}
	m.capacity = trade.NewCapacity(m.works, capacity.Options{}, m.pricing.now())
	registerCapacity(o.Registry, m.capacity)
	c.Works, c.Capacity, c.Any = m.works, m.capacity, m.works.Any
	if c.Seller.Bond, err = n.standingBond(ctx); err != nil {
		return err
	}
	n.parts = append(n.parts,
		part{"queue", m.queue.Run},
		part{"works", func(ctx context.Context) error { return m.works.Operate(ctx, m.capacity) }},
		part{"prices", func(ctx context.Context) error { return m.pricing.run(ctx, m.capacity) }})
	return n.openCrew(ctx, o)
}

// standingBond is the bond of the market's key that the ledger shows at the start; bids name it.
func (n *Node) standingBond(ctx context.Context) (all []market.Ref, err error) {
	key := n.market.signer
	err = (&marketLedger{n}).StatesOf(ctx, chain.LockHash(key.Lock()), func(u chain.UTXO) bool {
		s, ok := u.Entry.Output.Body.(*chain.State)
		if !ok || s.Type != chain.StateBond {
			return true
		}
		read, err := chain.DecodeState(s)
		if b, ok := read.(*chain.OperatorBond); err == nil && ok && b.Release == 0 && b.Key == key.Public() {
			all = []market.Ref{market.RefOf(u.Outpoint)}
		}
		return len(all) == 0
	})
	return all, err
}

func (n *Node) fleetConfig(o Options, token string) fleet.Config {
	c := fleet.Config{
		URL: n.cfg.QueueURL, Credentials: n.cfg.QueueCredentials, Listen: n.cfg.QueueListen, Token: token,
		TLSCert: n.cfg.QueueCert, TLSKey: n.cfg.QueueKey, TLSCA: n.cfg.QueueCA,
		Stall: time.Duration(n.cfg.StallSeconds) * time.Second, Log: o.Log, Registry: o.Registry,
	}
	if c.URL == "" {
		c.Dir = n.home.path(queueFolder)
	}
	return c
}

// openCrew lets this process work too, where it has something to work with.
func (n *Node) openCrew(ctx context.Context, o Options) error {
	if !n.cfg.Work || o.Stations == nil {
		return nil
	}
	all, err := o.Stations(ctx, &n.cfg)
	if err != nil {
		return fmt.Errorf("open devices: %w", err)
	}
	crew := works.NewCrew(all)
	n.closers.add("devices", crew.Close)
	n.parts = append(n.parts, part{"worker", func(ctx context.Context) error {
		return fleet.Work(ctx, fleet.WorkerConfig{
			Name: "node", Queue: n.market.queue, Dir: n.home.path(workFolder), Log: o.Log,
		}, crew)
	}})
	return nil
}

// served is the setting serve.
func (c *Config) served() works.Serve {
	s := works.Serve{}
	for _, text := range c.Serve {
		if text == serveAny {
			s.Any = true
		} else {
			s.Contents = append(s.Contents, text)
		}
	}
	return s
}

// serveAny is the word for everything in the setting serve.
const serveAny = "any"

// queueToken reads what remote workers have to show.
func (c *Config) queueToken() (string, error) {
	if c.QueueToken == "" {
		return "", nil
	}
	b, err := os.ReadFile(c.QueueToken)
	if err != nil {
		return "", &SettingError{"queue_token", err.Error()}
	}
	return trimToken("queue_token", b)
}

const (
	// wantedCoins is how many coins the market's key should have: each job reserves one until its
	// escrow is signed.
	wantedCoins = 16
	// leastCoin is what a coin has to be worth to count, in base units of WES.
	leastCoin = chain.Unit / 10
	// mintEvery is how often the coins are counted where a block has come since, measureEvery where none has.
	mintEvery, measureEvery = time.Second, 15 * time.Second
)

// mint splits the largest coin where there are too few for jobs at the same time.
func (n *Node) mint(ctx context.Context) error {
	every := time.NewTicker(mintEvery)
	defer every.Stop()
	var counted chain.Hash
	var at time.Time
	for {
		if tip := n.ledger.status().Chain.Tip; tip != counted || time.Since(at) >= measureEvery {
			counted, at = tip, time.Now()
			n.split(ctx)
			n.measureWallet(ctx)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
		}
	}
}

// split makes one transaction where there are too few coins. One that cannot be made now is no fault.
func (n *Node) split(ctx context.Context) {
	t, err := n.market.wallet.Split(ctx, wantedCoins, leastCoin)
	if errors.Is(err, wallet.ErrNothing) {
		return
	}
	if err == nil {
		if err = n.ledger.submit(ctx, t.Tx, t.Witness, t.Attachments); err != nil {
			err = errors.Join(err, n.market.wallet.Cancel(t))
		}
	}
	if err != nil {
		n.log.Debug("coins are not split", keyError, err)
	}
}
