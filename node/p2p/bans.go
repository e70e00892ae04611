package p2p

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// An address from which this many peers were banned is banned itself.
const addressBans = 4

// maxBans bounds the peers remembered; the first to be free again are forgotten first.
const maxBans = 4096

// bans keeps out peers that broke the protocol. It implements libp2p's connection gater.
type bans struct {
	file string
	mu   struct {
		sync.Mutex
		until map[peer.ID]time.Time
		from  map[string]map[peer.ID]time.Time // by address, who was banned there
	}
}

var _ connmgr.ConnectionGater = (*bans)(nil)

// banned is a line of the file.
type banned struct {
	Peer  string    `json:"peer"`
	Until time.Time `json:"until"`
}

func openBans(file string) (*bans, error) {
	b := &bans{file: file}
	b.mu.until, b.mu.from = map[peer.ID]time.Time{}, map[string]map[peer.ID]time.Time{}
	if file == "" {
		return b, nil
	}
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read bans: %w", err)
	}
	var all []banned
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("read bans: %s: %w; remove the file to forget them", file, err)
	}
	for _, x := range all {
		if id, err := peer.Decode(x.Peer); err == nil && len(b.mu.until) < maxBans {
			b.mu.until[id] = x.Until
		}
	}
	return b, nil
}

// add bans a peer that is connected from some addresses.
func (b *bans) add(id peer.ID, until time.Time, from []multiaddr.Multiaddr) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget(time.Now())
	b.mu.until[id] = until
	for _, a := range from {
		ip, err := manet.ToIP(a)
		if err != nil || ip.IsLoopback() {
			continue
		}
		key := ip.String()
		if b.mu.from[key] == nil {
			b.mu.from[key] = map[peer.ID]time.Time{}
		}
		b.mu.from[key][id] = until
	}
	return b.save()
}

// forget drops bans that are over, and one more if there are too many.
func (b *bans) forget(now time.Time) {
	var first peer.ID
	for id, until := range b.mu.until {
		if now.After(until) {
			delete(b.mu.until, id)
		} else if first == "" || until.Before(b.mu.until[first]) {
			first = id
		}
	}
	if len(b.mu.until) >= maxBans {
		delete(b.mu.until, first)
	}
	for key, all := range b.mu.from {
		for id, until := range all {
			if now.After(until) || b.mu.until[id].IsZero() {
				delete(all, id)
			}
		}
		if len(all) == 0 {
			delete(b.mu.from, key)
		}
	}
}

// save writes the file anew.
func (b *bans) save() error {
	if b.file == "" {
		return nil
	}
	all := []banned{}
	for id, until := range b.mu.until {
		all = append(all, banned{id.String(), until.UTC()})
	}
	raw, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(b.file), 0o700); err != nil {
		return fmt.Errorf("write bans: %w", err)
	}
	temporary := b.file + ".new"
	if err := os.WriteFile(temporary, raw, 0o600); err != nil {
		return fmt.Errorf("write bans: %w", err)
	}
	if err := os.Rename(temporary, b.file); err != nil {
		return fmt.Errorf("write bans: %w", err)
	}
	return nil
}

func (b *bans) has(id peer.ID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Now().Before(b.mu.until[id])
}

func (b *bans) hasAddress(a multiaddr.Multiaddr) bool {
	ip, err := manet.ToIP(a)
	if err != nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.mu.from[ip.String()]) >= addressBans
}

// InterceptPeerDial implements connmgr.ConnectionGater.
func (b *bans) InterceptPeerDial(id peer.ID) bool { return !b.has(id) }

// InterceptAddrDial implements connmgr.ConnectionGater.
func (b *bans) InterceptAddrDial(_ peer.ID, a multiaddr.Multiaddr) bool { return !b.hasAddress(a) }

// InterceptAccept implements connmgr.ConnectionGater.
func (b *bans) InterceptAccept(a network.ConnMultiaddrs) bool {
	return !b.hasAddress(a.RemoteMultiaddr())
}

// InterceptSecured implements connmgr.ConnectionGater.
func (b *bans) InterceptSecured(_ network.Direction, id peer.ID, _ network.ConnMultiaddrs) bool {
	return !b.has(id)
}

// InterceptUpgraded implements connmgr.ConnectionGater.
func (b *bans) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }
