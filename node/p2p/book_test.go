package p2p

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
)

func nobody(peer.ID) bool { return false }

func testInfo(t *testing.T, i int) peer.AddrInfo {
	t.Helper()
	a, err := multiaddr.NewMultiaddr(fmt.Sprintf("/ip4/192.0.2.1/tcp/%d", i+1))
	must(t, err)
	return peer.AddrInfo{ID: testPeer(i), Addrs: []multiaddr.Multiaddr{a}}
}

func TestStaticPeersAreDueFirstAndAlways(t *testing.T) {
	b := newBook()
	for i, k := range []kind{kindHeard, kindMet, kindStatic} {
		b.add(epoch, testInfo(t, i), k)
	}
	if all := b.due(epoch, 9, 0, nobody); len(all) != 1 || all[0].ID != testPeer(2) {
		t.Fatalf("%v", all)
	}
	if all := b.due(epoch, 9, 1, nobody); len(all) != 1 || all[0].ID != testPeer(1) {
		t.Fatalf("the one that was met comes first: %v", all)
	}
	if all := b.due(epoch, 9, 9, func(id peer.ID) bool { return id == testPeer(0) }); len(all) != 0 {
		t.Fatalf("%v", all)
	}
	if all := b.due(epoch, 0, 9, nobody); len(all) != 0 {
		t.Fatalf("%v", all)
	}
}

func TestPausesDoubleUpToTheirLimit(t *testing.T) {
	b := newBook()
	b.add(epoch, testInfo(t, 0), kindStatic)
	b.add(epoch, testInfo(t, 1), kindMet)
	for i := range 20 {
		now := epoch.Add(time.Duration(i) * 24 * time.Hour)
		if n := len(b.due(now, 9, 9, nobody)); n != 2 {
			t.Fatalf("%d due", n)
		}
		for j, longest := range []time.Duration{dialLast, dialRare} {
			b.dialled(now, testPeer(j), 0)
			want := min(longest, dialFirst<<min(i, 20))
			if got := b.mu.entries[testPeer(j)].next.Sub(now); got != want {
				t.Errorf("dial %d of %d: pause of %v, want %v", i, j, got, want)
			}
		}
	}
	b.succeeded(testPeer(0))
	b.dialled(epoch, testPeer(0), 1)
	if got := b.mu.entries[testPeer(0)].next.Sub(epoch); got != dialFirst*3/2 {
		t.Errorf("after a success: %v", got)
	}
	b.anew(epoch)
	if n := len(b.due(epoch, 9, 9, nobody)); n != 2 {
		t.Errorf("%d due anew", n)
	}
}

func TestPeersHeardOfAreForgottenWhenTheyFail(t *testing.T) {
	b := newBook()
	b.add(epoch, testInfo(t, 0), kindHeard)
	for i := 0; b.mu.entries[testPeer(0)] != nil; i++ {
		if i > dialFailures {
			t.Fatal("not forgotten")
		}
		b.dialled(epoch, testPeer(0), 0)
	}
}

func TestStaticPeerIsPutOffForAMinuteOnly(t *testing.T) {
	b := newBook()
	b.add(epoch, testInfo(t, 0), kindStatic)
	b.add(epoch, testInfo(t, 1), kindMet)
	for i, want := range []time.Duration{dialLast, dialRefused} {
		b.putOff(epoch, testPeer(i), dialRefused)
		if got := b.mu.entries[testPeer(i)].next.Sub(epoch); got != want {
			t.Errorf("%d: %v, want %v", i, got, want)
		}
	}
	b.putOff(epoch, testPeer(7), time.Hour) // nobody knows it
	if at, ok := b.next(true, nobody); !ok || !at.Equal(epoch.Add(dialLast)) {
		t.Errorf("%v, %v", at, ok)
	}
	if _, ok := b.next(false, func(peer.ID) bool { return true }); ok {
		t.Error("next of nobody")
	}
}

func TestBookIsBounded(t *testing.T) {
	b, random := newBook(), rand.New(rand.NewPCG(1, 1))
	b.add(epoch, testInfo(t, 0), kindStatic)
	for i := range 3 * maxEntries {
		b.add(epoch, testInfo(t, 1+i), kind(1+random.IntN(2)))
		if n := len(b.mu.entries); n > maxEntries {
			t.Fatalf("%d entries", n)
		}
	}
	if b.mu.entries[testPeer(0)] == nil {
		t.Error("a static peer was forgotten")
	}
	many := peer.AddrInfo{ID: testPeer(0)}
	for i := range 100 {
		many.Addrs = append(many.Addrs, testInfo(t, i).Addrs...)
	}
	b.add(epoch, many, kindHeard)
	if e := b.mu.entries[testPeer(0)]; len(e.addresses) != maxAddresses || e.kind != kindStatic {
		t.Errorf("%d addresses, kind %d", len(e.addresses), e.kind)
	}
}

func TestProvidersAreBoundedAndExpire(t *testing.T) {
	p := newProviders(nil)
	for i := range maxKeys + 10 {
		p.add(epoch.Add(time.Duration(i)), fmt.Sprint("key", i), testPeer(0))
	}
	if n := len(p.mu.keys); n != maxKeys {
		t.Errorf("%d keys", n)
	}
	if len(p.get(epoch, "key9")) > 0 || len(p.get(epoch, "key10")) == 0 {
		t.Error("not the oldest key was forgotten")
	}
	for i := range maxProviders + 5 {
		p.add(epoch.Add(time.Hour), "key10", testPeer(i))
	}
	all := p.get(epoch.Add(time.Hour), "key10")
	if len(all) != maxProviders || all[0] != testPeer(maxProviders+4) {
		t.Errorf("%d providers", len(all))
	}
	if len(p.get(epoch.Add(providedFor+time.Hour), "key10")) != 0 || p.mu.keys["key10"] != nil {
		t.Error("providers do not expire")
	}
}
