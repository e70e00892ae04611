package market

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/weisyn/wes/chain"
)

// SellerConfig says how an operator deals. Times are in ms.
type SellerConfig struct {
	Chain  chain.Hash
	Params chain.Params
	Key    chain.PublicKey

	BidTime    uint64 // that a bid stands, at most MaxBidTime; default 10,000
	AcceptWait uint64 // for the client to accept before the proof goes to the ledger; default 30,000
	Margin     uint64 // before the due time at which it goes there without waiting; default 60,000
	// RiskCap is the price up to which a result is delivered while the escrow waits for a block.
	// Up to 10 and 100 times as much it takes 2 and 6 blocks, above that 30.
	RiskCap    uint64
	Retry      uint64 // after which a transaction that is not to be seen is submitted again; default 15,000
	Final      uint64 // blocks after which an end is the end; default 6
	MaxSales   int    // that have not ended; default 1024
	MaxWaiting int    // requests of clients that wait for progress; default 1024
	Bond       []Ref  // standing bond, one or none
}

func (c SellerConfig) withDefaults() SellerConfig {
	def := func(v *uint64, d uint64) {
		if *v == 0 {
			*v = d
		}
	}
	def(&c.BidTime, 10_000)
	def(&c.AcceptWait, 30_000)
	def(&c.Margin, 60_000)
	def(&c.Retry, 15_000)
	def(&c.Final, 6)
	c.BidTime = min(c.BidTime, MaxBidTime)
	if c.MaxSales == 0 {
		c.MaxSales = 1024
	}
	if c.MaxWaiting == 0 {
		c.MaxWaiting = 1024
	}
	return c
}

// Quote is what an operator can promise.
type Quote struct {
	Price    uint64
	Promise  uint64 // ms
	Class    string // of the device
	ProveFee uint64
}

// Placement is a job that a device is free for.
type Placement struct {
	Job    chain.Hash
	Device string // UUID; empty: the CPU
	Class  string
}

// Capacity decides what an operator can take on and what runs next. What is held or committed counts
// as load.
type Capacity interface {
	// Quote holds capacity for a job until an instant, or says why not.
	Quote(now uint64, job chain.Hash, t *Terms, deadline, until uint64) (Quote, *Refusal)
	// Commit makes a held job a task that is due, and refuses what is not held any more.
	Commit(now uint64, job chain.Hash, due uint64) *Refusal
	// Restore takes up a task that a process before this one had committed.
	Restore(now uint64, job chain.Hash, t *Terms, due uint64)
	// Release forgets a held job or a task, running or not.
	Release(now uint64, job chain.Hash)
	// Ready is told that a task may run.
	Ready(now uint64, job chain.Hash)
	// Place takes tasks for idle devices, the earliest due first.
	Place(now uint64) []Placement
	// Finish frees the device of a task; took is 0 if it failed.
	Finish(now uint64, job chain.Hash, took, memory uint64)
	// Again puts a task that failed back, for the CPU only if cpu is set; false if there is none.
	Again(now uint64, job chain.Hash, cpu bool) bool
	// Hopeless lists tasks that will not be done in time.
	Hopeless(now uint64) []chain.Hash
}

// pending is a bid that waits for its award. It is not stored: after a restart it does not stand.
type pending struct {
	job   chain.Hash
	bid   Bid
	peer  string
	until uint64
}

// collector is a client's request that waits for news.
type collector struct {
	ticket Ticket
	job    chain.Hash
	ask    Collect
	until  uint64
}

// Seller is the operator's side of all its jobs.
type Seller struct {
	cfg      SellerConfig
	capacity Capacity
	sales    map[chain.Hash]*Sale
	bids     map[chain.Hash]*pending // by hash of the ask
	tickets  map[chain.Hash]Ticket   // of awards that wait for a signature
	waiting  []collector
	stages   map[chain.Hash]RunProgressed
	out      outbox
}

// NewSeller returns an operator without jobs.
func NewSeller(c SellerConfig, capacity Capacity) *Seller {
	return &Seller{
		cfg: c.withDefaults(), capacity: capacity, sales: map[chain.Hash]*Sale{}, bids: map[chain.Hash]*pending{},
		tickets: map[chain.Hash]Ticket{}, stages: map[chain.Hash]RunProgressed{},
	}
}

// Load takes a stored record, before any Step.
func (s *Seller) Load(r Record) error {
	x, err := decode[Sale](r.Bytes, maxRecord)
	if err != nil {
		return err
	}
	if x.ID != r.ID {
		return fmt.Errorf("%w: record of job %v under %v", ErrMessage, x.ID, r.ID)
	}
	s.sales[x.ID] = x
	return nil
}

