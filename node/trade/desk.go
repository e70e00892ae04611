package trade

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/node/wallet"
)

// Config says what a desk trades with.
type Config struct {
	Dir    string // of the journal and the blobs
	Chain  chain.Hash
	Params chain.Params
	Signer Signer
	Peers  Peers
	Ledger Ledger
	Wallet *wallet.Wallet
	Proofs chain.ProofVerifier

	Buyer  market.BuyerConfig  // chain and parameters are filled in
	Seller market.SellerConfig // chain, parameters and key are filled in
	// Works and Capacity are nil where nothing is sold.
	Works    Works
	Capacity market.Capacity
	// ChannelCap is what a payment channel of the client holds, in base units; 0: it opens none.
	ChannelCap uint64
	// ChannelLife is for how long channels are opened. Default: a day.
	ChannelLife time.Duration
	// Posted has offers awarded at their posted price, without a question.
	Posted bool
	// Any says whether questions about programs that are not offered yet are welcome; nil: they are not.
	Any func() bool
	// Keep is how long jobs that have ended are remembered. Default: a week.
	Keep time.Duration

	Log      *slog.Logger
	Registry prometheus.Registerer
	Clock    func() uint64 // ms since 1970; default: the system's
}

// Desk trades. Its methods may be called from any goroutine.
type Desk struct {
	cfg     Config
	journal *journal
	blobs   *blobs
	log     *slog.Logger
	metrics *metrics
	events  chan event
	ended   chan struct{}
	work    sync.WaitGroup
	running *tasks
	changes *changes

	owned struct { // by the goroutine of Run
		buyer   *market.Buyer
		seller  *market.Seller // where nothing is sold any more it ends what was
		tickets map[market.Ticket]asker
		ticket  market.Ticket
		pending map[chain.Hash]map[chain.Hash]bool // by job, transactions that were in the mempool
		tidied  uint64
		payers  map[chain.Hash]*payer
		payees  map[chain.Hash]*payee
		batch   batch
		sealed  map[attempt]chain.Hash // funding transactions that were signed for a contract
		status  map[roleJob]status     // of all jobs, as they were counted last
	}
}

// roleJob names a job of one of the machines.
type roleJob struct {
	side byte
	job  chain.Hash
}

// status is what is counted of a job.
type status struct {
	ended     bool
	execution market.Execution
}

// asker is a request of a peer that waits for an answer.
type asker struct {
	answer chan []byte // has room for one
	kind   chain.JobKind
}

// event is something for the owner's goroutine. Either do is called, or the event goes to one of
// the machines, or to both.
type event struct {
	do     func(ctx context.Context, now uint64)
	buyer  market.Event
	seller market.Event
}

// eventRoom is how many events may wait; then whoever has one waits.
const eventRoom = 256

// Open reads what is stored. Nothing happens before Run.
func Open(c Config) (*Desk, error) {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open desk: %w", err)
	}
	c.Keep, c.ChannelLife = cmp.Or(c.Keep, 7*24*time.Hour), cmp.Or(c.ChannelLife, 24*time.Hour)
	if c.ChannelCap > 0 {
		c.Buyer.MaxChannels = cmp.Or(c.Buyer.MaxChannels, maxPayers)
	}
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	if c.Clock == nil {
		c.Clock = func() uint64 { return uint64(time.Now().UnixMilli()) }
	}
	c.Buyer.Chain, c.Buyer.Params = c.Chain, c.Params
	c.Seller.Chain, c.Seller.Params, c.Seller.Key = c.Chain, c.Params, c.Signer.Public()
	d := &Desk{
		cfg: c, log: c.Log, events: make(chan event, eventRoom), ended: make(chan struct{}), running: newTasks(), changes: newChanges(),
	}
	d.owned.buyer = market.NewBuyer(c.Buyer)
	if c.Works == nil {
		c.Capacity = newWindingUp()
	}
	d.owned.seller = market.NewSeller(c.Seller, c.Capacity)
	d.owned.tickets, d.owned.pending = map[market.Ticket]asker{}, map[chain.Hash]map[chain.Hash]bool{}
	d.owned.payers, d.owned.payees = map[chain.Hash]*payer{}, map[chain.Hash]*payee{}
	d.owned.sealed, d.owned.status = map[attempt]chain.Hash{}, map[roleJob]status{}
	var err error
	if d.metrics, err = newMetrics(c.Registry); err != nil {
		return nil, fmt.Errorf("open desk: %w", err)
	}
	return d, d.load()
}

// Names of records: the machines of one key may have jobs of one id.
const (
	buyerSide  byte = 'b'
	sellerSide byte = 's'
)

// stored tells the records of the two machines apart in one journal: the first byte of a value.
func stored(side byte, r market.Record) market.Record {
	id := r.ID
	id[0] ^= side
	return market.Record{ID: id, Bytes: append([]byte{side}, r.Bytes...)}
}

func restored(r market.Record) (byte, market.Record) {
	side := r.Bytes[0]
	id := r.ID
	id[0] ^= side
	return side, market.Record{ID: id, Bytes: r.Bytes[1:]}
}

