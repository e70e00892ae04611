package p2p

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// quic-go and its peers end their goroutines a little after Close returns.
		goleak.IgnoreAnyFunction("github.com/quic-go/quic-go.(*Transport).listen"),
		// go-flow-metrics counts bandwidth of the whole process in one.
		goleak.IgnoreAnyFunction("github.com/libp2p/go-flow-metrics.(*sweeper).run"),
		// The address manager of libp2p's identify service keeps one of a package for its logs.
		goleak.IgnoreTopFunction("github.com/ipfs/go-log/v2/writer.(*MirrorWriter).logRoutine"),
	)
}

const (
	quic = "/ip4/127.0.0.1/udp/0/quic-v1"
	tcp  = "/ip4/127.0.0.1/tcp/0"
)

func seed(name string) []byte {
	s := sha256.Sum256([]byte(name))
	return s[:]
}

// open starts a host that finds nobody by itself.
func open(t *testing.T, name string, change func(*Config)) *Host {
	t.Helper()
	c := Config{Seed: seed(t.Name() + name), Network: "test", Listen: []string{quic, tcp}}
	if change != nil {
		change(&c)
	}
	h, err := Open(t.Context(), c)
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

// members notes who is there.
type members struct {
	mu  sync.Mutex
	in  map[string]bool
	log []string
}

func (m *members) Joined(_ context.Context, p string) error { m.note(p, true); return nil }
func (m *members) Left(_ context.Context, p string) error   { m.note(p, false); return nil }

func (m *members) note(p string, in bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.in[p] = in
	m.log = append(m.log, fmt.Sprint(p, in))
}

func (m *members) has(h *Host) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.in[h.Name()]
}

// serve watches the members of a host.
func serve(t *testing.T, h *Host) *members {
	t.Helper()
	m := &members{in: map[string]bool{}}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- h.Serve(ctx, m) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return m
}

// eventually waits for a condition; a test that hangs is a failure.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never came: %s", what)
		}
	}
}

func connect(t *testing.T, a, b *Host, transport int) {
	t.Helper()
	if err := a.Connect(t.Context(), b.Addresses()[transport]); err != nil {
		t.Fatal(err)
	}
}

func TestPeersJoinAndLeaveOverBothTransports(t *testing.T) {
	for _, listen := range []string{quic, tcp} {
		only := func(c *Config) { c.Listen = []string{listen} }
		a, b := open(t, listen+"a", only), open(t, listen+"b", only)
		at, bt := serve(t, a), serve(t, b)
		connect(t, a, b, 0)
		eventually(t, "both join", func() bool { return at.has(b) && bt.has(a) })
		if p := a.Peers(); len(p) != 1 || p[0].Name != b.Name() || p[0].Inbound || p[0].Agent != "wes" {
			t.Errorf("%+v", p)
		}
		b.Drop(a.Name(), "test")
		eventually(t, "both leave", func() bool { return !at.has(b) && !bt.has(a) })
	}
}

func TestHostsOfOtherNetworksAreStrangers(t *testing.T) {
	a := open(t, "a", nil)
	b := open(t, "b", func(c *Config) { c.Network = "other" })
	c := open(t, "c", nil)
	at, bt := serve(t, a), serve(t, b)
	serve(t, c)
	connect(t, a, b, 0)
	connect(t, a, c, 0)
	eventually(t, "the one of the network joins", func() bool { return at.has(c) })
	if at.has(b) || bt.has(a) {
		t.Error("a stranger joined")
	}
	if _, err := a.Request(t.Context(), b.Name(), "echo", nil, 10); !errors.Is(err, ErrGone) {
		t.Error(err)
	}
}

func echo(max int) Handler {
	return Handler{MaxRequest: max, Answer: func(_ context.Context, _ string, q []byte) ([]byte, error) {
		if len(q) > 0 && q[0] == 'x' {
			return nil, errors.New("no")
		}
		return q, nil
	}}
}

