package p2p

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
)

var epoch = time.Unix(1_800_000_000, 0)

func testPeer(i int) peer.ID { return peer.ID(fmt.Sprintf("\x00\x08peer%04d", i)) }

func testGroup(i int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 32)
}

func TestPointsAndBansAreThoseOfAPlainRecord(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		r := newReputation(epoch, nil)
		points, since := map[peer.ID]float64{}, map[peer.ID]time.Time{}
		until, groups, of := map[peer.ID]time.Time{}, map[netip.Prefix]time.Time{}, map[peer.ID]netip.Prefix{}
		now := epoch
		for range 400 {
			now = now.Add(time.Duration(random.IntN(90)) * time.Second)
			id := testPeer(random.IntN(12))
			g := testGroup(random.IntN(3))
			held := points[id] - now.Sub(since[id]).Seconds()*BanPoints/pointsHeld.Seconds()
			if held < 0 || since[id].IsZero() {
				held = 0
			}
			if random.IntN(3) > 0 {
				n := float64(random.IntN(60))
				if got := r.penalise(now, id, g, n); got != (held+n >= BanPoints) && held+n != BanPoints {
					t.Fatalf("seed %d: %v of %v points", seed, got, held+n)
				}
				points[id], since[id], of[id] = held+n, now, g
			} else {
				end := now.Add(time.Duration(random.IntN(1200)) * time.Second)
				r.ban(now, id, g, end)
				points[id], since[id], of[id] = 0, now, g
				if end.After(until[id]) {
					until[id] = end
				}
				banned := 0
				for p, u := range until {
					if of[p] == g && u.After(now) {
						banned++
					}
				}
				if banned >= groupBans && end.After(groups[g]) {
					groups[g] = end
				}
			}
			for i := range 12 {
				if p := testPeer(i); r.banned(now, p) != until[p].After(now) {
					t.Fatalf("seed %d: peer %d", seed, i)
				}
			}
			for i := range 3 {
				if g := testGroup(i); r.groupBanned(now, g) != groups[g].After(now) {
					t.Fatalf("seed %d: address %d", seed, i)
				}
			}
		}
		again := newReputation(now, r.bans(now))
		if !slices.Equal(again.bans(now), r.bans(now)) {
			t.Fatalf("seed %d: bans are not those that were saved", seed)
		}
	}
}

func TestPointsDecay(t *testing.T) {
	r := newReputation(epoch, nil)
	if r.penalise(epoch, testPeer(1), netip.Prefix{}, BanPoints-1) {
		t.Error("banned below the limit")
	}
	half := epoch.Add(pointsHeld / 2)
	if p := r.points(half, testPeer(1)); p < BanPoints/2-2 || p > BanPoints/2 {
		t.Errorf("%v points", p)
	}
	if p := r.points(epoch.Add(pointsHeld), testPeer(1)); p != 0 {
		t.Errorf("%v points", p)
	}
	if p := r.points(epoch.Add(-time.Hour), testPeer(1)); p > BanPoints {
		t.Errorf("a clock that went back made %v points", p)
	}
}

func TestReputationForgetsTheLeastOffender(t *testing.T) {
	r := newReputation(epoch, nil)
	end := epoch.Add(time.Hour)
	for i := range maxRecords {
		if i%2 == 0 {
			r.ban(epoch, testPeer(i), netip.Prefix{}, end.Add(time.Duration(i)*time.Second))
		} else {
			r.penalise(epoch, testPeer(i), netip.Prefix{}, float64(i%50)+1)
		}
	}
	for i := range 100 {
		r.ban(epoch, testPeer(maxRecords+i), netip.Prefix{}, end)
	}
	if n := len(r.mu.peers); n != maxRecords {
		t.Errorf("%d records", n)
	}
	for i := 0; i < maxRecords; i += 2 {
		if !r.banned(epoch, testPeer(i)) {
			t.Fatalf("ban %d was forgotten before mere points", i)
		}
	}
}

func TestBansThatMakeNoSenseAreNotTakenOver(t *testing.T) {
	all := []Ban{{Until: epoch.Add(time.Hour)}, {Peer: "nonsense", Until: epoch.Add(time.Hour)}, {Address: testGroup(1), Until: epoch}}
	if n := len(newReputation(epoch, all).bans(epoch)); n != 0 {
		t.Errorf("%d bans", n)
	}
}

func TestGroupsAreWhatOneSubscriberHas(t *testing.T) {
	for address, want := range map[string]string{
		"/ip4/192.0.2.7/tcp/1":               "192.0.2.7/32",
		"/ip4/192.0.2.7/udp/1/quic-v1":       "192.0.2.7/32",
		"/ip6/::ffff:192.0.2.7/tcp/1":        "192.0.2.7/32",
		"/ip6/2001:db8:1:2345:6:7:8:9/udp/1": "2001:db8:1:2300::/56",
		"/dns4/example.org/tcp/1":            "invalid Prefix",
	} {
		a, err := multiaddr.NewMultiaddr(address)
		must(t, err)
		if got := group(a).String(); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
