package p2p

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// The victim of these tests may have reserved testMemory, and the whole process, attackers
// included, may grow by heapBound.
const (
	testMemory = 128 << 20
	heapBound  = 256 << 20
)

// victim answers echo, hears news, and has an honest member.
type victim struct {
	*node
	ear    *ear
	honest *node
	topic  *Topic // the honest member's
	peak   chan [2]uint64
	stop   chan struct{}
}

// besieged opens a victim whose memory is watched until the test ends.
func besieged(t *testing.T, change func(*node)) *victim {
	t.Helper()
	v := &victim{ear: &ear{}, peak: make(chan [2]uint64, 1), stop: make(chan struct{})}
	v.node = open(t, "victim", func(c *Config) { c.Memory, c.PerAddress = testMemory, 8 })
	v.honest = open(t, "honest", nil)
	var err error
	for _, n := range []*node{v.node, v.honest} {
		must(t, n.Handle(service("echo"), echo))
		v.topic, err = n.Join("news", v.ear.validate)
		must(t, err)
	}
	if change != nil {
		change(v.node)
	}
	v.start(t)
	v.honest.start(t)
	join(t, v.honest, v.node)
	go v.watch()
	t.Cleanup(func() { v.report(t) })
	return v
}

// watch finds the most that the victim has reserved, and that the heap grows.
func (v *victim) watch() {
	read := reserved(v.host.Network().ResourceManager())
	var now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&now)
	before, peak := now.HeapInuse, [2]uint64{}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		runtime.ReadMemStats(&now)
		peak[0] = max(peak[0], uint64(read()))
		if now.HeapInuse > before {
			peak[1] = max(peak[1], now.HeapInuse-before)
		}
		select {
		case <-tick.C:
		case <-v.stop:
			v.peak <- peak
			return
		}
	}
}

func (v *victim) report(t *testing.T) {
	close(v.stop)
	peak := <-v.peak
	t.Logf("reserved at most %.1f MiB of %d, heap grew by %.1f MiB", float64(peak[0])/(1<<20), testMemory>>20, float64(peak[1])/(1<<20))
	if peak[0] > testMemory || peak[1] > heapBound {
		t.Errorf("reserved %d bytes, at most %d; heap grew by %d bytes, at most %d", peak[0], testMemory, peak[1], heapBound)
	}
}

// serves asks for the honest member.
func (v *victim) serves(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), wait)
	defer stop()
	q := bytes.Repeat([]byte("q"), 100_000)
	a, err := v.honest.Request(ctx, v.Self(), "echo", q, len(q))
	if err != nil || !bytes.Equal(a, q) {
		t.Fatalf("the honest peer is not served: %v", err)
	}
}

// hears publishes for the honest member.
func (v *victim) hears(t *testing.T) {
	t.Helper()
	eventually(t, "the honest peer is heard", func() bool {
		must(t, v.topic.Publish(t.Context(), []byte("n"+time.Now().String())))
		n, _ := v.ear.count("n")
		return n > 0
	})
}

// stranger is a libp2p host that keeps no limits, connected to the victim by one transport.
func stranger(t *testing.T, v *victim, transport int) (host.Host, error) {
	t.Helper()
	h, err := libp2p.New(libp2p.NoListenAddrs, libp2p.ResourceManager(&network.NullResourceManager{}), libp2p.DisableMetrics(), libp2p.DisableIdentifyAddressDiscovery())
	must(t, err)
	t.Cleanup(func() { _ = h.Close() })
	info := host.InfoFromHost(v.host)
	h.Peerstore().AddAddrs(info.ID, info.Addrs[transport:transport+1], peerstore.PermanentAddrTTL)
	ctx, stop := context.WithTimeout(t.Context(), wait)
	defer stop()
	_, err = h.Network().DialPeer(ctx, info.ID)
	return h, err
}

// intruder is a stranger that has joined.
func intruder(t *testing.T, v *victim, transport int) host.Host {
	t.Helper()
	h, err := stranger(t, v, transport)
	must(t, err)
	must(t, greetAs(t, h, v, "chain 1"))
	v.club.awaitIn(t, named(h.ID()))
	return h
}