func (d *Desk) load() (err error) {
	if d.blobs, err = openBlobs(filepath.Join(d.cfg.Dir, "blobs")); err != nil {
		return err
	}
	var all []market.Record
	if d.journal, all, err = openJournal(filepath.Join(d.cfg.Dir, "journal")); err != nil {
		return err
	}
	for _, r := range all {
		side, r := restored(r)
		switch {
		case side == buyerSide:
			err = d.owned.buyer.Load(r)
		case side == sellerSide:
			err = d.owned.seller.Load(r)
		case side == payerSide || side == payeeSide:
			err = d.loadChannel(side, r)
		default:
			err = fmt.Errorf("%w: a record of side %q", ErrJournal, side)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("open desk: %w", err), d.journal.close())
		}
	}
	for _, p := range d.owned.buyer.Jobs() {
		d.note(roleJob{buyerSide, p.ID}, status{p.Ended(), p.Execution})
	}
	for _, s := range d.owned.seller.Sales() {
		d.note(roleJob{sellerSide, s.ID}, status{s.Ended(), s.Execution})
	}
	return nil
}

// Close ends the use of the folder. Run has returned, or was never called.
func (d *Desk) Close() error { return d.journal.close() }

// Run trades until ctx ends, or this machine fails.
func (d *Desk) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer d.work.Wait()
	defer stop()
	defer close(d.ended)
	changes, leave := d.cfg.Ledger.Changes()
	defer func() { leave() }()
	if err := d.resume(ctx); err != nil {
		return err
	}
	d.work.Go(func() { d.advertise(ctx) })
	due := time.Now().Add(d.wait())
	for {
		timer := time.NewTimer(time.Until(due))
		var err error
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case e := <-d.events:
			d.handleAll(ctx, e)
		case c, open := <-changes:
			if !open { // too slow: everything may have changed
				leave()
				changes, leave = d.cfg.Ledger.Changes()
				c = Change{Moved: true}
			}
			err = d.changed(ctx, c)
		case <-timer.C:
		case err = <-d.running.fault:
		}
		timer.Stop()
		if now := time.Now(); err == nil && !now.Before(due) { // also where there is always another event
			err = d.tick(ctx)
			due = now.Add(longWait)
		}
		if err = errors.Join(err, d.commit()); err != nil {
			return err
		}
		if next := time.Now().Add(d.wait()); next.Before(due) {
			due = next
		}
	}
}

// resume shows the machines what the ledger says, and lets them go on.
func (d *Desk) resume(ctx context.Context) error {
	if err := d.view(ctx, d.open()); err != nil {
		return err
	}
	d.step(ctx, event{buyer: market.Resume{}, seller: market.Resume{}})
	d.reconcile(ctx)
	d.measureChannels()
	for _, x := range d.owned.payers {
		d.work.Go(func() { d.tendPayer(ctx, x) })
	}
	if d.owned.seller != nil {
		d.work.Go(func() { d.tendPayees(ctx) })
	}
	return d.commit()
}

// wait is how long until a machine wants a tick.
func (d *Desk) wait() time.Duration {
	next := d.owned.buyer.Next()
	if n := d.owned.seller.Next(); n != 0 && (next == 0 || n < next) {
		next = n
	}
	now := d.cfg.Clock()
	switch {
	case next == 0:
		return longWait
	case next <= now:
		return shortWait
	}
	return min(time.Duration(next-now)*time.Millisecond, longWait)
}

// A machine is ticked at least every longWait, and at most every shortWait.
const (
	longWait  = 5 * time.Second
	shortWait = time.Millisecond
)

func (d *Desk) tick(ctx context.Context) error {
	d.step(ctx, event{buyer: market.Tick{}, seller: market.Tick{}})
	return errors.Join(d.commit(), d.tidy())
}

// post gives an event to the owner; false if nobody will take it any more.
func (d *Desk) post(ctx context.Context, e event) bool {
	select {
	case d.events <- e:
		return true
	case <-ctx.Done():
	case <-d.ended:
	}
	return false
}

// ErrClosed is returned by a desk that does not run any more.
var ErrClosed = errors.New("the market is closed: the node stops")

// ask runs f on the owner's goroutine, and returns once all that f has stored is durable. After an error
// f will not run, or nothing that follows from it has happened.
func (d *Desk) ask(ctx context.Context, f func(ctx context.Context, now uint64)) error {
	var taken atomic.Bool // by the owner, or by who does not wait any more
	done := make(chan struct{})
	if !d.post(ctx, event{do: func(ctx context.Context, now uint64) {
		if taken.CompareAndSwap(false, true) {
			f(ctx, now)
			d.then(func() { close(done) })
		}
	}}) {
		return closedOr(ctx)
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	case <-d.ended:
	}
	if taken.CompareAndSwap(false, true) {
		return closedOr(ctx)
	}
	select {
	case <-done:
		return nil
	case <-d.ended: // it has run, and nothing is stored
		return ErrClosed
	}
}

func closedOr(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return ErrClosed
}
