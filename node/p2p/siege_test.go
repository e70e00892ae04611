package p2p

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
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