func TestRequestsAreAnsweredWithinTheirBounds(t *testing.T) {
	a, b := open(t, "a", nil), open(t, "b", nil)
	b.Handle("echo", echo(3<<20))
	for i := range 2 {
		connect(t, a, b, i)
	}
	big := bytes.Repeat([]byte("data"), 1<<19)
	for _, q := range [][]byte{nil, []byte("small"), big} {
		got, err := a.Request(t.Context(), b.Name(), "echo", q, 2<<20)
		if err != nil || !bytes.Equal(got, q) {
			t.Fatalf("%d bytes: %d, %v", len(q), len(got), err)
		}
	}
	for want, q := range map[error][]byte{
		ErrRefused: []byte("x"), ErrTooLarge: append(big, 1),
	} {
		if _, err := a.Request(t.Context(), b.Name(), "echo", q, 2<<20); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	if _, err := a.Request(t.Context(), b.Name(), "echo", make([]byte, 3<<20+1), 10); !errors.Is(err, ErrRefused) && !errors.Is(err, ErrGone) {
		t.Errorf("too large a request: %v", err)
	}
	if _, err := a.Request(t.Context(), "nobody", "echo", nil, 10); !errors.Is(err, ErrGone) {
		t.Error(err)
	}
	if _, err := b.Request(t.Context(), a.Name(), "echo", nil, 10); !errors.Is(err, ErrGone) {
		t.Errorf("a protocol that is not served: %v", err)
	}
}

func TestRequestEndsWithItsContext(t *testing.T) {
	a, b := open(t, "a", nil), open(t, "b", nil)
	hold := make(chan struct{})
	defer close(hold)
	b.Handle("slow", Handler{MaxRequest: 1, Answer: func(context.Context, string, []byte) ([]byte, error) { <-hold; return nil, nil }})
	connect(t, a, b, 0)
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if _, err := a.Request(ctx, b.Name(), "slow", nil, 10); !errors.Is(err, ErrTimeout) {
		t.Error(err)
	}
}

func TestPeerHasItsShareOfSlotsAndItsRate(t *testing.T) {
	a, b, c := open(t, "a", nil), open(t, "b", nil), open(t, "c", nil)
	hold := make(chan struct{})
	entered := make(chan string, 100)
	b.Handle("work", Handler{MaxRequest: 1, PerPeer: 2, Concurrent: 3, Rate: 1e-9, Burst: 4, Answer: func(_ context.Context, from string, _ []byte) ([]byte, error) {
		entered <- from
		<-hold
		return nil, nil
	}})
	connect(t, a, b, 0)
	connect(t, c, b, 1)
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() {
			if _, err := a.Request(context.Background(), b.Name(), "work", nil, 1); err != nil {
				t.Error(err)
			}
		})
		<-entered
	}
	if _, err := a.Request(t.Context(), b.Name(), "work", nil, 1); !errors.Is(err, ErrBusy) {
		t.Errorf("a third at once: %v", err)
	}
	wait.Go(func() {
		if _, err := c.Request(context.Background(), b.Name(), "work", nil, 1); err != nil {
			t.Error(err)
		}
	})
	if from := <-entered; from != c.Name() {
		t.Error("the other peer got no slot")
	}
	if _, err := c.Request(t.Context(), b.Name(), "work", nil, 1); !errors.Is(err, ErrBusy) {
		t.Errorf("more than all slots: %v", err)
	}
	close(hold)
	wait.Wait()
	for i := range 4 {
		if _, err := a.Request(t.Context(), b.Name(), "work", nil, 1); (err == nil) != (i < 2) {
			t.Errorf("request %d after a burst of 4: %v", i, err)
		}
	}
}

func TestGossipIsPassedOnOnlyIfAccepted(t *testing.T) {
	hosts := []*Host{open(t, "a", nil), open(t, "b", nil), open(t, "c", nil)}
	var mu sync.Mutex
	heard := map[string]int{}
	var topics []*Topic
	for i, h := range hosts {
		topic, err := h.Join("news", func(_ context.Context, _ string, data []byte) Verdict {
			mu.Lock()
			defer mu.Unlock()
			heard[fmt.Sprint(i, string(data))]++
			if string(data) == "bad" {
				return Ignore
			}
			return Accept
		})
		if err != nil {
			t.Fatal(err)
		}
		topics = append(topics, topic)
	}
	connect(t, hosts[0], hosts[1], 0)
	connect(t, hosts[1], hosts[2], 0)
	count := func(key string) int {
		mu.Lock()
		defer mu.Unlock()
		return heard[key]
	}
	n := 0
	eventually(t, "good news at the end of the row", func() bool {
		n++
		for _, text := range []string{"bad", fmt.Sprint("good", n)} {
			if err := topics[0].Publish(t.Context(), []byte(text)); err != nil && text != "bad" {
				t.Fatal(err)
			}
		}
		return count("2good1") > 0 || count(fmt.Sprint("2good", n-5)) > 0
	})
	if count("2bad") > 0 || count("0good1") > 0 {
		t.Error("what was not accepted was passed on, or came back")
	}
	if err := topics[0].Publish(t.Context(), make([]byte, MaxGossip+1)); err == nil {
		t.Error("published too much")
	}
	for _, topic := range topics {
		if err := topic.Leave(); err != nil {
			t.Error(err)
		}
	}
}

