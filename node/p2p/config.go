package p2p

import (
	"cmp"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
	"github.com/prometheus/client_golang/prometheus"
)

// Mode is how a host takes part in the DHT.
type Mode string

// The modes of the DHT.
const (
	DHTOff    Mode = "off"
	DHTClient Mode = "client" // asks, and answers nothing
	DHTServer Mode = "server" // answers too
	DHTAuto   Mode = "auto"   // answers while it can be reached
)

// Config says who a host is and whom it meets.
type Config struct {
	// Seed is that of the host's Ed25519 key, 32 bytes.
	Seed []byte
	// Network names the network; hosts of others are strangers.
	Network string
	// Agent is what peers are told about this program.
	Agent string
	// Listen are multiaddresses; none: the host only dials.
	Listen []string
	// Announce are told to peers in place of those listened on.
	Announce []string
	// Static are multiaddresses of peers to stay connected to, with /p2p/ID at the end.
	Static []string
	// MDNS finds peers on the local network.
	MDNS bool
	// DHT finds peers in the network's own DHT, which Static leads to. Default off.
	DHT Mode
	// NAT maps ports, finds out reachability and punches holes.
	NAT bool
	// Low and High bound the connections: above High the least useful are closed down to Low.
	// Defaults 32 and 96.
	Low, High int
	// PerAddress bounds the connections from one address other than loopback. Default 8.
	PerAddress int
	// Memory bounds what libp2p holds for streams and connections, in bytes. Default 256 MiB.
	Memory int64
	// BanFile keeps bans over restarts; empty: they are forgotten.
	BanFile string
	// Log hears what happens; nil: nobody.
	Log *slog.Logger
	// Registry gets the metrics; nil: none.
	Registry prometheus.Registerer
}

// ErrConfig is returned by Open for what no host can be made of.
var ErrConfig = errors.New("unusable configuration of the peer-to-peer host")

func (c Config) withDefaults() (Config, error) {
	c.DHT, c.Low, c.High = cmp.Or(c.DHT, DHTOff), cmp.Or(c.Low, 32), cmp.Or(c.High, 96)
	c.PerAddress, c.Memory, c.Agent = cmp.Or(c.PerAddress, 8), cmp.Or(c.Memory, 256<<20), cmp.Or(c.Agent, "wes")
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	switch {
	case len(c.Seed) != ed25519.SeedSize:
		return c, fmt.Errorf("%w: a key of %d bytes", ErrConfig, len(c.Seed))
	case c.Network == "":
		return c, fmt.Errorf("%w: no network", ErrConfig)
	case c.Low < 1 || c.High < c.Low || c.PerAddress < 1 || c.Memory < 16<<20:
		return c, fmt.Errorf("%w: connections from %d to %d, %d from an address, %d bytes", ErrConfig, c.Low, c.High, c.PerAddress, c.Memory)
	case c.DHT != DHTOff && c.DHT != DHTClient && c.DHT != DHTServer && c.DHT != DHTAuto:
		return c, fmt.Errorf("%w: DHT mode %q", ErrConfig, c.DHT)
	}
	return c, nil
}

// protocol returns the id of a protocol of this network.
func (c *Config) protocol(name string) string { return "/wes/" + c.Network + "/" + name + "/1" }

// addresses parses multiaddresses.
func addresses(all []string) ([]multiaddr.Multiaddr, error) {
	var list []multiaddr.Multiaddr
	for _, s := range all {
		a, err := multiaddr.NewMultiaddr(s)
		if err != nil {
			return nil, fmt.Errorf("%w: address %q: %v", ErrConfig, s, err)
		}
		list = append(list, a)
	}
	return list, nil
}

// peersOf parses addresses of peers; several of one peer become one.
func peersOf(all []string) ([]peer.AddrInfo, error) {
	list, err := addresses(all)
	if err != nil {
		return nil, err
	}
	infos, err := peer.AddrInfosFromP2pAddrs(list...)
	if err != nil {
		return nil, fmt.Errorf("%w: address of a peer: %v", ErrConfig, err)
	}
	return infos, nil
}
