package p2p

import (
	"cmp"
	"net/netip"
	"strings"
	"unicode"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/network"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
)

// resourceManager bounds what peers can make libp2p hold. Loopback is one machine's own: there
// the number of connections is not bounded by address.
func resourceManager(c *Config) (network.ResourceManager, error) {
	limits := rcmgr.DefaultLimits
	libp2p.SetDefaultServiceLimits(&limits)
	files := 4 * c.High
	scaled := limits.Scale(c.Memory, files)
	loopback := rcmgr.NetworkPrefixLimit{Network: netip.MustParsePrefix("127.0.0.0/8"), ConnCount: files}
	loopback6 := rcmgr.NetworkPrefixLimit{Network: netip.MustParsePrefix("::1/128"), ConnCount: files}
	return rcmgr.NewResourceManager(rcmgr.NewFixedLimiter(scaled),
		rcmgr.WithMetricsDisabled(),
		rcmgr.WithNetworkPrefixLimit([]rcmgr.NetworkPrefixLimit{loopback}, []rcmgr.NetworkPrefixLimit{loopback6}),
		rcmgr.WithLimitPerSubnet(
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 32, ConnCount: c.PerAddress}},
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 56, ConnCount: c.PerAddress}, {PrefixLength: 48, ConnCount: 4 * c.PerAddress}},
		))
}

func compare(a, b string) int { return cmp.Compare(a, b) }

// maxAgent is how much of what a peer says of itself is shown, in bytes.
const maxAgent = 64

// printable drops what a terminal might obey.
func printable(s string) string {
	s = strings.ToValidUTF8(s[:min(len(s), maxAgent)], "")
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, s)
}
