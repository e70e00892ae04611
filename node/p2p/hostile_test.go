package p2p

import (
	"bytes"
	"context"
	"encoding/binary"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// hostile is a host of libp2p without our bounds, connected to a victim.
func hostile(t *testing.T, victim *Host) host.Host {
	t.Helper()
	h, err := libp2p.New(libp2p.NoListenAddrs, libp2p.DisableMetrics(), libp2p.DisableRelay(), libp2p.ResourceManager(&network.NullResourceManager{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	infos, err := peersOf(victim.Addresses()[1:2])
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Connect(t.Context(), infos[0]); err != nil {
		t.Fatal(err)
	}
	return h
}

// victim serves echoes, as small as its bounds allow, and has an honest peer.
func victim(t *testing.T) (v, honest *Host) {
	v, honest = open(t, "victim", func(c *Config) { c.Memory = 32 << 20 }), open(t, "honest", nil)
	e := echo(1 << 20)
	e.Concurrent, e.PerPeer, e.Rate, e.Burst = 8, 2, 50, 50
	v.Handle("echo", e)
	connect(t, honest, v, 0)
	return v, honest
}

// ask demands that the honest peer is served in the end.
func ask(t *testing.T, v, honest *Host) {
	t.Helper()
	eventually(t, "the honest peer is served", func() bool {
		got, err := honest.Request(t.Context(), v.Name(), "echo", []byte("hello"), 10)
		return err == nil && string(got) == "hello"
	})
}

// growth is how much the heap of the process grows while something is done, in bytes.
func growth(do func()) int64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	do()
	runtime.GC()
	runtime.ReadMemStats(&after)
	return int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

const echoID = protocol.ID("/wes/test/echo/1")

func TestThousandsOfStreamsOfOnePeerLeaveRoomForOthers(t *testing.T) {
	v, honest := victim(t)
	bad := hostile(t, v)
	var all []network.Stream
	grown := growth(func() {
		for range 3000 {
			ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
			s, err := bad.NewStream(ctx, v.host.ID(), echoID)
			stop()
			if err != nil {
				break
			}
			_, _ = s.Write([]byte{0, 0x10, 0, 0}) // a length of 1 MiB, and nothing after it
			all = append(all, s)
		}
		ask(t, v, honest)
	})
	scope := 0
	_ = v.host.Network().ResourceManager().ViewPeer(bad.ID(), func(s network.PeerScope) error { scope = s.Stat().NumStreamsInbound; return nil })
	if scope > 1024 || grown > 64<<20 {
		t.Errorf("%d streams, heap grew by %d bytes", scope, grown)
	}
	for _, s := range all {
		_ = s.Reset()
	}
}

func TestLengthsOverTheLimitAllocateNothing(t *testing.T) {
	v, honest := victim(t)
	bad := hostile(t, v)
	grown := growth(func() {
		for range 200 {
			s, err := bad.NewStream(t.Context(), v.host.ID(), echoID)
			if err != nil {
				break
			}
			_, _ = s.Write(binary.BigEndian.AppendUint32(nil, 1<<32-1))
			_ = s.Reset()
		}
		ask(t, v, honest)
	})
	if grown > 16<<20 {
		t.Errorf("heap grew by %d bytes", grown)
	}
}

func TestAnswersOverTheLimitAllocateNothing(t *testing.T) {
	asker := open(t, "asker", nil)
	liar := open(t, "liar", nil)
	liar.host.SetStreamHandler(echoID, func(s network.Stream) {
		_, _ = s.Write(binary.BigEndian.AppendUint32([]byte{statusFine}, 1<<31))
		_, _ = s.Write(bytes.Repeat([]byte("x"), 1<<20))
		_ = s.Close()
	})
	connect(t, asker, liar, 0)
	if _, err := asker.Request(t.Context(), liar.Name(), "echo", nil, 100); err == nil {
		t.Error("took an answer of 2 GiB")
	}
}

func TestSlowRequestsHoldOnlyTheSlotsOfTheirPeer(t *testing.T) {
	v, honest := victim(t)
	bad := hostile(t, v)
	for range 2 { // all of its slots
		s, err := bad.NewStream(t.Context(), v.host.ID(), echoID)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = s.Write([]byte{0})
		defer func() { _ = s.Reset() }()
	}
	ask(t, v, honest)
	ask(t, v, honest)
}

func TestReaderThatNeverReadsHoldsOnlyItsSlots(t *testing.T) {
	v, honest := victim(t)
	bad := hostile(t, v)
	for range 2 {
		s, err := bad.NewStream(t.Context(), v.host.ID(), echoID)
		if err != nil {
			t.Fatal(err)
		}
		q := bytes.Repeat([]byte("q"), 1<<20)
		_ = s.SetWriteDeadline(time.Now().Add(5 * time.Second))
		_, _ = s.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(q))), q...))
		defer func() { _ = s.Reset() }()
	}
	ask(t, v, honest)
	ask(t, v, honest)
}

