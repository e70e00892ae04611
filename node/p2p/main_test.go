package p2p

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	CaptureLogs(slog.DiscardHandler)
	goleak.VerifyTestMain(m,
		// The search for routers cannot be interrupted, and ends after five seconds.
		goleak.IgnoreAnyFunction("github.com/libp2p/go-libp2p/p2p/net/nat/internal/nat.discoverNATs.func1"))
}

const (
	overQUIC = "/ip4/127.0.0.1/udp/0/quic-v1"
	overTCP  = "/ip4/127.0.0.1/tcp/0"
	// wait bounds what should take a moment, on a machine that does much else.
	wait = time.Minute
)

// club is a membership that notes who is there.
type club struct {
	mu struct {
		sync.Mutex
		greeting string
		in       map[Peer]Member
		history  []string
		change   chan struct{}
	}
}

var _ Membership = (*club)(nil)

func newClub(greeting string) *club {
	c := &club{}
	c.mu.greeting, c.mu.in, c.mu.change = greeting, map[Peer]Member{}, make(chan struct{})
	return c
}

func (c *club) Greeting() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return []byte(c.mu.greeting)
}

func (c *club) Accept(greeting []byte) error {
	if string(greeting) != string(c.Greeting()) {
		return errors.New("another chain")
	}
	return nil
}

func (c *club) Joined(_ context.Context, m Member) {
	c.note(func() {
		c.mu.in[m.Peer] = m
		c.mu.history = append(c.mu.history, "+"+string(m.Peer))
	})
}

func (c *club) Left(_ context.Context, p Peer) {
	c.note(func() {
		delete(c.mu.in, p)
		c.mu.history = append(c.mu.history, "-"+string(p))
	})
}

func (c *club) note(what func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	what()
	close(c.mu.change)
	c.mu.change = make(chan struct{})
}

// await returns when the condition on the members holds.
func (c *club) await(t *testing.T, what string, ok func(in map[Peer]Member) bool) {
	t.Helper()
	late := time.After(wait)
	for {
		c.mu.Lock()
		done, change := ok(c.mu.in), c.mu.change
		c.mu.Unlock()
		if done {
			return
		}
		select {
		case <-change:
		case <-late:
			t.Fatalf("never came: %s", what)
		}
	}
}

func (c *club) awaitIn(t *testing.T, p Peer) Member {
	t.Helper()
	var m Member
	c.await(t, "a peer joins", func(in map[Peer]Member) bool { m = in[p]; return m.Peer == p })
	return m
}

func (c *club) awaitOut(t *testing.T, p Peer) {
	t.Helper()
	c.await(t, "a peer leaves", func(in map[Peer]Member) bool { return in[p].Peer == "" })
}

// node is a host with its members.
type node struct {
	*Host
	club *club
}

func testConfig(t *testing.T, name string) Config {
	c := Default()
	seed := sha256.Sum256([]byte(t.Name() + "/" + name))
	c.Seed, c.Network, c.Listen, c.MinOutbound = seed[:], "test", []string{overQUIC, overTCP}, 0
	return c
}

// open makes a host that finds nobody by itself. It is closed after the test.
func open(t *testing.T, name string, change func(*Config)) *node {
	t.Helper()
	c := testConfig(t, name)
	if change != nil {
		change(&c)
	}
	h, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return &node{h, newClub("chain 1")}
}

func (n *node) start(t *testing.T) *node {
	t.Helper()
	if err := n.Start(n.club); err != nil {
		t.Fatal(err)
	}
	return n
}

func start(t *testing.T, name string, change func(*Config)) *node {
	t.Helper()
	return open(t, name, change).start(t)
}

// join connects two hosts and waits until both know.
func join(t *testing.T, from, to *node) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), wait)
	defer stop()
	if err := from.Connect(ctx, to.Addresses()[0]); err != nil {
		t.Fatal(err)
	}
	from.club.awaitIn(t, to.Self())
	to.club.awaitIn(t, from.Self())
}

// eventually asks again and again, with pauses.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	late := time.After(wait)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("never came: %s", what)
		}
	}
}
