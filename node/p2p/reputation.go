package p2p

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Points of offences against this package's protocol, and the limit.
const (
	// BanPoints bans a peer.
	BanPoints = 100.0
	// pointsHeld is how long BanPoints take to decay to zero.
	pointsHeld = 10 * time.Minute

	pointsInvalid = 20.0 // an invalid message relayed
	pointsLength  = 25.0 // a length over the limit
	pointsSlow    = 15.0 // a transfer below the minimum throughput
	pointsSilent  = 20.0 // connected, and no greeting
	pointsStalled = 2.0  // a message whose validation did not end in time
)

const (
	// maxRecords bounds the peers that are remembered for what they did.
	maxRecords = 4096
	// groupBans is how many peers of one address are banned before the address is.
	groupBans = 3
)

// Ban keeps a peer, or all peers of an address, away.
type Ban struct {
	Peer    Peer         // empty if Address is set
	Address netip.Prefix // zero if Peer is set
	Until   time.Time
}

// reputation remembers what peers did. It takes the time as an argument, and is bounded: when
// full, it forgets the least offender.
type reputation struct {
	mu struct {
		sync.Mutex
		peers  map[peer.ID]*record
		groups map[netip.Prefix]time.Time // banned until
	}
}

// record holds points as of a time; until is past if the peer is not banned.
type record struct {
	points    float64
	at, until time.Time
	group     netip.Prefix
}

func newReputation(now time.Time, bans []Ban) *reputation {
	r := &reputation{}
	r.mu.peers, r.mu.groups = map[peer.ID]*record{}, map[netip.Prefix]time.Time{}
	for _, b := range bans[:min(len(bans), maxRecords)] {
		switch id := b.Peer.id(); {
		case !b.Until.After(now):
		case b.Address.IsValid():
			r.mu.groups[b.Address.Masked()] = b.Until
		case id != "":
			r.mu.peers[id] = &record{until: b.Until}
		}
	}
	return r
}

func (r *record) now(now time.Time) float64 {
	decayed := r.points - BanPoints*float64(now.Sub(r.at))/float64(pointsHeld)
	return max(0, min(decayed, r.points))
}

// from keeps the last address that is known of a peer.
func (r *record) from(g netip.Prefix) {
	if g.IsValid() {
		r.group = g
	}
}

// penalise adds points and reports whether the peer has too many.
func (r *reputation) penalise(now time.Time, id peer.ID, g netip.Prefix, points float64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.record(now, id)
	e.points, e.at = e.now(now)+points, now
	e.from(g)
	return e.points >= BanPoints
}

// ban keeps a peer away, and its address if it is the third of it. An earlier ban that lasts
// longer stays. The points are settled.
func (r *reputation) ban(now time.Time, id peer.ID, g netip.Prefix, until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.record(now, id)
	e.points, e.at = 0, now
	e.from(g)
	if until.After(e.until) {
		e.until = until
	}
	if g = e.group; g.IsValid() && r.bannedOf(now, g) >= groupBans && until.After(r.mu.groups[g]) {
		r.makeRoomForGroup()
		r.mu.groups[g] = until
	}
}

func (r *reputation) bannedOf(now time.Time, g netip.Prefix) int {
	n := 0
	for _, e := range r.mu.peers {
		if e.group == g && e.until.After(now) {
			n++
		}
	}
	return n
}

// record returns a peer's record, making one, and room for it.
func (r *reputation) record(now time.Time, id peer.ID) *record {
	if e := r.mu.peers[id]; e != nil {
		return e
	}
	if len(r.mu.peers) >= maxRecords {
		r.forgetOne(now)
	}
	e := &record{at: now}
	r.mu.peers[id] = e
	return e
}

// forgetOne drops the record that says least: the ban that ends first, and among those without
// one the fewest points.
func (r *reputation) forgetOne(now time.Time) {
	var least peer.ID
	for id, e := range r.mu.peers {
		if least == "" || e.before(now, r.mu.peers[least]) {
			least = id
		}
	}
	delete(r.mu.peers, least)
}

func (r *record) before(now time.Time, than *record) bool {
	a, b := r.until, than.until
	if !a.After(now) {
		a = time.Time{}
	}
	if !b.After(now) {
		b = time.Time{}
	}
	if !a.Equal(b) {
		return a.Before(b)
	}
	return r.now(now) < than.now(now)
}

func (r *reputation) makeRoomForGroup() {
	if len(r.mu.groups) < maxRecords {
		return
	}
	var first netip.Prefix
	for g, until := range r.mu.groups {
		if !first.IsValid() || until.Before(r.mu.groups[first]) {
			first = g
		}
	}
	delete(r.mu.groups, first)
}

func (r *reputation) points(now time.Time, id peer.ID) float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.mu.peers[id]; e != nil {
		return e.now(now)
	}
	return 0
}

func (r *reputation) banned(now time.Time, id peer.ID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.mu.peers[id]
	return e != nil && e.until.After(now)
}

func (r *reputation) groupBanned(now time.Time, g netip.Prefix) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mu.groups[g].After(now)
}

// bans lists those that hold, in a fixed order.
func (r *reputation) bans(now time.Time) []Ban {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []Ban
	for id, e := range r.mu.peers {
		if e.until.After(now) {
			all = append(all, Ban{Peer: named(id), Until: e.until})
		}
	}
	for g, until := range r.mu.groups {
		if until.After(now) {
			all = append(all, Ban{Address: g, Until: until})
		}
	}
	slices.SortFunc(all, func(a, b Ban) int {
		return cmp.Or(cmp.Compare(a.Peer, b.Peer), a.Address.Addr().Compare(b.Address.Addr()))
	})
	return all
}
