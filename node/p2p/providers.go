package p2p

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p-kad-dht/records"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
)

const (
	// maxKeys and maxProviders bound what strangers may have the DHT remember: about 16 MB.
	maxKeys, maxProviders = 16384, 16
	// maxKey is in bytes; keys are multihashes.
	maxKey = 80
	// providedFor is how long a record holds. Providers renew theirs twice as often.
	providedFor = 24 * time.Hour
	// addressesFor is how long a provider's addresses are kept, if it does not stay connected.
	addressesFor = time.Hour
)

// providers remembers who provides what, for the DHT, in bounded memory. When it is full, the
// key goes that was renewed longest ago.
type providers struct {
	addresses peerstore.Peerstore
	mu        struct {
		sync.Mutex
		keys map[string]*provided
	}
}

// provided are the providers of one key, the latest last.
type provided struct {
	by      []provider
	renewed time.Time
}

type provider struct {
	id    peer.ID
	until time.Time
}

var _ records.ProviderStore = (*providers)(nil)

func newProviders(addresses peerstore.Peerstore) *providers {
	p := &providers{addresses: addresses}
	p.mu.keys = map[string]*provided{}
	return p
}

// AddProvider enters a provider, and its addresses in the peerstore.
func (p *providers) AddProvider(_ context.Context, key []byte, by peer.AddrInfo) error {
	if len(key) > maxKey {
		return nil
	}
	p.addresses.AddAddrs(by.ID, by.Addrs[:min(len(by.Addrs), maxAddresses)], addressesFor)
	p.add(time.Now(), string(key), by.ID)
	return nil
}

func (p *providers) add(now time.Time, key string, id peer.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := p.mu.keys[key]
	if k == nil {
		if len(p.mu.keys) >= maxKeys {
			p.forgetOne()
		}
		k = &provided{}
		p.mu.keys[key] = k
	}
	k.renewed = now
	k.by = slices.DeleteFunc(k.by, func(x provider) bool { return x.id == id || !x.until.After(now) })
	if len(k.by) >= maxProviders {
		k.by = slices.Delete(k.by, 0, len(k.by)-maxProviders+1)
	}
	k.by = append(k.by, provider{id, now.Add(providedFor)})
}

func (p *providers) forgetOne() {
	oldest := ""
	for key, k := range p.mu.keys {
		if o := p.mu.keys[oldest]; o == nil || k.renewed.Before(o.renewed) {
			oldest = key
		}
	}
	delete(p.mu.keys, oldest)
}

// GetProviders returns those that are known, the latest first.
func (p *providers) GetProviders(_ context.Context, key []byte) ([]peer.AddrInfo, error) {
	var all []peer.AddrInfo
	for _, id := range p.get(time.Now(), string(key)) {
		all = append(all, p.addresses.PeerInfo(id))
	}
	return all, nil
}

func (p *providers) get(now time.Time, key string) []peer.ID {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := p.mu.keys[key]
	if k == nil {
		return nil
	}
	var all []peer.ID
	for _, x := range slices.Backward(k.by) {
		if x.until.After(now) {
			all = append(all, x.id)
		}
	}
	if len(all) == 0 {
		delete(p.mu.keys, key)
	}
	return all
}

// Close is without effect.
func (p *providers) Close() error { return nil }
