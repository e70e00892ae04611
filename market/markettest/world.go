package markettest

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/market"
)

// Options are the properties of a world. Times are in ms.
type Options struct {
	Seed    uint64
	Latency uint64  // of a message, at most; default 50
	Loss    float64 // share of messages and of submitted transactions
	Spacing uint64  // between blocks; 0: they are mined on demand
	Crash   float64 // chance that a party is killed in the middle of a step
	Cap     uint64  // of payment channels; 0: clients open none
	Buyer   market.BuyerConfig
	Seller  market.SellerConfig // the risk cap is 1000 by default
}

// World is the parties, the ledger between them, and what is about to happen.
type World struct {
	o         Options
	src       *rand.Rand
	now       uint64 // ms since 1970
	queue     queue
	seq       uint64
	ledger    *ledger
	clients   []*Client
	operators []*Operator
	programs  map[string]*Program
	jobs      map[string]*job
	trace     []string
	calm      bool // there are no more faults
	restartAt int
	restarts  string
	err       error // the first thing that must not happen
}

// job is what a script calls a job.
type job struct {
	id     chain.Hash
	client *Client
}

// coins is how many coins of how many base units each party has at first.
const (
	coins     = 40
	coinValue = 1_000_000
)

// New returns a world whose ledger pays coins to the parties named and has announced the programs.
func New(o Options, parties ...string) (*World, error) {
	if o.Latency == 0 {
		o.Latency = 50
	}
	if o.Seller.RiskCap == 0 {
		o.Seller.RiskCap = 1000
	}
	w := &World{
		o: o, src: rand.New(rand.NewPCG(o.Seed, 1)), now: chaintest.GenesisTime, programs: map[string]*Program{}, jobs: map[string]*job{},
	}
	var err error
	if w.ledger, err = newLedger(parties); err != nil {
		return nil, err
	}
	if err := w.announce(); err != nil {
		return nil, err
	}
	if o.Spacing > 0 {
		w.mining()
	}
	return w, nil
}

// Now returns the simulated time, in ms since 1970.
func (w *World) Now() uint64 { return w.now }

// Ledger returns the node that all parties look at.
func (w *World) Ledger() *chaintest.Network { return w.ledger.net }

// Trace returns what has happened, line by line.
func (w *World) Trace() []string { return w.trace }

// Err returns the first thing that happened and must not.
func (w *World) Err() error { return w.err }

func (w *World) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("at %d ms: %s", w.now-chaintest.GenesisTime, fmt.Sprintf(format, args...))
	}
}

// log adds a line to the trace.
func (w *World) log(format string, args ...any) {
	at := w.now - chaintest.GenesisTime
	w.trace = append(w.trace, fmt.Sprintf("%d.%03d ", at/1000, at%1000)+strings.TrimSpace(fmt.Sprintf(format, args...)))
	if len(w.trace) == w.restartAt {
		w.at(w.now, func() {
			if c, o := w.client(w.restarts), w.operator(w.restarts); c != nil && c.up || o != nil && o.up {
				w.Restart(w.restarts)
			}
		})
	}
}

// RestartAfter has a party killed and started again once the trace has some lines, if it runs then.
func (w *World) RestartAfter(lines int, name string) { w.restartAt, w.restarts = lines, name }

// happening is something that happens at an instant.
type happening struct {
	at, seq uint64
	do      func()
}

// queue is a heap of what is about to happen, the earliest first.
type queue []happening

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(happening)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

func (w *World) at(t uint64, do func()) {
	w.seq++
	heap.Push(&w.queue, happening{max(t, w.now), w.seq, do})
}

// Run lets some ms pass.
func (w *World) Run(ms uint64) error {
	end := w.now + ms
	for len(w.queue) > 0 && w.queue[0].at <= end && w.err == nil {
		next := heap.Pop(&w.queue).(happening)
		w.now = next.at
		next.do()
	}
	w.now = end
	return w.err
}

// delay draws how long a message travels.
func (w *World) delay() uint64 { return 1 + w.src.Uint64N(w.o.Latency) }

// Lose sets which share of messages and submitted transactions is lost from now on.
func (w *World) Lose(share float64) { w.o.Loss = share }

// lost draws whether a message or transaction is lost.
func (w *World) lost() bool { return w.o.Loss > 0 && w.src.Float64() < w.o.Loss }

// mining mines a block every now and then.
func (w *World) mining() {
	w.at(w.now+w.o.Spacing, func() {
		w.Mine()
		w.mining()
	})
}

// Mine makes a block of what waits in the mempool.
func (w *World) Mine() {
	if err := w.ledger.mine(w.now, nil); err != nil {
		w.fail("mine: %v", err)
	}
	for _, s := range w.ledger.tip() {
		for _, line := range w.describe(s) {
			w.log("block %d: %s", w.ledger.net.Ledger.Height, line)
		}
	}
	w.changed()
}

// Reorganise undoes blocks and mines one more without the transactions that drop chooses; the
// others wait again.
func (w *World) Reorganise(blocks int, drop func(chaintest.Signed) bool) {
	if drop == nil {
		drop = func(chaintest.Signed) bool { return false }
	}
	w.log("%d blocks undone", blocks)
	if err := w.ledger.undo(blocks, drop); err != nil {
		w.fail("undo: %v", err)
	}
	for i := range blocks + 1 {
		if i == 0 { // the first block of the other branch has none of them
			if err := w.ledger.mine(w.ledger.net.Now(), func(chaintest.Signed) bool { return false }); err != nil {
				w.fail("mine: %v", err)
			}
			continue
		}
		w.Mine()
	}
	w.changed()
}

// changed lets every party look at the ledger in a while.
func (w *World) changed() {
	for _, c := range w.clients {
		c.look()
	}
	for _, o := range w.operators {
		o.look()
	}
}

// name returns what the script calls a job, or part of its id.
func (w *World) name(id chain.Hash) string {
	for name, j := range w.jobs {
		if j.id == id {
			return name
		}
	}
	return fmt.Sprintf("%x", id[:4])
}

// Job returns a job by its name in the world, as its client sees it.
func (w *World) Job(name string) (market.Purchase, bool) {
	j := w.jobs[name]
	if j == nil {
		return market.Purchase{}, false
	}
	return j.client.buyer.Job(j.id)
}

// Explanation is what operators have said of a job.
type Explanation struct{ market.Explanation }

// Refused reports whether an operator has given a reason.
func (e Explanation) Refused(c market.Code) bool {
	return slices.ContainsFunc(e.Reasons, func(r market.ReasonCount) bool { return r.Code == c })
}

// Explain sums up what operators have said of a job.
func (w *World) Explain(name string) Explanation {
	p, _ := w.Job(name)
	return Explanation{w.jobs[name].client.buyer.Explain(&p)}
}

// Problem is what the ledger says against a question; nil if nothing.
func (w *World) Problem(a *market.Ask) *market.Refusal { return w.problem(a) }

// Cancel has the client give a job up.
func (w *World) Cancel(name string) {
	j := w.jobs[name]
	j.client.step(market.Cancel{Job: j.id})
}
