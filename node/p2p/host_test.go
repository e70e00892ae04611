package p2p

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestPeersJoinAndLeaveOverBothTransports(t *testing.T) {
	for _, listen := range []string{overQUIC, overTCP} {
		only := func(c *Config) { c.Listen = []string{listen} }
		a, b := start(t, listen+"a", only), start(t, listen+"b", only)
		join(t, a, b)
		m := a.club.awaitIn(t, b.Self())
		transport := strings.Split(listen, "/")[3]
		if !m.Outbound || m.Agent != "wes" || string(m.Greeting) != "chain 1" || !strings.Contains(m.Address, transport) {
			t.Errorf("%+v", m)
		}
		if back := b.club.awaitIn(t, a.Self()); back.Outbound {
			t.Errorf("%+v", back)
		}
		if list := a.Members(); len(list) != 1 || list[0].Peer != b.Self() {
			t.Errorf("%+v", list)
		}
		b.Drop(a.Self(), "test")
		a.club.awaitOut(t, b.Self())
		b.club.awaitOut(t, a.Self())
	}
}

func TestJoinedAndLeftAlternate(t *testing.T) {
	a, b := start(t, "a", nil), start(t, "b", nil)
	for range 5 {
		join(t, a, b)
		b.disconnect(a.host.ID())
		a.club.awaitOut(t, b.Self())
		b.club.awaitOut(t, a.Self())
	}
	for i, x := range b.club.mu.history {
		if want := string("+-"[i%2]) + string(a.Self()); x != want {
			t.Fatalf("%d: %s, want %s", i, x, want)
		}
	}
}

func TestSimultaneousDialsAreOneMember(t *testing.T) {
	// Over TCP both would be the client of one connection, and try again later.
	only := func(c *Config) { c.Listen = []string{overQUIC} }
	a, b := start(t, "a", only), start(t, "b", only)
	var dials sync.WaitGroup
	for _, of := range [][2]*node{{a, b}, {b, a}} {
		dials.Go(func() {
			if err := of[0].Connect(t.Context(), of[1].Addresses()[0]); err != nil {
				t.Error(err)
			}
		})
	}
	dials.Wait()
	a.club.awaitIn(t, b.Self())
	b.club.awaitIn(t, a.Self())
	if n := len(a.club.mu.history); n != 1 {
		t.Errorf("%d events", n)
	}
}

func TestOtherGreetingKeepsAPeerOut(t *testing.T) {
	a, b := start(t, "a", nil), open(t, "b", nil)
	b.club = newClub("chain 2")
	b.start(t)
	for range 2 {
		_ = b.Connect(t.Context(), a.Addresses()[0]) // it may be refused at once
		eventually(t, "no connection", func() bool { return len(a.host.Network().Conns())+len(b.host.Network().Conns()) == 0 })
	}
	if len(a.club.mu.history)+len(b.club.mu.history) != 0 {
		t.Error("a peer with another greeting joined")
	}
}

func TestOtherNetworkKeepsAPeerOut(t *testing.T) {
	a, b := start(t, "a", nil), start(t, "b", func(c *Config) { c.Network = "other" })
	_ = b.Connect(t.Context(), a.Addresses()[0]) // it may be refused at once
	eventually(t, "no connection", func() bool { return len(a.host.Network().Conns())+len(b.host.Network().Conns()) == 0 })
	if len(a.club.mu.history)+len(b.club.mu.history) != 0 {
		t.Error("a peer of another network joined")
	}
}

func TestNobodyConnectsBeforeStart(t *testing.T) {
	a, b := open(t, "a", nil), start(t, "b", nil)
	if err := a.Connect(t.Context(), b.Addresses()[0]); err == nil {
		t.Error("dialled before Start")
	}
	if n := len(a.Addresses()); n != 0 {
		t.Errorf("listens on %d addresses before Start", n)
	}
}

func TestStaticPeersAreRedialled(t *testing.T) {
	b := start(t, "b", nil)
	a := start(t, "a", func(c *Config) { c.Static = b.Addresses() })
	for range 3 {
		a.club.awaitIn(t, b.Self())
		b.disconnect(a.host.ID())
		a.club.awaitOut(t, b.Self())
		b.club.awaitOut(t, a.Self())
	}
	a.club.awaitIn(t, b.Self())
}

