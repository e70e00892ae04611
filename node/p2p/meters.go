package p2p

import (
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/prometheus/client_golang/prometheus"
)

// meters are the metrics of a host.
type meters struct {
	all     []prometheus.Collector
	served  *prometheus.CounterVec
	gossip  *prometheus.CounterVec
	dropped prometheus.Counter
	banned  prometheus.Counter
}

func newMeters(reg prometheus.Registerer, h *Host) (*meters, error) {
	m := &meters{
		served: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wes_p2p_requests_served_total", Help: "Requests of peers, by protocol and result (answered, busy, refused, broken).",
		}, []string{"protocol", "result"}),
		gossip: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wes_p2p_gossip_total", Help: "Messages of peers, by topic and verdict (accepted, ignored, rejected).",
		}, []string{"topic", "verdict"}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{Name: "wes_p2p_dropped_total", Help: "Peers disconnected for what they did."}),
		banned:  prometheus.NewCounter(prometheus.CounterOpts{Name: "wes_p2p_banned_total", Help: "Peers banned."}),
	}
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	m.all = []prometheus.Collector{
		m.served, m.gossip, m.dropped, m.banned,
		gauge("wes_p2p_peers", "Peers that speak this network's protocol.", func() float64 { return float64(len(h.joined())) }),
		gauge("wes_p2p_connections", "Open connections.", func() float64 { return float64(len(h.host.Network().Conns())) }),
		gauge("wes_p2p_connections_inbound", "Open connections that others have opened.", func() float64 {
			n := 0
			for _, c := range h.host.Network().Conns() {
				if c.Stat().Direction == network.DirInbound {
					n++
				}
			}
			return float64(n)
		}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "wes_p2p_received_bytes_total", Help: "Bytes received on streams."},
			func() float64 { return float64(h.usage.GetBandwidthTotals().TotalIn) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "wes_p2p_sent_bytes_total", Help: "Bytes sent on streams."},
			func() float64 { return float64(h.usage.GetBandwidthTotals().TotalOut) }),
	}
	if reg == nil {
		return m, nil
	}
	for i, c := range m.all {
		if err := reg.Register(c); err != nil {
			for _, before := range m.all[:i] {
				reg.Unregister(before)
			}
			return nil, err
		}
	}
	return m, nil
}

func (m *meters) close(reg prometheus.Registerer) {
	if reg == nil {
		return
	}
	for _, c := range m.all {
		reg.Unregister(c)
	}
}
