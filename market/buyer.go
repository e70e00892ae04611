package market

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/weisyn/wes/chain"
)

// BuyerConfig says how a client deals. Times are in ms.
type BuyerConfig struct {
	Chain  chain.Hash
	Params chain.Params

	Window      uint64 // of one round of bids, 200 to 2000; default 500
	Rounds      uint8  // 1 to 8; default 8
	Search      uint64 // for which a job waits where nobody is known that could be asked; default 30,000
	MaxReserve  uint64 // highest fee reserve of an escrow, in base units; default a tenth of a WES
	MaxAsked    int    // operators asked in a round; default 32
	Countersign uint64 // within which an operator has to sign, beside the transfer; default 1000
	Throughput  uint64 // bytes a second that a payload is expected to travel at least; default 1 MiB
	SmallJob    uint64 // promise up to which a posted price is taken without a question; default 10,000
	Retry       uint64 // after which a transaction that is not to be seen is submitted again; default 15,000
	Final       uint64 // blocks after which an end is the end; default 6
	MaxAdverts  int    // operators known; default 1024
	MaxJobs     int    // jobs that have not ended; default 4096
	// MaxChannels bounds the payment channels that stand or are being opened; 0: escrows pay for all jobs.
	MaxChannels  int
	ChannelPause uint64 // after which another is tried where one could not be opened; default 600,000
}

func (c BuyerConfig) withDefaults() BuyerConfig {
	def := func(v *uint64, d uint64) {
		if *v == 0 {
			*v = d
		}
	}
	def(&c.Window, 500)
	def(&c.Search, 30_000)
	def(&c.Countersign, 1000)
	def(&c.Throughput, 1<<20)
	def(&c.SmallJob, 10_000)
	def(&c.Retry, 15_000)
	def(&c.MaxReserve, chain.Unit/10)
	def(&c.Final, 6)
	def(&c.ChannelPause, 600_000)
	if c.Rounds == 0 || c.Rounds > 8 {
		c.Rounds = 8
	}
	if c.MaxAsked == 0 {
		c.MaxAsked = 32
	}
	if c.MaxAdverts == 0 {
		c.MaxAdverts = 1024
	}
	if c.MaxJobs == 0 {
		c.MaxJobs = 4096
	}
	return c
}

// Buyer is the client's side of all its jobs.
type Buyer struct {
	cfg     BuyerConfig
	jobs    map[chain.Hash]*Purchase
	adverts map[chain.PublicKey]*Advert
	history history
	rooms   map[chain.PublicKey]*room // by operator, not stored
	out     outbox
	live    map[chain.Hash]*Progressed // latest of each, not stored
	// revealed are the jobs whose output was asked for by this process.
	revealed map[chain.Hash]bool
}

// NewBuyer returns a client without jobs.
func NewBuyer(c BuyerConfig) *Buyer {
	return &Buyer{
		cfg: c.withDefaults(), jobs: map[chain.Hash]*Purchase{}, adverts: map[chain.PublicKey]*Advert{},
		history: history{map[chain.PublicKey]*Standing{}}, rooms: map[chain.PublicKey]*room{}, live: map[chain.Hash]*Progressed{}, revealed: map[chain.Hash]bool{},
	}
}

// historyID is the name of the record of standings.
func historyID() chain.Hash { return tagged("wes/history/1") }

// Load takes a stored record, before any Step.
func (b *Buyer) Load(r Record) error {
	if r.ID == historyID() {
		return b.history.decode(r.Bytes)
	}
	p, err := decode[Purchase](r.Bytes, maxRecord)
	if err != nil {
		return err
	}
	if p.ID != r.ID {
		return fmt.Errorf("%w: record of job %v under %v", ErrMessage, p.ID, r.ID)
	}
	b.jobs[p.ID] = p
	return nil
}

// Job returns a copy of a job.
func (b *Buyer) Job(id chain.Hash) (Purchase, bool) {
	p := b.jobs[id]
	if p == nil {
		return Purchase{}, false
	}
	return *p, true
}

// Progress returns what the operator last said of a job; nil if nothing.
func (b *Buyer) Progress(id chain.Hash) *Progressed { return b.live[id] }

// Jobs returns copies of all jobs, the newest first.
func (b *Buyer) Jobs() []Purchase {
	var all []Purchase
	for _, p := range b.jobs {
		all = append(all, *p)
	}
	slices.SortFunc(all, func(a, b Purchase) int {
		if a.Submitted != b.Submitted {
			return -compare(a.Submitted, b.Submitted)
		}
		return bytes.Compare(a.ID[:], b.ID[:])
	})
	return all
}

