package p2p

import (
	"crypto/ed25519"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// Peer is the id of a peer: the hash of its key, in base 58.
type Peer string

func named(id peer.ID) Peer { return Peer(id.String()) }

// NameOf returns the name of the host with a seed; see Config.Seed.
func NameOf(seed []byte) (Peer, error) {
	if len(seed) != ed25519.SeedSize {
		return "", fmt.Errorf("%w: a seed of %d bytes, want %d", ErrConfig, len(seed), ed25519.SeedSize)
	}
	key, err := crypto.UnmarshalEd25519PrivateKey(ed25519.NewKeyFromSeed(seed))
	if err != nil {
		return "", err
	}
	id, err := peer.IDFromPrivateKey(key)
	return named(id), err
}

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
