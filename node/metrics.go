package node

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/consensus"
	"github.com/weisyn/wes/chain/mempool"
)

// Status is a summary of the ledger after some event.
type Status struct {
	Chain   consensus.Status
	Mempool mempool.Status
	Peers   int // that speak this network's protocol
}

// register adds collectors to a registry; without a registry they are of no use but harmless.
func register(r prometheus.Registerer, all ...prometheus.Collector) {
	if r != nil {
		r.MustRegister(all...)
	}
}

// gauge is a metric that is read from the status.
type gauge struct {
	name, help string
	value      func(*Status) float64
}

func gauges(read func() *Status, all []gauge) []prometheus.Collector {
	var made []prometheus.Collector
	for _, g := range all {
		made = append(made, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: g.name, Help: g.help},
			func() float64 { return g.value(read()) }))
	}
	return made
}

// ledgerMetrics belong to the ledger's goroutine.
type ledgerMetrics struct {
	connected, disconnected, reorganised prometheus.Counter
	event                                prometheus.Histogram
	asked                                *prometheus.CounterVec
	dropped                              *prometheus.CounterVec
	verdicts                             *prometheus.CounterVec
}

func newLedgerMetrics(r prometheus.Registerer, read func() *Status, queued func() int) *ledgerMetrics {
	m := &ledgerMetrics{
		connected:    counter("wes_chain_blocks_connected_total", "Blocks that were connected to the ledger."),
		disconnected: counter("wes_chain_blocks_disconnected_total", "Blocks that were undone."),
		reorganised:  counter("wes_chain_reorganisations_total", "Moves of the ledger that undid blocks."),
		event: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "wes_chain_event_seconds", Help: "Time the ledger's goroutine took for one event.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 4, 9),
		}),
		asked:    counters("wes_sync_requests_total", "Requests to peers, by kind and outcome.", "kind", "outcome"),
		dropped:  counters("wes_sync_peers_dropped_total", "Peers disconnected for what they did.", "banned"),
		verdicts: counters("wes_mempool_transactions_total", "Transactions that came, by origin and verdict.", "origin", "verdict"),
	}
	register(r, m.connected, m.disconnected, m.reorganised, m.event, m.asked, m.dropped, m.verdicts)
	register(r, gauges(read, statusGauges())...)
	register(r, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "wes_chain_events_queued", Help: "Events that wait for the ledger's goroutine.",
	}, func() float64 { return float64(queued()) }))
	return m
}

func statusGauges() []gauge {
	return []gauge{
		{"wes_chain_height", "Height of the ledger.", func(s *Status) float64 { return float64(s.Chain.Height) }},
		{"wes_chain_headers", "Height of the header of most work.", func(s *Status) float64 { return float64(s.Chain.Headers) }},
		{"wes_chain_work", "Work of the ledger's branch, in expected hashes.", func(s *Status) float64 {
			f, _ := s.Chain.Work.Big().Float64()
			return f
		}},
		{"wes_chain_tip_age_seconds", "Age of the tip by the local clock.", func(s *Status) float64 {
			return time.Since(time.UnixMilli(int64(s.Chain.Time))).Seconds()
		}},
		{"wes_sync_initial", "1 while the first sync lasts.", func(s *Status) float64 { return flag01(s.Chain.Initial) }},
		{"wes_sync_blocks_wanted", "Blocks of which something is to be fetched.", func(s *Status) float64 { return float64(s.Chain.Wanted) }},
		{"wes_sync_headers_held", "Peers whose headers are ahead of the local clock.", func(s *Status) float64 { return float64(s.Chain.Held) }},
		{"wes_sync_peers", "Peers that speak this network's protocol.", func(s *Status) float64 { return float64(s.Peers) }},
		{"wes_mempool_transactions", "Transactions that wait for a block.", func(s *Status) float64 { return float64(s.Mempool.Transactions) }},
		{"wes_mempool_bytes", "Bytes of the transactions that wait for a block, with attachments.", func(s *Status) float64 { return float64(s.Mempool.Bytes) }},
		{"wes_mempool_orphans", "Transactions that wait for what they spend.", func(s *Status) float64 { return float64(s.Mempool.Orphans) }},
		{"wes_mempool_floor_units", "Least fee rate taken, in base units of WES for 1,000 units of weight.", func(s *Status) float64 { return float64(s.Mempool.Floor) }},
	}
}

func registerMiner(r prometheus.Registerer, m *miner) {
	register(r,
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "wes_miner_hashes_total", Help: "Hashes tried; its rate is the hash rate."},
			func() float64 { return float64(m.tried.Load()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "wes_miner_blocks_total", Help: "Blocks made here and connected."},
			func() float64 { return float64(m.made.Load()) }))
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func flag01(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// registerInfo shows what runs.
func registerInfo(r prometheus.Registerer, version string, n *Network) {
	register(r, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "wes_node_info", Help: "1; its labels say what runs.",
		ConstLabels: prometheus.Labels{"version": version, "network": n.Name, "chain": n.Chain().String()},
	}, func() float64 { return 1 }))
}

// registerHealth shows whether the node is of use.
func registerHealth(r prometheus.Registerer, h *health) {
	register(r, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "wes_node_ready", Help: "1 while the node is ready; /readyz says the same.",
	}, func() float64 { return flag01(len(h.reasons()) == 0) }))
	for _, word := range []string{causeDisk, causePeers, causeSync, causeSilence} {
		register(r, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "wes_node_unready", Help: "1 while the node is not ready for a cause: the disk takes no writes, no peers, behind the headers, or no header for too long.",
			ConstLabels: prometheus.Labels{"cause": word},
		}, func() float64 { return flag01(h.holds(word)) }))
	}
}

// timedVerifier measures the verification of proofs.
type timedVerifier struct {
	chain.ProofVerifier
	took *prometheus.HistogramVec
}

var _ chain.ProofVerifier = (*timedVerifier)(nil)

func newTimedVerifier(v chain.ProofVerifier, r prometheus.Registerer) *timedVerifier {
	t := &timedVerifier{v, prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "wes_proofs_verify_seconds", Help: "Time to verify a proof of a transaction or delivery; those remembered as valid take none.",
		Buckets: prometheus.ExponentialBuckets(0.001, 2, 12),
	}, []string{"job_kind", "verdict"})}
	register(r, t.took)
	return t
}

// Verify implements chain.ProofVerifier.
func (t *timedVerifier) Verify(c *chain.Claim, e *chain.Evidence) (bool, error) {
	began := time.Now()
	ok, err := t.ProofVerifier.Verify(c, e)
	verdict := "valid"
	switch {
	case err != nil:
		verdict = "fault"
	case !ok:
		verdict = "invalid"
	}
	t.took.WithLabelValues(jobKindName(c.Kind), verdict).Observe(time.Since(began).Seconds())
	return ok, err
}