// Sale returns a copy of a job.
func (s *Seller) Sale(id chain.Hash) (Sale, bool) {
	x := s.sales[id]
	if x == nil {
		return Sale{}, false
	}
	return *x, true
}

// known reports whether a job has been signed for, or is about to be. One whose escrow the operator
// refused, or was never funded, may come again.
func (s *Seller) known(job chain.Hash) bool {
	x := s.sales[job]
	return x != nil && !(x.Ended() && (x.Until == 0 || x.Code == CodeNotFunded))
}

// Sales returns copies of all jobs, the newest first.
func (s *Seller) Sales() []Sale {
	var all []Sale
	for _, x := range s.sales {
		all = append(all, *x)
	}
	slices.SortFunc(all, func(a, b Sale) int {
		if a.Signed != b.Signed {
			return -compare(a.Signed, b.Signed)
		}
		return bytes.Compare(a.ID[:], b.ID[:])
	})
	return all
}

// Forget drops a job that has ended. Its record may be removed.
func (s *Seller) Forget(id chain.Hash) bool {
	x := s.sales[id]
	if x == nil || !x.Ended() {
		return false
	}
	delete(s.sales, id)
	delete(s.stages, id)
	return true
}

// Pending returns how many bids wait for an award.
func (s *Seller) Pending() int { return len(s.bids) }

func (s *Seller) take() Output {
	return s.out.take(func(id chain.Hash) []byte { return encode(s.sales[id]) })
}

// Step takes an event at the local time now.
func (s *Seller) Step(now uint64, e Event) Output {
	switch e := e.(type) {
	case Tick:
	case Resume:
		s.each(func(x *Sale) { s.resume(now, x) })
	case Asked:
		s.asked(now, e)
	case Awarded:
		s.awarded(now, e)
	case Signed:
		s.of(e.Job, func(x *Sale) { s.signed(now, x, e) })
	case Started:
		s.started(now, e)
	case Collecting:
		s.collecting(now, e)
	case RunProgressed:
		s.of(e.Job, func(x *Sale) { s.runProgressed(x, e) })
	case RunEnded:
		s.of(e.Job, func(x *Sale) { s.runEnded(now, x, e) })
	case Submitted:
		s.of(e.Job, func(x *Sale) { s.submitted(x, e) })
	case SubmitFailed:
		s.of(e.Job, func(x *Sale) { x.Text = clip(e.Text); s.out.save(x.ID) })
	case Vouched:
		s.of(e.Job, func(x *Sale) { s.vouched(now, x) })
	case ChannelClosed:
		s.channelClosed(now, e)
	case Viewed:
		s.of(e.Job, func(x *Sale) { s.viewed(now, x, e.View) })
	default:
		panic(fmt.Sprintf("BUG: event %T of an operator", e))
	}
	s.tick(now)
	return s.take()
}

// tick does what time has made due, and starts what there is room for.
func (s *Seller) tick(now uint64) {
	s.expireBids(now)
	for _, id := range s.capacity.Hopeless(now) {
		if x := s.sales[id]; x != nil && (x.phase() == queued || x.phase() == running) {
			s.fail(now, x, CodeDeadline, "it would not be done in time")
		}
	}
	s.each(func(x *Sale) { s.push(now, x) })
	s.place(now)
	s.serve(now)
}

func (s *Seller) each(visit func(*Sale)) {
	var open []*Sale
	for _, x := range s.sales {
		if !x.Ended() {
			open = append(open, x)
		}
	}
	slices.SortFunc(open, func(a, b *Sale) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	for _, x := range open {
		visit(x)
	}
}

func (s *Seller) of(id chain.Hash, visit func(*Sale)) {
	if x := s.sales[id]; x != nil && !x.Ended() {
		visit(x)
	}
}

// Next returns when Step wants a Tick; 0: never.
func (s *Seller) Next() uint64 {
	var next uint64
	for _, b := range s.bids {
		next = earliest(next, b.until+1)
	}
	for _, w := range s.waiting {
		next = earliest(next, w.until)
	}
	for _, x := range s.sales {
		next = earliest(next, s.retryAt(x))
	}
	return next
}

// end closes a job.
func (s *Seller) end(now uint64, x *Sale, c Code) {
	s.capacity.Release(now, x.ID)
	x.enter(closed, x.Execution)
	if c != CodeOK {
		x.Code = c
	}
	s.out.save(x.ID)
}

// Records returns what is to be stored of all jobs.
func (s *Seller) Records() []Record {
	var all []Record
	for id, x := range s.sales {
		all = append(all, Record{id, encode(x)})
	}
	return all
}
