package p2p

import (
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/network"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/x/rate"
)

const (
	// peerStreams bounds the streams of a peer in one direction. Requests, gossip, identify, the
	// DHT and an exchange of resources take a few each.
	peerStreams = 64
	// peerMemory is the part of the memory that a peer may have.
	peerMemory = 8
	// connectRate and connectBurst bound the new connections of an address, the first a second.
	connectRate  = 0.5
	connectBurst = 64
)

// mostConnections is never passed. It leaves room above the high-water mark for what the
// connection manager has not yet looked at.
func (c *Config) mostConnections() int { return c.HighWater + c.HighWater/2 }

// newResourceManager bounds what peers may use.
func newResourceManager(c *Config) (network.ResourceManager, error) {
	scaling := rcmgr.DefaultLimits
	libp2p.SetDefaultServiceLimits(&scaling)
	most := rcmgr.LimitVal(c.mostConnections())
	memory := rcmgr.LimitVal64(c.Memory)
	streams := most * peerStreams
	limits := rcmgr.PartialLimitConfig{
		System: rcmgr.ResourceLimits{
			Conns: most, ConnsInbound: most, ConnsOutbound: most, FD: 2 * most,
			Streams: 2 * streams, StreamsInbound: streams, StreamsOutbound: streams, Memory: memory,
		},
		// What has not been negotiated is cut off by libp2p after seconds.
		Transient: rcmgr.ResourceLimits{
			Conns: most, ConnsInbound: most, ConnsOutbound: most, FD: most,
			Streams: 2 * streams, StreamsInbound: streams, StreamsOutbound: streams, Memory: memory / 2,
		},
		PeerDefault: rcmgr.ResourceLimits{
			Conns: rcmgr.LimitVal(c.PerPeer), ConnsInbound: rcmgr.LimitVal(c.PerPeer), ConnsOutbound: rcmgr.LimitVal(c.PerPeer),
			Streams: 2 * peerStreams, StreamsInbound: peerStreams, StreamsOutbound: peerStreams, Memory: memory / peerMemory,
		},
		ProtocolDefault: rcmgr.ResourceLimits{Streams: 2 * streams, StreamsInbound: streams, StreamsOutbound: streams, Memory: memory},
	}
	m, err := rcmgr.NewResourceManager(
		rcmgr.NewFixedLimiter(limits.Build(scaling.Scale(c.Memory, 2*c.mostConnections()))),
		rcmgr.WithMetricsDisabled(),
		rcmgr.WithNetworkPrefixLimit([]rcmgr.NetworkPrefixLimit{}, []rcmgr.NetworkPrefixLimit{}),
		rcmgr.WithLimitPerSubnet(
			[]rcmgr.ConnLimitPerSubnet{{ConnCount: c.PerAddress, PrefixLength: 32}},
			[]rcmgr.ConnLimitPerSubnet{{ConnCount: c.PerAddress, PrefixLength: 56}, {ConnCount: 4 * c.PerAddress, PrefixLength: 48}}),
		rcmgr.WithConnRateLimiters(newConnectionRate()),
	)
	if err != nil {
		return nil, fmt.Errorf("limits: %w", err)
	}
	return m, nil
}

func newConnectionRate() *rate.Limiter {
	of := rate.Limit{RPS: connectRate, Burst: connectBurst}
	return &rate.Limiter{SubnetRateLimiter: rate.SubnetLimiter{
		IPv4SubnetLimits: []rate.SubnetLimit{{PrefixLength: 32, Limit: of}},
		IPv6SubnetLimits: []rate.SubnetLimit{{PrefixLength: 56, Limit: of}},
		GracePeriod:      time.Minute,
	}}
}
