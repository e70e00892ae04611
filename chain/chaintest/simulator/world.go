package simulator

import (
	"cmp"
	"container/heap"
	"fmt"
	"math/rand/v2"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/chain/consensus"
	"github.com/weisyn/wes/chain/replica"
)

// epoch is the true time at which a world begins, in ms since 1970: a while after the genesis
// block.
const epoch = chaintest.GenesisTime + 20_000

// easyBits is a target that every second hash meets.
const easyBits = 0x207fffff

// Options say what a world is made of.
type Options struct {
	Seed  uint64
	Nodes int // honest ones, at least 1
	// Adversaries are nodes that break the protocol.
	Adversaries []Adversary
	// Delay is the largest delay of a message, in ms. Default 200.
	Delay uint64
	// Loss is the share of announcements and gossip that gets lost; requests that get lost fail.
	Loss float64
	// Spacing is the mean time between blocks, in ms. Default 10,000.
	Spacing uint64
	// Skew is how far clocks of nodes are off, in ms, to either side.
	Skew uint64
	// AttachmentDepth is how deep blocks connect without attachments. Default 8,640.
	AttachmentDepth uint64
}

// World is a network in simulated time.
type World struct {
	o     Options
	src   *rand.Rand
	now   uint64 // true time, ms since 1970
	queue events
	seq   int
	peers replica.PeerID // the last one given

	validator *chain.Validator
	consensus consensus.Config
	genesis   *chain.Block
	applied   *chain.Applied
	supply    uint64
	nodes     []*node
	users     []chaintest.Wallet
	answers   map[byte][]byte // of the Swapper, by kind
	bans      map[[2]int]bool // by whom, whom
	mined     uint64          // until when nobody mines by itself
	fault     error           // the first thing that must not be
}

// New returns a world whose nodes are not linked.
func New(o Options) (*World, error) {
	o.Delay, o.Spacing = cmp.Or(o.Delay, 200), cmp.Or(o.Spacing, 10_000)
	w := &World{o: o, src: newSource(o.Seed), now: epoch, bans: map[[2]int]bool{}, answers: map[byte][]byte{}}
	var err error
	w.validator, err = chain.NewValidator(chain.DefaultParams(), chain.NewProofCache(&chaintest.Verifier{}, 1024), 1)
	if err != nil {
		return nil, err
	}
	w.validator.Signatures = chain.NewSignatureCache(1 << 12)
	if err := w.begin(); err != nil {
		return nil, err
	}
	for i := range o.Nodes + len(o.Adversaries) {
		n := &node{world: w, id: i, links: map[replica.PeerID]*link{}, seen: map[chain.Hash]bool{}}
		if i >= o.Nodes {
			n.adversary = o.Adversaries[i-o.Nodes]
		}
		if o.Skew > 0 {
			n.offset = int64(w.src.Uint64N(2*o.Skew)) - int64(o.Skew)
		}
		if n.store, err = chaintest.NewStore(w.genesis, w.applied); err != nil {
			return nil, err
		}
		if err := n.start(); err != nil {
			return nil, err
		}
		w.nodes = append(w.nodes, n)
	}
	return w, nil
}

// Users are how many wallets share the coins of the genesis block, Coins how many each has.
const (
	Users = 4
	Coins = 6
	coin  = 10_000_000
)

// begin makes the genesis block.
func (w *World) begin() error {
	tx := &chain.Tx{}
	for i := range Users {
		u := chaintest.NewWallet(fmt.Sprint("user ", i))
		w.users = append(w.users, u)
		for range Coins {
			tx.Outputs = append(tx.Outputs, chain.Output{Lock: u.Lock(), Value: chain.Native(coin)})
		}
	}
	w.supply = Users * Coins * coin
	b := &chain.Block{
		Header: chain.Header{Time: chaintest.GenesisTime, Bits: easyBits},
		Txs:    []*chain.Tx{tx}, Witnesses: []chain.Witness{nil},
	}
	b.Header.TxRoot, b.Header.WitnessRoot = b.Roots()
	a, err := w.validator.Genesis(b)
	if err != nil {
		return err
	}
	w.genesis, w.applied = b, a
	w.consensus = consensus.Config{Genesis: b.Header, Spacing: w.o.Spacing, AttachmentDepth: w.o.AttachmentDepth, Poll: 20}
	return nil
}

func newSource(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 11)) }

type event struct {
	at  uint64
	seq int
	do  func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(e[i].at, e[j].at), cmp.Compare(e[i].seq, e[j].seq)) < 0
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

// after does something some ms from now.
func (w *World) after(delay uint64, do func()) {
	w.seq++
	heap.Push(&w.queue, event{w.now + delay, w.seq, do})
}

// Pass lets time pass, in ms, and returns the first thing that must not be.
func (w *World) Pass(ms uint64) error {
	end := w.now + ms
	for w.fault == nil && len(w.queue) > 0 && w.queue[0].at <= end {
		e := heap.Pop(&w.queue).(event)
		w.now = e.at
		e.do()
	}
	w.now = end
	return w.fault
}

// fail notes what must not be.
func (w *World) fail(format string, args ...any) {
	if w.fault == nil {
		w.fault = fmt.Errorf("at %d ms: %s", w.now-epoch, fmt.Sprintf(format, args...))
	}
}

// chance reports true with some probability.
func (w *World) chance(p float64) bool { return w.src.Float64() < p }

// delay draws how long a message takes.
func (w *World) delay() uint64 { return 1 + w.src.Uint64N(w.o.Delay) }

// honest returns the nodes that keep the protocol.
func (w *World) honest() []*node { return w.nodes[:w.o.Nodes] }
