package p2p

import (
	"net/netip"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// Peer is the id of a peer: the hash of its key, in base 58.
type Peer string

func named(id peer.ID) Peer { return Peer(id.String()) }

// id decodes a peer's name. The empty id stands for what is none; nobody has it.
func (p Peer) id() peer.ID {
	id, err := peer.Decode(string(p))
	if err != nil {
		return ""
	}
	return id
}

// Member is a peer that takes part in this network.
type Member struct {
	Peer     Peer
	Address  string // multiaddress of the connection
	Agent    string // what it says of its program: at most 64 printable bytes
	Outbound bool   // this host has dialled it
	Greeting []byte // what it has said when it joined, at most MaxGreeting bytes
	Since    time.Time
}

// maxAgent is in bytes.
const maxAgent = 64

// printable returns at most maxAgent bytes of a foreign text, without what is not printable
// ASCII.
func printable(s string) string {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s[:min(len(s), maxAgent)])
	return clean
}

// group returns the addresses that count as one: an IPv4 address, or an IPv6 /56, which is what
// one subscriber usually has. The zero prefix stands for all that have no IP address.
func group(a multiaddr.Multiaddr) netip.Prefix {
	if a == nil {
		return netip.Prefix{}
	}
	ip, err := manet.ToIP(a)
	if err != nil {
		return netip.Prefix{}
	}
	addr, ok := netip.AddrFromSlice(ip)
	if !ok {
		return netip.Prefix{}
	}
	bits := 56
	if addr = addr.Unmap(); addr.Is4() {
		bits = 32
	}
	return netip.PrefixFrom(addr, bits).Masked()
}