func compare(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Forget drops a job that has ended. Its record may be removed.
func (b *Buyer) Forget(id chain.Hash) bool {
	p := b.jobs[id]
	if p == nil || !p.Ended() {
		return false
	}
	delete(b.jobs, id)
	delete(b.live, id)
	delete(b.revealed, id)
	return true
}

// Adverts returns the operators known, by key.
func (b *Buyer) Adverts(now uint64) []*Advert {
	var all []*Advert
	for _, a := range b.adverts {
		if a.Expiry >= now {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b *Advert) int { return bytes.Compare(a.Operator[:], b.Operator[:]) })
	return all
}

// Contact returns how an operator is reached, by its advert.
func (b *Buyer) Contact(now uint64, k chain.PublicKey) (Contact, bool) {
	a := b.adverts[k]
	if a == nil || a.Expiry < now {
		return Contact{}, false
	}
	return contactOf(a), true
}

// Standing returns what is known of an operator.
func (b *Buyer) Standing(k chain.PublicKey) Standing { return b.history.of(k) }

func (b *Buyer) take() Output {
	return b.out.take(func(id chain.Hash) []byte {
		if id == historyID() {
			return b.history.encode()
		}
		return encode(b.jobs[id])
	})
}

// Step takes an event at the local time now.
func (b *Buyer) Step(now uint64, e Event) Output {
	switch e := e.(type) {
	case Tick:
		b.each(func(p *Purchase) { b.tick(now, p) })
	case Resume:
		b.each(func(p *Purchase) { b.resume(now, p) })
	case Heard:
		b.heard(now, e.Advert)
	case Answered:
		b.of(e.Job, func(p *Purchase) { b.answered(now, p, e) })
	case Contracted:
		b.of(e.Job, func(p *Purchase) { b.contracted(now, p, e) })
	case ContractFailed:
		b.of(e.Job, func(p *Purchase) { b.contractFailed(now, p, e) })
	case Progressed:
		b.of(e.Job, func(p *Purchase) { b.progressed(now, p, e) })
	case Delivered:
		b.of(e.Job, func(p *Purchase) { b.delivered(now, p, e) })
	case Verified:
		b.of(e.Job, func(p *Purchase) { b.verified(now, p, e) })
	case Submitted:
		b.of(e.Job, func(p *Purchase) { b.submitted(now, p, e) })
	case SubmitFailed:
		b.of(e.Job, func(p *Purchase) { b.submitFailed(now, p, e) })
	case Viewed:
		b.of(e.Job, func(p *Purchase) { b.viewed(now, p, e.View) })
	case ChannelRoom:
		b.channelRoom(e)
	case ChannelFailed:
		b.channelFailed(now, e)
	case Vouched:
		b.of(e.Job, b.vouched)
	case Unpaid:
		b.of(e.Job, func(p *Purchase) { b.unvouched(p, e) })
	case Cancel:
		b.of(e.Job, func(p *Purchase) { b.cancel(p) })
	default:
		panic(fmt.Sprintf("BUG: event %T of a client", e))
	}
	b.regroup(now)
	return b.take()
}

// each visits all jobs that have not ended, in a fixed order.
func (b *Buyer) each(visit func(*Purchase)) {
	var open []*Purchase
	for _, p := range b.jobs {
		if !p.Ended() {
			open = append(open, p)
		}
	}
	slices.SortFunc(open, func(a, b *Purchase) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	for _, p := range open {
		visit(p)
	}
}

func (b *Buyer) of(id chain.Hash, visit func(*Purchase)) {
	p := b.jobs[id]
	if p == nil || p.Ended() {
		return
	}
	visit(p)
}

// regroup does what follows for the replicas of jobs that have changed.
func (b *Buyer) regroup(now uint64) {
	for _, id := range slices.Clone(b.out.changed) {
		if p := b.jobs[id]; p != nil && b.replicated(p) {
			b.revealAll(p)
			b.compare(now, p)
		}
	}
}

// Next returns when Step wants a Tick; 0: never.
func (b *Buyer) Next() uint64 {
	var next uint64
	for _, p := range b.jobs {
		switch p.phase() {
		case asking:
			next = earliest(next, p.Closes)
		case contracting:
			next = earliest(next, p.Within)
		case working, accepting, disputing:
			next = earliest(next, b.retryAt(p))
		}
	}
	return next
}

// end closes a job.
func (b *Buyer) end(p *Purchase, c Code, text string) {
	p.enter(over)
	p.Assignment, p.Code, p.Text = Closed, c, clip(text)
	b.out.save(p.ID)
}

// clip makes a text of a stranger one that a record can hold: valid UTF-8 of at most 256 bytes.
func clip(s string) string {
	s = strings.ToValidUTF8(s, "?")
	if len(s) <= 256 {
		return s
	}
	cut := 256
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}

// Records returns what is to be stored of all jobs and standings.
func (b *Buyer) Records() []Record {
	var all []Record
	for id, p := range b.jobs {
		all = append(all, Record{id, encode(p)})
	}
	if len(b.history.all) > 0 {
		all = append(all, Record{historyID(), b.history.encode()})
	}
	return all
}