func greetAs(t *testing.T, h host.Host, v *victim, greeting string) error {
	t.Helper()
	s, err := h.NewStream(t.Context(), v.host.ID(), "/wes/test/greet/1")
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	if err := writeFrame(s, nil, encodeGreeting("evil", []byte(greeting)), newPace(patience{wait, 1 << 20}, s.SetDeadline)); err != nil {
		return err
	}
	var status [1]byte
	if _, err := io.ReadFull(s, status[:]); err != nil {
		return err
	}
	if status[0] != statusDone {
		return ErrRefused
	}
	return nil
}

const echoID = protocol.ID("/wes/test/echo/1")

// overBoth runs a test with attackers of either transport.
func overBoth(t *testing.T, test func(t *testing.T, transport int)) {
	for i, name := range []string{"first", "second"} {
		t.Run(name, func(t *testing.T) { test(t, i) })
	}
}

func (v *victim) points(h host.Host) float64 { return v.reputation.points(time.Now(), h.ID()) }

func (v *victim) awaitBan(t *testing.T, h host.Host) {
	t.Helper()
	eventually(t, "a ban", func() bool { return v.reputation.banned(time.Now(), h.ID()) })
	v.club.awaitOut(t, named(h.ID()))
}

func TestThousandsOfStreamsOfAPeerAreBounded(t *testing.T) {
	overBoth(t, func(t *testing.T, transport int) {
		v := besieged(t, nil)
		bad := intruder(t, v, transport)
		most := 0
		for i := range 4000 {
			ctx, stop := context.WithTimeout(t.Context(), time.Second)
			s, err := bad.NewStream(ctx, v.host.ID(), echoID)
			stop()
			if err == nil {
				_, _ = s.Write([]byte{0})
			}
			most = max(most, v.streams(bad))
			if i%1000 == 0 {
				v.serves(t)
			}
			if bad.Network().Connectedness(v.host.ID()) != network.Connected {
				break // over TCP, too many streams end the connection
			}
		}
		if t.Logf("at most %d streams", most); most > peerStreams {
			t.Errorf("%d streams, at most %d", most, peerStreams)
		}
		v.serves(t)
		v.hears(t)
	})
}

// streams counts what the victim has of a peer.
func (v *victim) streams(h host.Host) int {
	n := 0
	_ = v.host.Network().ResourceManager().ViewPeer(h.ID(), func(s network.PeerScope) error {
		n = s.Stat().NumStreamsInbound
		return nil
	})
	return n
}

func TestLengthsOverTheLimitLeadToABan(t *testing.T) {
	overBoth(t, func(t *testing.T, transport int) {
		v := besieged(t, nil)
		bad := intruder(t, v, transport)
		for range 1 + int(BanPoints/pointsLength) {
			s, err := bad.NewStream(t.Context(), v.host.ID(), echoID)
			if err != nil {
				break
			}
			_, _ = s.Write([]byte{255, 255, 255, 255})
			_, _ = io.ReadAll(s) // until it is reset
		}
		v.awaitBan(t, bad)
		v.serves(t)
	})
}

func TestAnswerOverTheLimitIsHeldAgainstAPeer(t *testing.T) {
	v := besieged(t, nil)
	bad := intruder(t, v, 0)
	bad.SetStreamHandler(echoID, func(s network.Stream) {
		_, _ = s.Write([]byte{statusDone, 127, 255, 255, 255})
		_, _ = s.Write(make([]byte, 1<<20))
	})
	for range 1 + int(BanPoints/pointsLength) {
		if v.reputation.banned(time.Now(), bad.ID()) {
			break
		}
		if _, err := v.Request(t.Context(), named(bad.ID()), "echo", nil, 100); !errors.Is(err, ErrTooLarge) {
			t.Fatal(err)
		}
	}
	v.awaitBan(t, bad)
}

// impatient lets no more than half a second pass without progress.
func impatient(n *node) { n.patience = patience{500 * time.Millisecond, 1 << 20} }