func TestRedialDoesNotWaitForTheBackoff(t *testing.T) {
	b := start(t, "b", nil)
	a := start(t, "a", func(c *Config) { c.Static = b.Addresses() })
	a.club.awaitIn(t, b.Self())
	a.Drop(b.Self(), "test") // not dialled for a minute
	a.club.awaitOut(t, b.Self())
	b.club.awaitOut(t, a.Self())
	begun := time.Now()
	a.Redial()
	a.club.awaitIn(t, b.Self())
	if time.Since(begun) >= dialLast {
		t.Error("waited for the backoff")
	}
}

func TestStaticPeerThatHasRefusedIsDialledAgain(t *testing.T) {
	b := open(t, "b", nil)
	b.club = newClub("chain 2")
	b.start(t)
	a := start(t, "a", func(c *Config) { c.Static = b.Addresses() })
	refused := func() bool {
		a.dialer.book.mu.Lock()
		defer a.dialer.book.mu.Unlock()
		e := a.dialer.book.mu.entries[b.host.ID()]
		return !e.dialling && time.Until(e.next) > dialLast/2
	}
	eventually(t, "it refuses", func() bool { return refused() && a.sessions.of(b.host.ID()) == nil })
	b.club.note(func() { b.club.mu.greeting = "chain 1" })
	eventually(t, "nothing is woken any more", func() bool { return len(a.dialer.woken) == 0 })
	a.Redial()
	a.club.awaitIn(t, b.Self())
}

func TestMembersMeetByTheDHT(t *testing.T) {
	hub := start(t, "hub", func(c *Config) { c.DHT = DHTServer })
	with := func(c *Config) { c.DHT, c.Bootstrap, c.MinOutbound = DHTAuto, hub.Addresses(), 2 }
	a := start(t, "a", with)
	a.club.awaitIn(t, hub.Self())
	b := start(t, "b", with)
	b.club.awaitIn(t, hub.Self())
	eventually(t, "they meet", func() bool {
		a.Redial()
		b.Redial()
		a.club.mu.Lock()
		defer a.club.mu.Unlock()
		_, met := a.club.mu.in[b.Self()]
		return met
	})
	if a.Routing() == nil || start(t, "c", nil).Routing() != nil {
		t.Error("routing does not follow the configuration")
	}
}

func TestNeighboursMeetByMDNS(t *testing.T) {
	if os.Getenv("WES_TEST_LARGE") == "" {
		t.Skip("sends multicast on this machine's network; WES_TEST_LARGE=1 does")
	}
	with := func(c *Config) {
		c.MDNS, c.MinOutbound, c.Network = true, 1, "mdns-test"
		c.Listen = []string{"/ip4/0.0.0.0/udp/0/quic-v1"}
	}
	a := open(t, "a", with)
	if err := a.Start(a.club); err != nil {
		t.Skipf("no multicast on this machine: %v", err)
	}
	b := start(t, "b", with)
	a.club.awaitIn(t, b.Self())
}

func TestBanLastsOverARestartAndKeepsBothWaysShut(t *testing.T) {
	told := make(chan []Ban, 16)
	a, b := start(t, "a", func(c *Config) { c.Banned = func(all []Ban) { told <- all } }), start(t, "b", nil)
	join(t, b, a)
	a.Ban(b.Self(), time.Hour, "test")
	a.club.awaitOut(t, b.Self())
	bans := <-told
	if len(bans) != 1 || bans[0].Peer != b.Self() {
		t.Fatalf("%+v", bans)
	}
	again := start(t, "again", func(c *Config) { c.Bans = bans })
	for _, h := range []*node{a, again} {
		if err := h.Connect(t.Context(), b.Addresses()[0]); err == nil {
			t.Error("dialled a banned peer")
		}
		_ = b.Connect(t.Context(), h.Addresses()[0]) // it may seem to work for a moment
		eventually(t, "no connection", func() bool { return len(h.host.Network().ConnsToPeer(b.host.ID())) == 0 })
	}
	if n := len(a.club.mu.history); n != 2 {
		t.Errorf("%d events", n)
	}
}

