package p2p

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
)

const (
	// maxEntries bounds the book, maxAddresses the addresses of a peer.
	maxEntries, maxAddresses = 1024, 16
	// A peer that failed is dialled again after dialFirst, then after twice as long each time, up
	// to dialLast for a static peer and dialRare for others.
	dialFirst = time.Second
	dialLast  = time.Minute
	dialRare  = 30 * time.Minute
	// dialRefused is for peers of another network.
	dialRefused = time.Hour
	// dialFailures is how often a peer may fail that nobody has met before it is forgotten.
	dialFailures = 6
)

// kind says what is known of a peer; a higher one replaces a lower one.
type kind uint8

const (
	kindHeard  kind = iota + 1 // found on the local network or by the DHT
	kindMet                    // has joined once, or the configuration begins with it
	kindStatic                 // to stay connected to
)

// book holds the peers to dial. It takes the time as an argument.
type book struct {
	mu struct {
		sync.Mutex
		entries map[peer.ID]*entry
	}
}

type entry struct {
	kind      kind
	addresses []multiaddr.Multiaddr
	failures  int
	next      time.Time // not dialled before
	dialling  bool
}

func newBook() *book {
	b := &book{}
	b.mu.entries = map[peer.ID]*entry{}
	return b
}

// add enters a peer, or what is new about it. A full book takes no more peers that were only
// heard of, and forgets one of those for another kind.
func (b *book) add(now time.Time, info peer.AddrInfo, k kind) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.mu.entries[info.ID]
	if e == nil {
		if len(b.mu.entries) >= maxEntries && (k == kindHeard || !b.forgetOne()) {
			return
		}
		e = &entry{next: now}
		b.mu.entries[info.ID] = e
	}
	e.kind = max(e.kind, k)
	for _, a := range info.Addrs {
		if len(e.addresses) < maxAddresses && !slices.ContainsFunc(e.addresses, a.Equal) {
			e.addresses = append(e.addresses, a)
		}
	}
}

// forgetOne drops the peer that has failed most among those of the lowest kind. It reports
// whether there was one that is not static.
func (b *book) forgetOne() bool {
	var worst peer.ID
	for id, e := range b.mu.entries {
		if e.kind == kindStatic || e.dialling {
			continue
		}
		w := b.mu.entries[worst]
		if w == nil || e.kind < w.kind || e.kind == w.kind && e.failures > w.failures {
			worst = id
		}
	}
	delete(b.mu.entries, worst)
	return worst != ""
}

// due takes at most n peers to dial now: static ones first, then at most others of those that are
// not, by how often they failed. It passes over those that skip names.
func (b *book) due(now time.Time, n, others int, skip func(peer.ID) bool) []peer.AddrInfo {
	b.mu.Lock()
	defer b.mu.Unlock()
	var static, rest []peer.ID
	for id, e := range b.mu.entries {
		switch {
		case e.dialling || e.next.After(now) || skip(id):
		case e.kind == kindStatic:
			static = append(static, id)
		default:
			rest = append(rest, id)
		}
	}
	slices.SortFunc(rest, func(i, j peer.ID) int {
		a, b := b.mu.entries[i], b.mu.entries[j]
		return cmp.Or(cmp.Compare(b.kind, a.kind), cmp.Compare(a.failures, b.failures))
	})
	ready := append(static, rest[:min(len(rest), max(0, others))]...)
	var all []peer.AddrInfo
	for _, id := range ready[:min(max(0, n), len(ready))] {
		e := b.mu.entries[id]
		e.dialling = true
		all = append(all, peer.AddrInfo{ID: id, Addrs: slices.Clone(e.addresses)})
	}
	return all
}

// dialled records that a dial has ended. Whether the peer joins is another matter. Up to half of
// the time until the next dial is added by spread, from 0 to 1, so that two peers do not go on
// dialling each other at the same moment.
func (b *book) dialled(now time.Time, id peer.ID, spread float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.mu.entries[id]
	if e == nil {
		return
	}
	e.dialling = false
	e.failures++
	if e.kind == kindHeard && e.failures > dialFailures {
		delete(b.mu.entries, id)
		return
	}
	longest := dialRare
	if e.kind == kindStatic {
		longest = dialLast
	}
	pause := min(longest, dialFirst<<min(e.failures-1, 30))
	e.next = now.Add(pause + time.Duration(spread*float64(pause)/2))
}

// succeeded forgets the failures of a peer that has joined.
func (b *book) succeeded(id peer.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.mu.entries[id]; e != nil {
		e.failures = 0
	}
}

// putOff keeps a peer from being dialled for a while; a static one only for dialLast.
func (b *book) putOff(now time.Time, id peer.ID, d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.mu.entries[id]
	if e == nil {
		return
	}
	if e.kind == kindStatic {
		d = min(d, dialLast)
	}
	if until := now.Add(d); until.After(e.next) {
		e.next = until
	}
}

// anew makes all peers due at once.
func (b *book) anew(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.mu.entries {
		e.failures, e.next = 0, now
	}
}

// next is when the next peer is due, or false if none will be. Without others it is the next static
// one.
func (b *book) next(others bool, skip func(peer.ID) bool) (time.Time, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var first time.Time
	found := false
	for id, e := range b.mu.entries {
		if !e.dialling && (others || e.kind == kindStatic) && !skip(id) && (!found || e.next.Before(first)) {
			first, found = e.next, true
		}
	}
	return first, found
}