func TestBannedPeersStayAwayOverARestart(t *testing.T) {
	file := t.TempDir() + "/net/bans.json"
	with := func(c *Config) { c.BanFile = file }
	a, b := open(t, "a", with), open(t, "b", nil)
	at := serve(t, a)
	serve(t, b)
	connect(t, b, a, 0)
	eventually(t, "it joins", func() bool { return at.has(b) })
	if err := a.Ban(b.Name(), "test", time.Hour); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it leaves", func() bool { return !at.has(b) })
	again := open(t, "a2", with)
	for _, h := range []*Host{a, again} {
		if err := h.Connect(t.Context(), b.Addresses()[0]); err == nil {
			t.Error("dialled a banned peer")
		}
		for range 3 {
			_ = b.Connect(t.Context(), h.Addresses()[1]) // it may seem to work for a moment
			eventually(t, "no connection", func() bool { return len(h.host.Network().ConnsToPeer(b.host.ID())) == 0 })
		}
	}
}

func TestBansOfAnAddressAddUp(t *testing.T) {
	b, err := openBans("")
	if err != nil {
		t.Fatal(err)
	}
	far, err := addresses([]string{"/ip4/192.0.2.1/tcp/1", "/ip4/127.0.0.1/tcp/1"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range addressBans {
		if b.hasAddress(far[0]) {
			t.Fatalf("banned after %d", i)
		}
		if err := b.add(peer.ID(fmt.Sprint(i)), time.Now().Add(time.Hour), far); err != nil {
			t.Fatal(err)
		}
	}
	if !b.hasAddress(far[0]) || b.hasAddress(far[1]) {
		t.Error("the address is not banned, or loopback is")
	}
	for i := range 2 * maxBans {
		if err := b.add(peer.ID(fmt.Sprint("p", i)), time.Now().Add(time.Hour), nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.mu.until) > maxBans {
		t.Errorf("%d bans", len(b.mu.until))
	}
}

func TestStaticPeersAreFoundAgain(t *testing.T) {
	b := open(t, "b", nil)
	serve(t, b)
	a := open(t, "a", func(c *Config) { c.Static = b.Addresses() })
	at := serve(t, a)
	eventually(t, "it joins", func() bool { return at.has(b) })
	b.Drop(a.Name(), "test")
	eventually(t, "it leaves", func() bool { return !at.has(b) })
	eventually(t, "it is dialled again", func() bool { a.Redial(); return at.has(b) })
}

func TestPeersMeetInTheDHT(t *testing.T) {
	hub := open(t, "hub", func(c *Config) { c.DHT = DHTServer })
	serve(t, hub)
	with := func(c *Config) { c.DHT, c.Static = DHTServer, hub.Addresses() }
	a := open(t, "a", with)
	at := serve(t, a)
	b := open(t, "b", with)
	serve(t, b)
	eventually(t, "they meet", func() bool { return at.has(b) })
	if a.Routing() == nil || open(t, "c", nil).Routing() != nil {
		t.Error("routing without a DHT, or none with it")
	}
}

func TestConfigurationsThatContradictThemselvesAreRefused(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"key": func(c *Config) { c.Seed = nil }, "network": func(c *Config) { c.Network = "" }, "mode": func(c *Config) { c.DHT = "on" },
		"listen": func(c *Config) { c.Listen = []string{"127.0.0.1:1"} }, "static": func(c *Config) { c.Static = []string{tcp} },
		"range": func(c *Config) { c.Low, c.High = 5, 4 }, "announce": func(c *Config) { c.Announce = []string{"x"} },
	} {
		c := Config{Seed: seed("x"), Network: "n"}
		change(&c)
		if h, err := Open(t.Context(), c); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
			if h != nil {
				_ = h.Close()
			}
		}
	}
}