func TestManyIdentitiesOfOneAddressAreBounded(t *testing.T) {
	c, err := Config{Seed: seed("x"), Network: "n"}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	m, err := resourceManager(&c)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Close() }()
	far, err := addresses([]string{"/ip4/192.0.2.7/tcp/4001", "/ip4/127.0.0.1/tcp/4001"})
	if err != nil {
		t.Fatal(err)
	}
	opened := [2]int{}
	for i, a := range far {
		for range 2 * c.PerAddress {
			if _, err := m.OpenConnection(network.DirInbound, false, a); err == nil {
				opened[i]++
			}
		}
	}
	if opened[0] != c.PerAddress || opened[1] != 2*c.PerAddress {
		t.Errorf("%v connections, want %d and %d", opened, c.PerAddress, 2*c.PerAddress)
	}
}

func TestFloodOfRejectedGossipEndsInTheGraylist(t *testing.T) {
	v, honest := victim(t)
	var mu sync.Mutex
	validated, heard := 0, 0
	validate := func(_ context.Context, from string, data []byte) Verdict {
		mu.Lock()
		defer mu.Unlock()
		if data[0] == 'x' {
			validated++
			return Reject
		}
		heard++
		return Accept
	}
	if _, err := v.Join("news", validate); err != nil {
		t.Fatal(err)
	}
	topic, err := honest.Join("news", validate)
	if err != nil {
		t.Fatal(err)
	}
	bad := hostile(t, v)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ps, err := pubsub.NewGossipSub(ctx, bad, pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign), pubsub.WithNoAuthor(), pubsub.WithFloodPublish(true),
		pubsub.WithMessageIdFn(func(m *pb.Message) string { return string(m.GetData()) }))
	if err != nil {
		t.Fatal(err)
	}
	flood, err := ps.Join("/wes/test/news/1")
	if err != nil {
		t.Fatal(err)
	}
	count := func() int { mu.Lock(); defer mu.Unlock(); return validated }
	eventually(t, "the flood arrives", func() bool {
		_ = flood.Publish(ctx, []byte{'x', byte(time.Now().UnixNano()), byte(time.Now().UnixNano() >> 8), byte(time.Now().UnixNano() >> 16)})
		return count() > 0
	})
	for i := range 2000 {
		_ = flood.Publish(ctx, []byte{'x', byte(i), byte(i >> 8), 9})
	}
	before := 0
	eventually(t, "the flood is not listened to", func() bool {
		for i := range 20 {
			_ = flood.Publish(ctx, []byte{'x', byte(i), byte(time.Now().UnixNano()), byte(time.Now().UnixNano() >> 8), 7})
		}
		time.Sleep(200 * time.Millisecond)
		now := count()
		same := now == before
		before = now
		return same
	})
	eventually(t, "the honest peer is heard", func() bool {
		_ = topic.Publish(t.Context(), []byte(time.Now().String()))
		mu.Lock()
		defer mu.Unlock()
		return heard > 0
	})
	ask(t, v, honest)
}
