package storefront

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/node/gateway"
	"github.com/weisyn/wes/node/trade"
	"github.com/weisyn/wes/node/wallet"
)

// Ledger is what is asked of the node's ledger.
type Ledger interface {
	// Output returns an unspent output.
	Output(ctx context.Context, o chain.Outpoint) (chain.UTXO, bool, error)
	// Announced lists the unspent outputs that announce a content, by CID.
	Announced(ctx context.Context, cid string) ([]chain.UTXO, error)
	// Resources lists the unspent outputs under a lock that announce something.
	Resources(ctx context.Context, lock chain.Hash) ([]chain.UTXO, error)
	// Key returns a verifying key by its hash.
	Key(ctx context.Context, h chain.Hash) ([]byte, bool, error)
}

// Desk is what trades for this node.
type Desk interface {
	// Order gives a job to the market, and returns the ids of its replicas.
	Order(ctx context.Context, r trade.Request) ([]chain.Hash, error)
	// Job returns a job of this client; Jobs all of them, the newest first.
	Job(ctx context.Context, id chain.Hash) (trade.Purchase, bool, error)
	Jobs(ctx context.Context) ([]trade.Purchase, error)
	// Sales returns the jobs of this operator, the newest first.
	Sales(ctx context.Context) ([]market.Sale, error)
	// Operators returns the adverts that stand, and as many standings.
	Operators(ctx context.Context) ([]*market.Advert, []market.Standing, error)
	Explain(ctx context.Context, id chain.Hash) (market.Explanation, bool, error)
	// Cancel gives a job up that nobody has yet.
	Cancel(ctx context.Context, id chain.Hash) error
	// Changed is closed at the next change of a job.
	Changed(id chain.Hash) <-chan struct{}
	// Blob returns a payload, output or proof by its hash.
	Blob(h chain.Hash) ([]byte, error)
	// Channels lists the channels whose money has not left for good.
	Channels(ctx context.Context) ([]trade.Channel, error)
}

var _ Desk = (*trade.Desk)(nil)

// Config is what a storefront sells.
type Config struct {
	Desk   Desk
	Ledger Ledger
	// Wallet is that of the market's key. Resources under its lock are known by name.
	Wallet *wallet.Wallet
	// Aliases are names of models, with their CIDs.
	Aliases map[string]string
	// MaxPrice bounds the price of a job, in base units; it holds where a request names none.
	MaxPrice uint64
	// Deadline is how long a job may take if nothing else is said. Default 10 min.
	Deadline time.Duration
	// Works and Capacity are those of the operator here; nil where nothing is sold.
	Works    trade.Works
	Capacity *trade.Capacity
	// Ready says why no job can be submitted now; empty if it can.
	Ready func() []string
	// Address writes an address of a lock.
	Address func(chain.Lock) string
	Log     *slog.Logger
}

// Storefront implements gateway.Market. Its methods may be called from any goroutine.
type Storefront struct {
	cfg    Config
	models struct {
		sync.Mutex
		read map[chain.Hash]*model // by hash of the verifying key
	}
}

var _ gateway.Market = (*Storefront)(nil)

// New returns a storefront.
func New(c Config) *Storefront {
	c.Deadline = cmp.Or(c.Deadline, 10*time.Minute)
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	s := &Storefront{cfg: c}
	s.models.read = map[chain.Hash]*model{}
	return s
}

// Ready implements gateway.Market.
func (s *Storefront) Ready() []string { return s.cfg.Ready() }

// Devices implements gateway.Market.
func (s *Storefront) Devices(ctx context.Context) ([]gateway.Device, error) {
	if s.cfg.Capacity == nil {
		return nil, nil
	}
	sales, err := s.cfg.Desk.Sales(ctx)
	if err != nil {
		return nil, err
	}
	busy := map[string][]string{} // jobs that run, by class: a sale does not say on which device
	for i := range sales {
		if x := &sales[i]; !x.Ended() && (x.Execution == market.Running || x.Execution == market.Proving) {
			busy[x.Class] = append(busy[x.Class], x.ID.String())
		}
	}
	var all []gateway.Device
	for _, x := range s.cfg.Capacity.Slots() {
		d := gateway.Device{UUID: x.Device, Name: x.Class, Class: x.Class, Memory: x.Memory, State: "idle"}
		if jobs := busy[x.Class]; len(jobs) > 0 {
			d.State, d.Job, busy[x.Class] = "busy", jobs[0], jobs[1:]
		}
		all = append(all, d)
	}
	return all, nil
}
