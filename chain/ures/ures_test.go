package ures

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ipfs/boxo/bitswap"
	"github.com/ipfs/boxo/bitswap/network/bsnet"
	"github.com/ipfs/boxo/blockservice"
	"github.com/ipfs/boxo/blockstore"
	"github.com/ipfs/boxo/ipld/merkledag"
	uio "github.com/ipfs/boxo/ipld/unixfs/io"
	"github.com/ipfs/go-cid"
	"github.com/ipfs/go-datastore"
	dssync "github.com/ipfs/go-datastore/sync"
	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// Counters of a whole process that libp2p and boxo never end.
		goleak.IgnoreAnyFunction("github.com/libp2p/go-flow-metrics.(*sweeper).run"),
		goleak.IgnoreTopFunction("github.com/ipfs/go-log/v2/writer.(*MirrorWriter).logRoutine"),
		goleak.IgnoreAnyFunction("go.opencensus.io/stats/view.(*worker).start"),
	)
}

func random(seed uint64, n int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func newHost(t *testing.T) host.Host {
	t.Helper()
	h, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableMetrics(), libp2p.DisableRelay())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func connect(t *testing.T, a, b host.Host) {
	t.Helper()
	if err := a.Connect(t.Context(), peer.AddrInfo{ID: b.ID(), Addrs: b.Addrs()}); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, h host.Host, change func(*Config)) *Store {
	t.Helper()
	c := Config{Dir: filepath.Join(t.TempDir(), "resources"), Host: h, Network: "test", Replicas: 1 << 30}
	if change != nil {
		change(&c)
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *Store) mustAdd(t *testing.T, b []byte) Added {
	t.Helper()
	a, err := s.AddStream(t.Context(), bytes.NewReader(b), "x", nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// content reads a file of the store.
func content(t *testing.T, s *Store, c string) []byte {
	t.Helper()
	f, _, err := s.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSameBytesHaveTheSameCID(t *testing.T) {
	s := open(t, nil, nil)
	// What "ipfs add --cid-version=1 --raw-leaves" says of these bytes: a single raw chunk is named
	// by its hash.
	hello := []byte("hello world\n")
	sum := sha256.Sum256(hello)
	want := cid.NewCidV1(cid.Raw, append([]byte{0x12, 0x20}, sum[:]...)).String()
	if a := s.mustAdd(t, hello); a.CID != want {
		t.Errorf("%s, want %s", a.CID, want)
	}
	big := random(1, 3*chunkSize+17)
	if a, b := s.mustAdd(t, big), open(t, nil, nil).mustAdd(t, big); a != b {
		t.Errorf("%v and %v", a, b)
	}
}

func TestFolderGoesInAndOut(t *testing.T) {
	s := open(t, nil, nil)
	in, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	must(t, os.MkdirAll(filepath.Join(in, "sub"), 0o700))
	want := map[string][]byte{"a.txt": []byte("a"), "sub/model.onnx": random(2, 700_000), "sub/empty": nil}
	for name, b := range want {
		must(t, os.WriteFile(filepath.Join(in, name), b, 0o600))
	}
	total := 0
	a, err := s.Add(t.Context(), in, "folder", func(n int) { total += n })
	must(t, err)
	if total != 700_001 {
		t.Errorf("progress of %d bytes", total)
	}
	must(t, s.Export(t.Context(), a.CID, out, nil))
	for name, b := range want {
		if got, err := os.ReadFile(filepath.Join(out, name)); err != nil || !bytes.Equal(got, b) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	if err := s.Export(t.Context(), a.CID, out, nil); err == nil {
		t.Error("overwrote a folder")
	}
	must(t, os.Symlink("/etc/passwd", filepath.Join(in, "link")))
	before := s.List()
	if _, err := s.Add(t.Context(), in, "bad", nil); !errors.Is(err, ErrContent) || len(s.List()) != len(before) {
		t.Errorf("a symbolic link: %v", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestResourceOfOneNodeIsFetchedByAnother(t *testing.T) {
	a, b := newHost(t), newHost(t)
	from, to := open(t, a, nil), open(t, b, nil)
	want := random(3, 5_000_000)
	x := from.mustAdd(t, want)
	connect(t, b, a)
	if _, err := to.Fetch(t.Context(), x.CID, "copy", x.Size-1, nil); !errors.Is(err, ErrTooLarge) {
		t.Errorf("larger than allowed: %v", err)
	}
	got, err := to.Fetch(t.Context(), x.CID, "copy", x.Size, nil)
	if err != nil || got != x {
		t.Fatalf("%+v, %v", got, err)
	}
	if !bytes.Equal(content(t, to, x.CID), want) {
		t.Error("other bytes")
	}
	if has, err := to.Has(t.Context(), x.CID); err != nil || !has {
		t.Error(has, err)
	}
}

// TestInterruptedFetchGoesOnElsewhere: what came from a peer that is gone is not fetched again.
func TestInterruptedFetchGoesOnElsewhere(t *testing.T) {
	hosts := []host.Host{newHost(t), newHost(t), newHost(t)}
	want := random(4, 4_000_000)
	first, second := open(t, hosts[0], nil), open(t, hosts[1], nil)
	x := first.mustAdd(t, want)
	second.mustAdd(t, want)
	to := open(t, hosts[2], nil)
	connect(t, hosts[2], hosts[0])
	ctx, stop := context.WithCancel(t.Context())
	var once sync.Once
	got := 0
	_, err := to.Fetch(ctx, x.CID, "", x.Size, func(n int) {
		if got += n; got > 1_500_000 {
			once.Do(func() { _ = hosts[2].Network().ClosePeer(hosts[0].ID()); stop() })
		}
	})
	if !errors.Is(err, ErrNotFound) || len(to.List()) > 0 {
		t.Fatalf("%v, pins %v", err, to.List())
	}
	here, err := to.Used(t.Context())
	must(t, err)
	if here < 1_500_000 {
		t.Fatalf("only %d bytes were kept", here)
	}
	before, err := to.swap.Stat()
	must(t, err)
	connect(t, hosts[2], hosts[1])
	if _, err := to.Fetch(t.Context(), x.CID, "", x.Size, nil); err != nil {
		t.Fatal(err)
	}
	after, err := to.swap.Stat()
	must(t, err)
	if n := after.DataReceived - before.DataReceived; n > uint64(len(want))-here+2*chunkSize || !bytes.Equal(content(t, to, x.CID), want) {
		t.Errorf("%d bytes received, %d were here of %d", n, here, len(want))
	}
}

func TestQuotaIsKeptAndLeavesNothingBehind(t *testing.T) {
	a, b := newHost(t), newHost(t)
	from, to := open(t, a, nil), open(t, b, func(c *Config) { c.Quota = 1_000_000 })
	small := to.mustAdd(t, random(5, 300_000))
	if _, err := to.AddStream(t.Context(), bytes.NewReader(random(6, 900_000)), "", nil); !errors.Is(err, ErrQuota) {
		t.Errorf("added: %v", err)
	}
	used, err := to.Used(t.Context())
	must(t, err)
	if used > 400_000 || len(to.List()) != 1 {
		t.Errorf("%d bytes stay, pins %v", used, to.List())
	}
	connect(t, b, a)
	x := from.mustAdd(t, random(7, 900_000))
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
	defer stop()
	if _, err := to.Fetch(ctx, x.CID, "", 1<<30, nil); err == nil {
		t.Error("fetched beyond the quota")
	}
	_, err = to.Remove(t.Context(), small.CID)
	must(t, err)
	if used, err = to.Used(t.Context()); err != nil || used > 50_000 {
		t.Errorf("%d bytes stay: %v", used, err)
	}
}

func TestCollectionKeepsWhatPinsShare(t *testing.T) {
	s := open(t, nil, nil)
	shared := random(8, 2*chunkSize)
	one, two := s.mustAdd(t, append(bytes.Clone(shared), 1)), s.mustAdd(t, append(bytes.Clone(shared), 2))
	freed, err := s.Remove(t.Context(), one.CID)
	if err != nil || freed == 0 || freed > chunkSize {
		t.Errorf("%d bytes freed, %v", freed, err)
	}
	if !bytes.Equal(content(t, s, two.CID), append(bytes.Clone(shared), 2)) {
		t.Error("the other resource is damaged")
	}
	if err := s.Unpin(one.CID); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if _, _, err := s.Open(t.Context(), one.CID); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

func TestPinsSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	with := func(c *Config) { c.Dir = dir }
	s, err := Open(t.Context(), Config{Dir: dir})
	must(t, err)
	x := s.mustAdd(t, random(9, 1000))
	must(t, s.Close())
	again := open(t, nil, with)
	if l := again.List(); len(l) != 1 || l[0].CID != x.CID || l[0].Name != "x" {
		t.Errorf("%v", l)
	}
	if freed, err := again.Collect(t.Context()); err != nil || freed != 0 {
		t.Error(freed, err)
	}
}

func TestReplicasGoToTheNearestPeersWithRoom(t *testing.T) {
	hosts := []host.Host{newHost(t), newHost(t), newHost(t), newHost(t)}
	var stores []*Store
	for i, h := range hosts {
		stores = append(stores, open(t, h, func(c *Config) {
			if i == 3 {
				c.Replicas = 0
			}
		}))
		if i > 0 {
			connect(t, hosts[0], h)
		}
	}
	x := stores[0].mustAdd(t, random(10, 600_000))
	c, err := cid.Decode(x.CID)
	must(t, err)
	var order []peer.ID
	for range 100 { // peers are known to speak the protocol a little after they connect
		if order = stores[0].nearest(c); len(order) == 3 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	var want []string
	for _, p := range order {
		if p != hosts[3].ID() {
			want = append(want, p.String())
		}
	}
	got, err := stores[0].Replicate(t.Context(), x.CID, 1)
	if err != nil || len(got) != 1 || got[0] != want[0] {
		t.Fatalf("%v, %v, want %v", got, err, want[:1])
	}
	got, err = stores[0].Replicate(t.Context(), x.CID, 3)
	if err != nil || len(got) != 2 {
		t.Fatalf("%v, %v: one has no room", got, err)
	}
	for _, s := range stores[1:3] {
		if l := s.List(); len(l) != 1 || !l[0].Replica {
			t.Errorf("%v", l)
		}
	}
}

func TestOldestReplicaGivesWayAndOwnPinsStay(t *testing.T) {
	a, b := newHost(t), newHost(t)
	from, to := open(t, a, nil), open(t, b, func(c *Config) { c.Replicas = 1_100_000 })
	own := to.mustAdd(t, random(11, 100_000))
	connect(t, a, b)
	var all []string
	for i := range uint64(3) {
		x := from.mustAdd(t, random(20+i, 500_000))
		all = append(all, x.CID)
		for range 100 {
			if got, err := from.Replicate(t.Context(), x.CID, 1); err == nil && len(got) == 1 {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	kept := map[string]bool{}
	for _, p := range to.List() {
		kept[p.CID] = true
	}
	if !kept[own.CID] || kept[all[0]] || !kept[all[1]] || !kept[all[2]] {
		t.Errorf("%v of %v", kept, all)
	}
}

// TestStockClientReadsWhatANodeServes uses boxo as it comes.
func TestStockClientReadsWhatANodeServes(t *testing.T) {
	a, b := newHost(t), newHost(t)
	want := random(12, 1_000_000)
	x := open(t, a, nil).mustAdd(t, want)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	store := blockstore.NewBlockstore(dssync.MutexWrap(datastore.NewMapDatastore()))
	swap := bitswap.New(ctx, bsnet.NewFromIpfsHost(b), nil, store)
	defer func() { _ = swap.Close() }()
	connect(t, b, a)
	dag := merkledag.NewDAGService(blockservice.New(store, swap))
	c, err := cid.Decode(x.CID)
	must(t, err)
	root, err := dag.Get(ctx, c)
	must(t, err)
	r, err := uio.NewDagReader(ctx, root, dag)
	must(t, err)
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func BenchmarkFetch50MB(b *testing.B) {
	ctx := context.Background()
	content := random(1, 50<<20)
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		b.StopTimer()
		var stores []*Store
		var hosts []host.Host
		for range 2 {
			h, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableMetrics())
			if err != nil {
				b.Fatal(err)
			}
			s, err := Open(ctx, Config{Dir: b.TempDir(), Host: h})
			if err != nil {
				b.Fatal(err)
			}
			hosts, stores = append(hosts, h), append(stores, s)
		}
		x, err := stores[0].AddStream(ctx, bytes.NewReader(content), "", nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := hosts[1].Connect(ctx, peer.AddrInfo{ID: hosts[0].ID(), Addrs: hosts[0].Addrs()}); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if _, err := stores[1].Fetch(ctx, x.CID, "", 1<<30, nil); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		for i, s := range stores {
			if err := errors.Join(s.Close(), hosts[i].Close()); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
	}
}