func TestSlowSendersLoseTheirSlotsAndAreBanned(t *testing.T) {
	overBoth(t, func(t *testing.T, transport int) {
		v := besieged(t, impatient)
		bad := intruder(t, v, transport)
		for v.reputation.points(time.Now(), bad.ID()) < BanPoints-pointsSlow {
			s, err := bad.NewStream(t.Context(), v.host.ID(), echoID)
			if err != nil {
				break
			}
			_, _ = s.Write([]byte{0, 0, 4, 0, 1, 2, 3})
			v.serves(t)
			_, _ = io.ReadAll(s) // until it is reset
		}
		s, err := bad.NewStream(t.Context(), v.host.ID(), echoID)
		if err == nil {
			_, _ = s.Write([]byte{0, 0, 4})
		}
		v.awaitBan(t, bad)
		v.serves(t)
	})
}

func TestPeersThatNeverReadLoseTheirSlots(t *testing.T) {
	overBoth(t, func(t *testing.T, transport int) {
		v := besieged(t, impatient)
		bad := intruder(t, v, transport)
		q := bytes.Repeat([]byte("q"), 3<<20)
		for range 8 { // more than its share
			s, err := bad.NewStream(t.Context(), v.host.ID(), echoID)
			if err != nil {
				break
			}
			go func() {
				_, _ = s.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(q))), q...))
				_ = s.CloseWrite()
			}()
			v.serves(t)
		}
		eventually(t, "it is held against it", func() bool { return v.points(bad) > 0 || v.reputation.banned(time.Now(), bad.ID()) })
		v.serves(t)
	})
}

func TestStrangersAreNeitherServedNorHeard(t *testing.T) {
	v := besieged(t, func(n *node) { n.greetWithin = time.Second })
	bad, err := stranger(t, v, 0)
	must(t, err)
	flood, stop := gossiping(t, bad, 0)
	defer stop()
	s, err := bad.NewStream(t.Context(), v.host.ID(), echoID)
	must(t, err)
	must(t, writeFrame(s, nil, []byte("question"), newPace(patience{wait, 1 << 20}, s.SetDeadline)))
	_ = s.CloseWrite()
	for i := range 100 {
		_ = flood.Publish(t.Context(), []byte(fmt.Sprint("stranger", i)))
	}
	if got, _ := io.ReadAll(s); len(got) > 0 {
		t.Errorf("answered %q", got)
	}
	if n, _ := v.ear.count("stranger"); n > 0 {
		t.Errorf("heard %d messages", n)
	}
	if v.points(bad) < pointsSilent/2 {
		t.Error("silence has no points")
	}
	eventually(t, "it is disconnected", func() bool { return len(v.host.Network().ConnsToPeer(bad.ID())) == 0 })
	v.serves(t)
}

func TestWrongAndBrokenGreetingsEndInDisconnection(t *testing.T) {
	v := besieged(t, nil)
	for i, greeting := range []string{"", "chain 2", "chain 1 ", string(make([]byte, 1<<20))} {
		bad, err := stranger(t, v, i%2)
		must(t, err)
		if err := greetAs(t, bad, v, greeting); err == nil {
			t.Errorf("greeting %d was accepted", i)
		}
		eventually(t, "it is disconnected", func() bool { return len(v.host.Network().ConnsToPeer(bad.ID())) == 0 })
	}
	if n := len(v.club.mu.history); n != 1 {
		t.Errorf("%d events", n)
	}
	v.serves(t)
}

func TestIdentitiesOfOneAddressAreBounded(t *testing.T) {
	v := besieged(t, nil)
	most := v.cfg.PerAddress
	joined := 0
	for i := range 3 * most {
		bad, err := stranger(t, v, i%2)
		if err == nil && greetAs(t, bad, v, "chain 1") == nil {
			joined++
		}
		if n := len(v.host.Network().Conns()); n > most {
			t.Fatalf("%d connections of one address, at most %d", n, most)
		}
	}
	if joined != most-1 { // the honest one is of the same address
		t.Errorf("%d joined", joined)
	}
	v.serves(t)
}

