package p2p

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/metrics"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/prometheus/client_golang/prometheus"
)

// hostMetrics belong to one host.
type hostMetrics struct {
	peers              prometheus.Gauge
	requests, messages *prometheus.CounterVec
	took               *prometheus.HistogramVec
	cut                prometheus.Counter
	offences           *prometheus.CounterVec
	bans               prometheus.Counter
	dials              *prometheus.CounterVec
	traffic            traffic
}

// newMetrics registers, unless r is nil.
func newMetrics(r prometheus.Registerer, reserved func() float64, connections func(network.Direction) float64) (*hostMetrics, error) {
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "wes_p2p_" + name, Help: help}, labels)
	}
	m := &hostMetrics{
		peers:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "wes_p2p_peers", Help: "Peers that have joined."}),
		requests: counters("requests_total", "Requests, by side, protocol and outcome.", "side", "protocol", "outcome"),
		messages: counters("messages_total", "Gossiped messages that were validated, by topic and verdict.", "topic", "verdict"),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "wes_p2p_request_seconds", Help: "Time of requests that were answered.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 9),
		}, []string{"side", "protocol"}),
		cut:      prometheus.NewCounter(prometheus.CounterOpts{Name: "wes_p2p_messages_cut_total", Help: "Gossiped messages dropped because a peer sent too many."}),
		offences: counters("offences_total", "What peers did wrong.", "offence"),
		bans:     prometheus.NewCounter(prometheus.CounterOpts{Name: "wes_p2p_bans_total", Help: "Peers that were banned."}),
		dials:    counters("dials_total", "Dials, by outcome.", "outcome"),
	}
	all := []prometheus.Collector{m.peers, m.requests, m.messages, m.took, m.cut, m.offences, m.bans, m.dials}
	all = append(all, m.traffic.collectors()...)
	gauge := func(name, help string, labels prometheus.Labels, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "wes_p2p_" + name, Help: help, ConstLabels: labels}, value)
	}
	all = append(all, gauge("memory_bytes", "Memory that the resource manager counts.", nil, reserved))
	for label, d := range map[string]network.Direction{"in": network.DirInbound, "out": network.DirOutbound} {
		all = append(all, gauge("connections", "Connections, by who has dialled.", prometheus.Labels{"direction": label}, func() float64 { return connections(d) }))
	}
	if r == nil {
		return m, nil
	}
	for _, c := range all {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *hostMetrics) request(side, protocol string, err error, took time.Duration) {
	m.requests.WithLabelValues(side, protocol, outcome(err)).Inc()
	if err == nil {
		m.took.WithLabelValues(side, protocol).Observe(took.Seconds())
	}
}

func outcome(err error) string {
	if err == nil {
		return "answered"
	}
	for _, o := range []struct {
		of   error
		name string
	}{
		{ErrNotFound, "not found"}, {ErrBusy, "busy"}, {ErrRefused, "refused"}, {ErrTimeout, "too slow"}, {ErrTooLarge, "too large"},
	} {
		if errors.Is(err, o.of) {
			return o.name
		}
	}
	return "lost"
}

// traffic counts bytes of streams. The counters by peer and protocol that its interface provides
// for stay empty: they would grow with the number of peers met.
type traffic struct{ in, out atomic.Int64 }

var _ metrics.Reporter = (*traffic)(nil)

func (t *traffic) collectors() []prometheus.Collector {
	counter := func(direction string, n *atomic.Int64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "wes_p2p_bytes_total", Help: "Bytes of streams.", ConstLabels: prometheus.Labels{"direction": direction},
		}, func() float64 { return float64(n.Load()) })
	}
	return []prometheus.Collector{counter("in", &t.in), counter("out", &t.out)}
}

func (t *traffic) LogSentMessage(n int64)                                   { t.out.Add(n) }
func (t *traffic) LogRecvMessage(n int64)                                   { t.in.Add(n) }
func (t *traffic) LogSentMessageStream(int64, protocol.ID, peer.ID)         {}
func (t *traffic) LogRecvMessageStream(int64, protocol.ID, peer.ID)         {}
func (t *traffic) GetBandwidthForPeer(peer.ID) (none metrics.Stats)         { return none }
func (t *traffic) GetBandwidthForProtocol(protocol.ID) (none metrics.Stats) { return none }
func (t *traffic) GetBandwidthByPeer() map[peer.ID]metrics.Stats            { return nil }
func (t *traffic) GetBandwidthByProtocol() map[protocol.ID]metrics.Stats    { return nil }
func (t *traffic) Reset()                                                   {}
func (t *traffic) TrimIdle(time.Time)                                       {}
func (t *traffic) GetBandwidthTotals() metrics.Stats {
	return metrics.Stats{TotalIn: t.in.Load(), TotalOut: t.out.Load()}
}
