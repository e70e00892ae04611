package works

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/capacity"
	"github.com/weisyn/wes/node/executor"
	"github.com/weisyn/wes/node/fleet"
	"github.com/weisyn/wes/node/trade"
)

// Source is the node's ledger and resources.
type Source interface {
	// Output returns an unspent output.
	Output(ctx context.Context, o chain.Outpoint) (chain.UTXO, bool, error)
	// Announced lists the unspent outputs that announce a content.
	Announced(ctx context.Context, cid string) ([]chain.UTXO, error)
	// Kept lists the CIDs of what is here.
	Kept() []string
	// Content fetches a content, of at most so many bytes, if it is not here.
	Content(ctx context.Context, cid string, most uint64) (io.ReadCloser, error)
	// FeeRate is what a transaction costs now, in base units for 1,000 units of weight.
	FeeRate() uint64
	// Moves is closed at the next block.
	Moves() <-chan struct{}
}

// Config says what is offered and where it runs.
type Config struct {
	Chain    chain.Hash
	Source   Source
	Queue    *fleet.Queue
	Serve    Serve
	Executor executor.Config // limits of packages; nothing is executed here
	MaxBytes uint64          // of a package; default 512 MiB
	Programs int             // offered at once; default 64
	Log      *slog.Logger
	Registry prometheus.Registerer
}

// Serve chooses among the programs of the ledger.
type Serve struct {
	Any      bool     // everything that is here, and what is asked for
	Contents []string // CIDs
}

// Works implements trade.Works. Its methods may be called from any goroutine.
type Works struct {
	cfg      Config
	inspect  *executor.Executor
	runs     *runs
	metrics  *metricsSet
	finished chan string
	wanted   chan market.Ref
	rescan   chan struct{}   // has room for one
	capacity *trade.Capacity // set by Operate

	mu struct {
		sync.Mutex
		serve    Serve
		programs map[market.Ref]*program
		changed  chan struct{} // closed when a program is ready or refused
	}
}

var _ trade.Works = (*Works)(nil)

const (
	// finishRoom is how many outcomes may wait to be forgotten by the queue.
	finishRoom = 4096
	// wantRoom is how many programs may wait to be looked at.
	wantRoom = 64
)

// New returns works that offer nothing yet.
func New(c Config) (*Works, error) {
	c.MaxBytes, c.Programs = cmp.Or(c.MaxBytes, 512<<20), cmp.Or(c.Programs, 64)
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	w := &Works{
		cfg: c, inspect: executor.New(c.Executor), runs: newRuns(),
		finished: make(chan string, finishRoom), wanted: make(chan market.Ref, wantRoom), rescan: make(chan struct{}, 1),
	}
	w.mu.serve, w.mu.programs, w.mu.changed = c.Serve, map[market.Ref]*program{}, make(chan struct{})
	var err error
	w.metrics, err = newMetrics(c.Registry, w.counts)
	return w, err
}

// Operate keeps the capacity's slots those of the workers, offers programs and hands over outcomes, until
// ctx ends or the source fails. It is called once.
func (w *Works) Operate(ctx context.Context, c *trade.Capacity) error {
	w.capacity = c
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.collect(ctx) })
	g.Go(func() error { return w.follow(ctx) })
	g.Go(func() error { return w.load(ctx) })
	err := g.Wait()
	return errors.Join(err, w.inspect.Close())
}

// collect hands over outcomes and progress, and has the queue forget what is done with.
func (w *Works) collect(ctx context.Context) error {
	sweep := time.NewTicker(earlyTime / 4)
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case o := <-w.cfg.Queue.Outcomes():
			w.runs.settle(o)
		case e := <-w.cfg.Queue.Events():
			w.runs.tell(e)
		case id := <-w.finished:
			w.forget(ctx, id)
		case now := <-sweep.C:
			for _, id := range w.runs.forgotten(now) {
				w.forget(ctx, id)
			}
		}
	}
}

func (w *Works) forget(ctx context.Context, id string) {
	if err := w.cfg.Queue.Done(ctx, id); err != nil && !errors.Is(err, fleet.ErrNoTask) && ctx.Err() == nil {
		w.cfg.Log.Warn("an outcome stays in the queue", keyTask, id, keyError, err)
	}
}

// follow keeps the slots of the capacity those of the workers.
func (w *Works) follow(ctx context.Context) error {
	for {
		slots, changed := w.cfg.Queue.Slots()
		w.align(slots)
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}

// align adds and removes slots. A device that two workers claim counts once.
func (w *Works) align(now []fleet.Slot) {
	there := map[string]bool{}
	joined := false
	for _, s := range now {
		there[s.Device] = true
		err := w.capacity.AddSlot(capacity.Slot{Device: s.Device, Class: s.Class, Memory: s.Memory, CPU: s.CPU})
		if err == nil {
			joined = true
			w.metrics.joined(&s)
			w.cfg.Log.Info("a device joins", keyDevice, s.Device, "class", s.Class, "worker", s.Worker)
		}
	}
	for _, s := range w.capacity.Slots() {
		if !there[s.Device] {
			w.capacity.RemoveSlot(s.Device)
			w.metrics.left(s.Device)
			w.cfg.Log.Warn("a device is gone", keyDevice, s.Device)
		}
	}
	if joined {
		w.reconsider()
	}
	w.Rescan()
}

// Keys of log records.
const (
	keyTask    = "task"
	keyError   = "error"
	keyProgram = "program"
	keyDevice  = "device"
)
