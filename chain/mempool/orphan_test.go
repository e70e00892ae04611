package mempool

import (
	"errors"
	"slices"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// family3 returns a transaction, its child and its grandchild.
func (w *world) family3(coin chain.UTXO) [3]chaintest.Signed {
	a := w.spend(5000, 1, coin).Sign()
	b := w.spend(5000, 1, a.Out(0)).Sign()
	c := w.spend(5000, 1, b.Out(0)).Sign()
	return [3]chaintest.Signed{a, b, c}
}

func TestOrphansFollowTheirParents(t *testing.T) {
	w := newWorld(t, Config{}, 1)
	f := w.family3(w.coins[0])
	w.refuse(f[2], ErrOrphan)
	w.refuse(f[1], ErrOrphan)
	w.refuse(f[1], ErrKnown)
	r := w.accept(f[0])
	var ids []chain.Hash
	for _, e := range r.Added {
		ids = append(ids, e.ID)
	}
	if !slices.Equal(ids, []chain.Hash{f[0].ID(), f[1].ID(), f[2].ID()}) || w.pool.Status(w.now).Orphans != 0 {
		t.Errorf("added %v", ids)
	}
}

func TestOrphansFollowABlock(t *testing.T) {
	w := newWorld(t, Config{}, 2)
	f := w.family3(w.coins[0])
	reader := w.spend(5000, 1, w.coins[1]).Refer(f[0].Out(0)).Sign()
	w.refuse(f[1], ErrOrphan)
	w.refuse(reader, ErrOrphan)
	w.mine(f[0])
	if !w.has(f[1]) || !w.has(reader) {
		t.Error("an orphan still waits")
	}
}

func TestOrphanInABlockIsForgotten(t *testing.T) {
	w := newWorld(t, Config{}, 1)
	f := w.family3(w.coins[0])
	w.refuse(f[1], ErrOrphan)
	w.refuse(f[2], ErrOrphan)
	w.mine(f[0], f[1])
	if w.pool.Status(w.now).Orphans != 0 || !w.has(f[2]) || w.has(f[1]) {
		t.Errorf("%+v", w.pool.Status(w.now))
	}
}

func TestInvalidOrphanGoes(t *testing.T) {
	w := newWorld(t, Config{}, 1)
	f := w.family3(w.coins[0])
	bad := f[1]
	bad.Witness = chain.Witness{{Data: [][]byte{make([]byte, 64)}}}
	w.refuse(bad, ErrOrphan)
	w.accept(f[0])
	if w.has(bad) || w.pool.Status(w.now).Orphans != 0 {
		t.Error("it is still there")
	}
	w.accept(f[1])
}

func TestSpoiltOrphanDoesNotKeepTheGoodOneOut(t *testing.T) {
	w := newWorld(t, Config{}, 1)
	f := w.family3(w.coins[0])
	bad := f[1]
	bad.Witness = chain.Witness{{Data: [][]byte{make([]byte, 64)}}}
	w.refuse(bad, ErrOrphan)
	w.refuse(f[1], ErrOrphan)
	w.accept(f[0])
	if !w.has(f[1]) {
		t.Error("the good one is lost")
	}
}

// stray returns a transaction that waits for something unknown.
func (w *world) stray(n byte) chaintest.Signed {
	u := w.coins[0]
	u.Outpoint.Tx = chain.Hash{n, 1}
	return w.spend(5000, 1, u).Sign()
}

func TestOrphansAreBoundedForEachPeer(t *testing.T) {
	w := newWorld(t, Config{MaxOrphans: 10, PeerOrphans: 6, OrphanExpiry: 1000}, 1)
	send := func(p Peer, n byte) {
		t.Helper()
		s := w.stray(n)
		if _, err := w.pool.Add(w.now, p, s.Tx, s.Witness); !errors.Is(err, ErrOrphan) {
			t.Fatal(err)
		}
	}
	send(2, 200)
	send(2, 201)
	for n := range byte(100) {
		send(1, n)
		send(3, n+100)
	}
	send(2, 202)
	if n := len(w.pool.orphans.of(2)); n != 3 {
		t.Errorf("a flood leaves %d of 3 orphans of another peer", n)
	}
	if n := len(w.pool.orphans.all); n != 10 {
		t.Errorf("%d orphans", n)
	}
	w.now += 1000
	w.pool.Expire(w.now)
	if len(w.pool.orphans.all)+len(w.pool.orphans.waits) != 0 || w.pool.orphans.bytes != 0 {
		t.Error("orphans stay for ever")
	}
}

func TestOrphansOfOnePeerAreBounded(t *testing.T) {
	w := newWorld(t, Config{PeerOrphans: 6}, 1)
	for n := range byte(10) {
		w.refuse(w.stray(n), ErrOrphan)
	}
	if n := len(w.pool.orphans.all); n != 6 || !w.pool.orphans.has(w.pool.measure(0, w.stray(9).Tx, w.stray(9).Witness)) {
		t.Errorf("%d orphans", n)
	}
}

func TestOrphansAreBoundedInBytes(t *testing.T) {
	w := newWorld(t, Config{MaxOrphanBytes: 1000}, 1)
	for n := range byte(20) {
		w.refuse(w.stray(n), ErrOrphan)
	}
	if b := w.pool.orphans.bytes; b > 1000 || b == 0 {
		t.Errorf("%d bytes", b)
	}
}
