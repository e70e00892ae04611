package p2p

import (
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
	"github.com/prometheus/client_golang/prometheus"
)

// The modes of the DHT.
const (
	DHTOff    = "off"    // find no peers by a DHT
	DHTClient = "client" // ask others, keep nothing for them
	DHTServer = "server" // keep records for others too
	DHTAuto   = "auto"   // serve until it turns out that nobody can reach this node
)

// Config says who a host is and what it does. Default fills what has a default.
type Config struct {
	// Seed is the ed25519 seed of the host's key, 32 bytes. It must be set.
	Seed []byte
	// Network is the name that separates networks: 1 to 40 of a-z, 0-9 and hyphens. It must be
	// set.
	Network string
	// Agent is what peers are told about the program, at most 64 printable bytes.
	Agent string

	// Listen are multiaddresses to listen on, /quic-v1 and /tcp. With none, nobody can dial.
	Listen []string
	// Announce are multiaddresses told to peers in place of those listened on.
	Announce []string
	// Static are multiaddresses, with /p2p/ID, of peers to stay connected to.
	Static []string
	// Bootstrap are multiaddresses, with /p2p/ID, of peers to begin with.
	Bootstrap []string
	// MDNS finds peers on the local network.
	MDNS bool
	// DHT is one of the modes.
	DHT string
	// NAT asks routers to forward ports, finds out whether this host can be reached, punches
	// holes, and uses and offers relays for that.
	NAT bool

	// MinOutbound is the number of connections that this host dials itself, if it knows enough
	// peers. Incoming ones do not count, so nobody can surround the host.
	MinOutbound int
	// LowWater and HighWater: above the second number of connections, the least useful are
	// closed until the first is left. HighWater and a half is never passed.
	LowWater, HighWater int
	// PerPeer and PerAddress bound the connections of a peer, and of an IPv4 address or an IPv6
	// /56. The loopback address is no exception.
	PerPeer, PerAddress int
	// Memory bounds in bytes what streams, connections and requests may have reserved, 128 MiB
	// at least. A peer may have an eighth of it.
	Memory int64
	// GossipRate is how many bytes a peer may gossip a second. A message counts at least 512.
	GossipRate int
	// BanTime is how long the ban lasts that points lead to.
	BanTime time.Duration
	// Bans are those of an earlier run.
	Bans []Ban
	// Banned is called with all bans when they have changed, or is nil. It may block.
	Banned func([]Ban)

	// Log is where the host writes, or nil.
	Log *slog.Logger
	// Registry takes the host's metrics, or is nil.
	Registry prometheus.Registerer
}

// Default returns the defaults: a host that listens nowhere, and finds nobody but static peers.
func Default() Config {
	return Config{
		Agent: "wes", DHT: DHTOff,
		MinOutbound: 8, LowWater: 32, HighWater: 96, PerPeer: 4, PerAddress: 16,
		Memory: 512 << 20, GossipRate: 2 << 20, BanTime: 24 * time.Hour,
	}
}

func (c *Config) validate() error {
	if len(c.Seed) != ed25519.SeedSize {
		return fmt.Errorf("%w: a seed of %d bytes, want %d", ErrConfig, len(c.Seed), ed25519.SeedSize)
	}
	if !regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`).MatchString(c.Network) {
		return fmt.Errorf("%w: network %q is not 1 to 40 of a-z, 0-9 and inner hyphens", ErrConfig, c.Network)
	}
	if c.Agent != printable(c.Agent) {
		return fmt.Errorf("%w: agent %q is not at most %d printable bytes", ErrConfig, c.Agent, maxAgent)
	}
	switch c.DHT {
	case DHTOff, DHTClient, DHTServer, DHTAuto:
	default:
		return fmt.Errorf("%w: DHT %q is not off, client, server or auto", ErrConfig, c.DHT)
	}
	if err := c.validateNumbers(); err != nil {
		return err
	}
	return c.validateAddresses()
}

func (c *Config) validateNumbers() error {
	for _, n := range []struct {
		name          string
		value, lowest int64
	}{
		{"MinOutbound", int64(c.MinOutbound), 0},
		{"LowWater", int64(c.LowWater), 1},
		{"HighWater", int64(c.HighWater), int64(c.LowWater)},
		{"PerPeer", int64(c.PerPeer), 1},
		{"PerAddress", int64(c.PerAddress), 1},
		{"Memory", c.Memory, 128 << 20},
		{"GossipRate", int64(c.GossipRate), MaxMessage},
		{"BanTime", int64(c.BanTime), 1},
	} {
		if n.value < n.lowest {
			return fmt.Errorf("%w: %s is %d, at least %d", ErrConfig, n.name, n.value, n.lowest)
		}
	}
	return nil
}

func (c *Config) validateAddresses() error {
	for _, list := range [][]string{c.Listen, c.Announce} {
		if _, err := addresses(list); err != nil {
			return err
		}
	}
	for _, list := range [][]string{c.Static, c.Bootstrap} {
		if _, err := peerAddresses(list); err != nil {
			return err
		}
	}
	return nil
}

func addresses(list []string) ([]multiaddr.Multiaddr, error) {
	var all []multiaddr.Multiaddr
	for _, s := range list {
		a, err := multiaddr.NewMultiaddr(s)
		if err != nil {
			return nil, fmt.Errorf("%w: address %q: %v", ErrConfig, s, err)
		}
		all = append(all, a)
	}
	return all, nil
}

// peerAddresses joins the addresses of the same peer.
func peerAddresses(list []string) ([]peer.AddrInfo, error) {
	all, err := addresses(list)
	if err != nil {
		return nil, err
	}
	infos, err := peer.AddrInfosFromP2pAddrs(all...)
	if err != nil {
		return nil, fmt.Errorf("%w: addresses of peers end in /p2p/ID: %v", ErrConfig, err)
	}
	return infos, nil
}
