package node

import (
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"math/big"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/chain/consensus"
)

func TestSearchFindsWhatTheTargetDemands(t *testing.T) {
	target, _ := consensus.Target(0x1f00ffff)
	for threads := 1; threads <= 4; threads++ {
		h := chain.Header{Height: uint64(threads), Bits: 0x1f00ffff}
		var tried atomic.Uint64
		nonce, found := search(t.Context(), &h, threads, &tried)
		if !found {
			t.Fatal("found nothing")
		}
		h.Nonce = nonce
		hash := h.Hash()
		if new(big.Int).SetBytes(hash[:]).Cmp(target) > 0 {
			t.Errorf("%d threads: hash %v is above the target", threads, hash)
		}
		if tried.Load() == 0 {
			t.Error("no hash was counted")
		}
	}
}

func TestSearchEndsWithItsContext(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var tried atomic.Uint64
	if _, found := search(ctx, &chain.Header{Bits: 0x01010000}, 2, &tried); found {
		t.Error("found a hash of 1 or less")
	}
}

// fakeBlocks is a ledger that checks nothing.
type fakeBlocks struct {
	sync.Mutex
	due    bool
	parent chain.Hash
	got    []*chain.Block
	fail   error
	move   chan struct{}
}

func (f *fakeBlocks) template(_ context.Context, force bool) (*chain.Block, error) {
	f.Lock()
	defer f.Unlock()
	if !f.due && !force {
		return nil, nil
	}
	return &chain.Block{Header: chain.Header{Bits: 0x207fffff, Parent: f.parent, Height: uint64(len(f.got) + 1)}}, nil
}

func (f *fakeBlocks) mined(_ context.Context, b *chain.Block) error {
	f.Lock()
	defer f.Unlock()
	if f.fail != nil {
		err := f.fail
		f.fail = nil
		return err
	}
	f.got, f.parent = append(f.got, b), b.Header.Hash()
	return nil
}

func (f *fakeBlocks) changed() <-chan struct{} { return nil }
func (f *fakeBlocks) moves() <-chan struct{}   { return f.move }

func fakeMiner(f *fakeBlocks) *miner {
	return &miner{blocks: f, threads: 2, log: slog.New(slog.DiscardHandler)}
}

func TestMinerMakesAsManyBlocksAsAsked(t *testing.T) {
	f := &fakeBlocks{fail: errStale}
	m := fakeMiner(f)
	made, err := m.make(t.Context(), 3)
	if err != nil || len(made) != 3 || len(f.got) != 3 || m.made.Load() != 3 {
		t.Fatalf("made %d, connected %d, %v", len(made), len(f.got), err)
	}
	if f.got[2].Header.Hash() != made[2] || f.got[2].Header.Parent != made[1] {
		t.Error("what was connected is not what was reported")
	}
}

// TestMinerLeavesAnOldTip searches for what cannot be found until the tip changes.
func TestMinerLeavesAnOldTip(t *testing.T) {
	f := &fakeBlocks{move: make(chan struct{})}
	m := fakeMiner(f)
	close(f.move)
	b := &chain.Block{Header: chain.Header{Bits: 0x01010000}}
	if ok, err := m.try(t.Context(), b, f.moves()); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
}

func TestMinerStopsAtAFault(t *testing.T) {
	fault := errors.New("the disk is gone")
	f := &fakeBlocks{fail: fault, due: true}
	if err := fakeMiner(f).run(t.Context()); !errors.Is(err, fault) {
		t.Error(err)
	}
}

func TestMinerOfAConsortiumSeals(t *testing.T) {
	w := chaintest.NewWallet("alice")
	f := &fakeBlocks{}
	m := fakeMiner(f)
	m.seal = w.Sign
	if _, err := m.make(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	digest := chain.SealHash(&f.got[0].Header)
	public := w.Public()
	if !ed25519.Verify(public[:], digest[:], f.got[0].Seal) {
		t.Error("the seal does not verify")
	}
}

func TestMinersTakeTurns(t *testing.T) {
	var keys []chain.PublicKey
	for _, name := range []string{"a", "b", "c", "d"} {
		keys = append(keys, chaintest.NewWallet(name).Public())
	}
	firsts := map[int]bool{}
	for parent := range byte(64) {
		places := map[int]bool{}
		for i, k := range keys {
			p := turn(chain.Hash{parent}, k, keys)
			places[p] = true
			if p == 0 {
				firsts[i] = true
			}
		}
		if len(places) != len(keys) {
			t.Fatalf("parent %d: places %v", parent, places)
		}
	}
	if len(firsts) != len(keys) {
		t.Errorf("only %v are ever first", firsts)
	}
	var w waiting
	start := time.Unix(1000, 0)
	for i, want := range []bool{false, false, true} {
		if got := w.over(start.Add(time.Duration(i)*time.Second), chain.Hash{1}, 2*time.Second); got != want {
			t.Errorf("after %d s: %v", i, got)
		}
	}
	if w.over(start.Add(9*time.Second), chain.Hash{2}, time.Second) {
		t.Error("the wait for one parent counts for another")
	}
}

func BenchmarkSearch(b *testing.B) {
	h := chain.Header{Bits: 0x01010000}
	var tried atomic.Uint64
	for b.Loop() {
		ctx, stop := context.WithTimeout(b.Context(), 100*time.Millisecond)
		search(ctx, &h, 1, &tried)
		stop()
	}
	b.ReportMetric(float64(tried.Load())/b.Elapsed().Seconds(), "hashes/s")
}
