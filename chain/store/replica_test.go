package store_test

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/chain/consensus"
	"github.com/weisyn/wes/chain/replica"
	"github.com/weisyn/wes/chain/store"
)

var (
	_ replica.Store  = (*store.Store)(nil)
	_ replica.Source = store.Published{}
	_ replica.Source = (*store.Reader)(nil)
)

// easyBits is a target that every second hash meets.
const easyBits = 0x207fffff

// peer is a replica on a store.
type peer struct {
	t         *testing.T
	dir       string
	o         store.Options
	consensus consensus.Config
	validator *chain.Validator
	now       uint64
	store     *store.Store
	replica   *replica.Replica
	server    *replica.Server
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	v, err := chain.NewValidator(chain.DefaultParams(), &chaintest.Verifier{}, 2)
	must(t, err)
	miner := chaintest.NewWallet("miner")
	b := &chain.Block{
		Header: chain.Header{Time: chaintest.GenesisTime, Bits: easyBits},
		Txs:    []*chain.Tx{{Outputs: []chain.Output{{Lock: miner.Lock(), Value: chain.Native(1000)}}}}, Witnesses: []chain.Witness{nil},
	}
	b.Header.TxRoot, b.Header.WitnessRoot = b.Roots()
	a, err := v.Genesis(b)
	must(t, err)
	p := &peer{
		t: t, dir: t.TempDir(), o: store.Options{Genesis: b, Applied: a}, validator: v, now: chaintest.GenesisTime,
		consensus: consensus.Config{Genesis: b.Header, Spacing: 10_000},
	}
	p.open()
	t.Cleanup(func() { must(t, p.store.Close()) })
	return p
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (p *peer) open() {
	p.t.Helper()
	var err error
	p.store, err = store.Open(p.dir, p.o)
	must(p.t, err)
	p.replica, err = replica.New(replica.Config{Consensus: p.consensus, Validator: p.validator}, p.store)
	must(p.t, err)
	p.server = p.replica.Server(p.store.Published())
}

func (p *peer) reopen() {
	p.t.Helper()
	must(p.t, p.store.Close())
	p.open()
}

// mine makes a block on the tip.
func (p *peer) mine(name string) {
	p.t.Helper()
	p.now += 10_000
	must(p.t, p.replica.Tick(p.now))
	w := chaintest.NewWallet(name)
	b, err := p.replica.Template(p.now, w.Public(), w.Lock())
	must(p.t, err)
	target, _ := consensus.Target(b.Header.Bits)
	var raw [chain.HashSize]byte
	target.FillBytes(raw[:])
	for i := uint64(0); ; i++ {
		binary.BigEndian.PutUint64(b.Header.Nonce[:], i)
		if hash := b.Header.Hash(); string(hash[:]) <= string(raw[:]) {
			break
		}
	}
	must(p.t, p.replica.Mined(p.now, b))
}

// sync asks another peer until there is nothing more to ask.
func (p *peer) sync(from *peer) {
	p.t.Helper()
	p.now = max(p.now, from.now)
	must(p.t, p.replica.Join(p.now, 1))
	for range 100 {
		p.now += 1000
		must(p.t, p.replica.Tick(p.now))
		for _, e := range p.replica.Effects() {
			ask, ok := e.(replica.Ask)
			if !ok {
				continue
			}
			raw, err := from.server.Serve(ask.Request.Encode())
			must(p.t, err)
			a, err := replica.DecodeAnswer(ask.Request, raw)
			must(p.t, err)
			must(p.t, p.replica.Answer(p.now, ask.Peer, ask.Request, a))
		}
	}
	must(p.t, p.replica.Leave(p.now, 1))
}

// TestReplicasRunOnTheStore mines on one store, follows on another through a reorganisation
// and restarts, and validates both anew.
func TestReplicasRunOnTheStore(t *testing.T) {
	a, b := newPeer(t), newPeer(t)
	for range 4 {
		a.mine("a")
	}
	b.sync(a)
	same(t, a, b, 4)
	b.reopen()
	for range 3 {
		a.mine("a")
	}
	for range 5 {
		b.mine("b")
	}
	a.reopen()
	a.sync(b)
	same(t, a, b, 9)
	a.reopen()
	b.mine("b")
	a.sync(b)
	same(t, a, b, 10)
	for _, p := range []*peer{a, b} {
		report, err := p.store.Verify(context.Background(), p.validator, func(uint64, uint64) {})
		if err != nil || report != (store.Report{Height: 10, ProofsFrom: 1}) {
			t.Fatalf("%+v, %v", report, err)
		}
	}
}

func same(t *testing.T, a, b *peer, height uint64) {
	t.Helper()
	x, y := a.store.Ledger(), b.store.Ledger()
	if x.Tip != y.Tip || x.Height != height || y.Height != height || x.Set != y.Set {
		t.Fatalf("one stands at %v, the other at %v, want height %d", &x, &y, height)
	}
}