func TestPointsAddUpToABan(t *testing.T) {
	a, b := start(t, "a", nil), start(t, "b", nil)
	join(t, a, b)
	for range 3 {
		a.Penalise(b.Self(), BanPoints/3+1, "test")
	}
	a.club.awaitOut(t, b.Self())
	if !a.reputation.banned(time.Now(), b.host.ID()) {
		t.Error("not banned")
	}
	a.Penalise("nonsense", 1, "test")
	a.Drop("nonsense", "test")
	a.Ban("nonsense", time.Hour, "test")
}

func TestCloseEndsWhatIsUnderWay(t *testing.T) {
	a, b := open(t, "a", nil), start(t, "b", nil)
	entered := make(chan struct{})
	must(t, a.Handle(service("wait"), func(ctx context.Context, _ Peer, _ []byte) ([]byte, error) {
		close(entered)
		<-ctx.Done()
		return nil, ctx.Err()
	}))
	a.start(t)
	join(t, b, a)
	done := make(chan error)
	go func() {
		_, err := b.Request(t.Context(), a.Self(), "wait", nil, 10)
		done <- err
	}()
	<-entered
	a.Close()
	if err := <-done; err == nil {
		t.Error("answered after Close")
	}
	a.Close()
	if _, err := a.Request(t.Context(), b.Self(), "wait", nil, 10); err == nil {
		t.Error("asked after Close")
	}
}

func TestNATTraversalCanBeSwitchedOn(t *testing.T) {
	if os.Getenv("WES_TEST_LARGE") == "" {
		t.Skip("asks the routers of this machine's network to forward ports; WES_TEST_LARGE=1 does")
	}
	with := func(c *Config) { c.NAT = true }
	a, b := start(t, "a", with), start(t, "b", with)
	join(t, a, b)
}

func TestMetricsAreRegisteredOnceForAHost(t *testing.T) {
	r := prometheus.NewRegistry()
	a, b := start(t, "a", func(c *Config) { c.Registry = r }), start(t, "b", nil)
	join(t, a, b)
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "wes_p2p_") {
			t.Errorf("foreign metric %s", f.GetName())
		}
		if n := f.GetMetric()[0].GetGauge().GetValue(); f.GetName() == "wes_p2p_peers" && n != 1 {
			t.Errorf("%v peers", n)
		}
	}
	c := testConfig(t, "c")
	c.Registry = r
	if _, err := Open(t.Context(), c); err == nil {
		t.Error("two hosts on one registry")
	}
}

func TestConfigurationsThatMakeNoSenseAreRefused(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"seed": func(c *Config) { c.Seed = nil }, "network": func(c *Config) { c.Network = "a/b" }, "agent": func(c *Config) { c.Agent = "a\n" },
		"mode": func(c *Config) { c.DHT = "on" }, "listen": func(c *Config) { c.Listen = []string{"127.0.0.1:1"} },
		"static": func(c *Config) { c.Static = []string{overTCP} }, "waters": func(c *Config) { c.LowWater, c.HighWater = 5, 4 },
		"announce": func(c *Config) { c.Announce = []string{"x"} }, "memory": func(c *Config) { c.Memory = 1 },
	} {
		c := testConfig(t, name)
		change(&c)
		if _, err := Open(t.Context(), c); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	long := open(t, "long", nil)
	if err := long.Start(newClub(strings.Repeat("x", MaxGreeting+1))); !errors.Is(err, ErrConfig) {
		t.Error(err)
	}
	taken := start(t, "taken", func(c *Config) { c.Listen = []string{overQUIC} })
	busy := open(t, "busy", func(c *Config) { c.Listen = []string{overTCP, strings.Split(taken.Addresses()[0], "/p2p/")[0]} })
	if err := busy.Start(busy.club); err == nil {
		t.Error("listens on a port that is taken")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// service is one with wide limits.
func service(name string) Service {
	return Service{
		Protocol: name, MaxRequest: 4 << 20, MaxResponse: 4 << 20, Rate: 1000, Burst: 1000,
		PerPeer: 4, Total: 16, Within: wait,
	}
}

func echo(_ context.Context, _ Peer, request []byte) ([]byte, error) {
	for _, e := range []error{ErrNotFound, ErrBusy, ErrRefused} {
		if string(request) == e.Error() {
			return nil, fmt.Errorf("echo: %w", e)
		}
	}
	if string(request) == "fault" {
		return nil, errors.New("disk on fire")
	}
	return request, nil
}