func TestThirdBanOfAnAddressBansTheAddress(t *testing.T) {
	v := besieged(t, nil)
	for range groupBans {
		bad := intruder(t, v, 0)
		v.Ban(named(bad.ID()), time.Hour, "test")
	}
	if bad, err := stranger(t, v, 0); err == nil {
		if greetAs(t, bad, v, "chain 1") == nil {
			t.Error("another identity of the address joined")
		}
	}
	v.club.awaitOut(t, v.honest.Self()) // of the same address
}

// gossiping makes a stranger gossip on the victim's topic, messages of any size.
func gossiping(t *testing.T, h host.Host, size int) (*pubsub.Topic, func()) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	router, err := pubsub.NewGossipSub(ctx, h,
		pubsub.WithGossipSubProtocols([]protocol.ID{"/wes/test/meshsub/1.1.0"}, func(f pubsub.GossipSubFeature, _ protocol.ID) bool {
			return f == pubsub.GossipSubFeatureMesh
		}),
		pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign), pubsub.WithNoAuthor(), pubsub.WithFloodPublish(true),
		pubsub.WithMaxMessageSize(max(size, 1<<20)), pubsub.WithPeerOutboundQueueSize(1024),
		pubsub.WithMessageIdFn(func(m *pb.Message) string { return string(m.GetData()) }))
	must(t, err)
	topic, err := router.Join("/wes/test/news")
	must(t, err)
	return topic, stop
}

func TestFloodOfInvalidMessagesEndsInABan(t *testing.T) {
	overBoth(t, func(t *testing.T, transport int) {
		v := besieged(t, nil)
		bad := intruder(t, v, transport)
		flood, stop := gossiping(t, bad, 0)
		defer stop()
		i := 0
		eventually(t, "a ban", func() bool {
			for range 100 {
				i++
				_ = flood.Publish(t.Context(), append([]byte(fmt.Sprint("x", i, "-")), make([]byte, 10_000)...))
			}
			return v.reputation.banned(time.Now(), bad.ID())
		})
		n, _ := v.ear.count("x")
		if t.Logf("%d of %d validated", n, i); n > int(BanPoints/pointsInvalid)+gossipShare+gossipQueue {
			t.Errorf("%d were validated", n)
		}
		v.hears(t)
		v.serves(t)
	})
}

func TestFloodOfIgnoredMessagesIsCutAndOthersAreHeard(t *testing.T) {
	v := besieged(t, nil)
	bad := intruder(t, v, 0)
	flood, stop := gossiping(t, bad, 0)
	defer stop()
	i := 0
	eventually(t, "the flood arrives", func() bool {
		i++
		_ = flood.Publish(t.Context(), []byte(fmt.Sprint("i", i)))
		n, _ := v.ear.count("i")
		return n > 0
	})
	for range 3000 {
		i++
		_ = flood.Publish(t.Context(), append([]byte(fmt.Sprint("i", i, "-")), make([]byte, 20_000)...))
	}
	v.hears(t)
	v.serves(t)
	n, _ := v.ear.count("i")
	t.Logf("%d of %d validated", n, i)
	if v.points(bad) > 0 {
		t.Error("what is ignored is held against a peer")
	}
}

func TestMessagesOverTheLimitAreNotTaken(t *testing.T) {
	v := besieged(t, nil)
	bad := intruder(t, v, 0)
	flood, stop := gossiping(t, bad, 16<<20)
	defer stop()
	eventually(t, "the flood arrives", func() bool {
		_ = flood.Publish(t.Context(), []byte("i"+time.Now().String()))
		n, _ := v.ear.count("i")
		return n > 0
	})
	for i := range 10 {
		_ = flood.Publish(t.Context(), append([]byte(fmt.Sprint("n too large", i)), make([]byte, 2<<20)...))
		_ = flood.Publish(t.Context(), append([]byte(fmt.Sprint("n too large", i)), make([]byte, MaxMessage)...))
	}
	v.hears(t)
	v.serves(t)
	if n, _ := v.ear.count("n too large"); n > 0 {
		t.Errorf("%d were validated", n)
	}
}
