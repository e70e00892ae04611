package trade

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
)

// metrics of the market. Labels take values of the program only, never of peers.
type metrics struct {
	jobs        *prometheus.CounterVec
	sales       *prometheus.CounterVec
	refusals    *prometheus.CounterVec
	asks        *prometheus.CounterVec
	awards      *prometheus.CounterVec
	settlements *prometheus.CounterVec
	verify      prometheus.Histogram
	prove       *prometheus.HistogramVec
	settle      *prometheus.HistogramVec
	earned      prometheus.Counter
	spent       prometheus.Counter
	open        *prometheus.GaugeVec
	codes       map[market.Code]bool // that are labels

	vouchers     *prometheus.CounterVec
	channels     *prometheus.GaugeVec
	channelUnits *prometheus.GaugeVec
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "wes", Subsystem: "market", Name: name, Help: help}, labels)
	}
	m := &metrics{
		jobs:        counter("jobs_total", "Jobs of this client that have ended, by kind, level, settlement and reason.", "job_kind", "level", "settlement", "reason"),
		sales:       counter("sales_total", "Jobs of this operator that have ended, by kind, level, settlement and reason.", "job_kind", "level", "settlement", "reason"),
		refusals:    counter("refusals_total", "Jobs of this client that ended without an operator, by reason.", "reason"),
		asks:        counter("asks_total", "Questions of clients, by kind and answer: bid, or why there is none.", "job_kind", "answer"),
		awards:      counter("awards_total", "Awards of clients to this operator, by kind and answer: signed, or why they are refused.", "job_kind", "answer"),
		settlements: counter("settlements_total", "Transactions of this node that spend escrows and claims, by exit and outcome.", "exit", "outcome"),
		verify: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "wes", Subsystem: "market", Name: "verify_seconds", Help: "Time to check a result that was delivered to this client.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 12),
		}),
		prove: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "wes", Subsystem: "market", Name: "run_seconds", Help: "Time of runs that gave a result, by kind and device.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 18),
		}, []string{"job_kind", "device_uuid"}),
		settle: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "wes", Subsystem: "market", Name: "settle_seconds", Help: "Time from a result of this operator until its settlement is final, by kind and level.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 14),
		}, []string{"job_kind", "level"}),
		codes: map[market.Code]bool{},
		earned: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "wes", Subsystem: "market", Name: "earned_units_total", Help: "Prices of sales that were paid, in base units.",
		}),
		spent: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "wes", Subsystem: "market", Name: "spent_units_total", Help: "Prices of jobs that were paid, in base units.",
		}),
		open: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "wes", Subsystem: "market", Name: "open_jobs", Help: "Jobs that have not ended, by role and execution.",
		}, []string{"role", "execution"}),
	}
	for _, c := range market.Codes() {
		m.codes[c.Code] = true
	}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "wes", Subsystem: "market", Name: name, Help: help}, []string{"role"})
	}
	m.vouchers = counter("vouchers_total", "Jobs that vouchers have paid, by role: given and acknowledged, or taken.", "role")
	m.channels = gauge("channels", "Payment channels whose money has not left for good, by role.")
	m.channelUnits = gauge("channel_units", "What vouchers of these channels have paid, in base units, by role.")
	if r == nil {
		return m, nil
	}
	var err error
	for _, c := range []prometheus.Collector{
		m.jobs, m.sales, m.refusals, m.asks, m.awards, m.settlements, m.verify, m.prove, m.settle, m.earned, m.spent, m.open,
		m.vouchers, m.channels, m.channelUnits,
	} {
		err = errors.Join(err, r.Register(c))
	}
	return m, err
}

func kindName(k chain.JobKind) string {
	if k == chain.JobInfer {
		return "infer"
	}
	return "prove"
}

func levelName(l chain.Level) string {
	if l == chain.LevelZK {
		return "zk"
	}
	return "optimistic"
}

// reason is a label for a code. Codes of peers may be anything.
func (m *metrics) reason(c market.Code) string {
	switch {
	case c == market.CodeOK:
		return "none"
	case m.codes[c]:
		return string(c)
	}
	return "other"
}

// answered counts what the operator says to a client.
func (m *metrics) answered(k chain.JobKind, r *market.Reply) {
	said := func(all []market.Refusal, otherwise string) string {
		if len(all) > 0 {
			return m.reason(all[0].Code)
		}
		return otherwise
	}
	switch {
	case r.Answer != nil:
		m.asks.WithLabelValues(kindName(k), said(r.Answer.Refusal, "bid")).Inc()
	case r.Countersigned != nil:
		m.awards.WithLabelValues(kindName(k), said(r.Countersigned.Refusal, "signed")).Inc()
	}
}

func (m *metrics) ran(s *market.Sale, r *Ran) {
	m.prove.WithLabelValues(kindName(s.Terms.Kind), r.Device).Observe(float64(r.Took) / 1000)
}

// count follows jobs that have changed.
func (d *Desk) count(side byte, changed []chain.Hash) {
	for _, id := range changed {
		var now status
		if side == buyerSide {
			p, ok := d.owned.buyer.Job(id)
			if !ok {
				continue // the record of standings
			}
			now = status{p.Ended(), p.Execution}
		} else {
			s, _ := d.owned.seller.Sale(id)
			now = status{s.Ended(), s.Execution}
		}
		if old := d.note(roleJob{side, id}, now); now.ended && !old.ended {
			d.countEnd(side, id)
		}
	}
}

// note keeps the status of a job and moves its gauge. It returns the status before.
func (d *Desk) note(j roleJob, now status) (old status) {
	role := roleClient
	if j.side == sellerSide {
		role = roleOperator
	}
	old, known := d.owned.status[j]
	if known && !old.ended {
		d.metrics.open.WithLabelValues(role, string(old.execution)).Dec()
	}
	if !now.ended {
		d.metrics.open.WithLabelValues(role, string(now.execution)).Inc()
	}
	d.owned.status[j] = now
	return old
}

// countEnd counts a job that has just ended.
func (d *Desk) countEnd(side byte, id chain.Hash) {
	if side == buyerSide {
		p, _ := d.owned.buyer.Job(id)
		d.metrics.jobs.WithLabelValues(kindName(p.Terms.Kind), levelName(p.Terms.Level), string(p.Settlement), d.metrics.reason(p.Code)).Inc()
		if len(p.Operator) == 0 {
			d.metrics.refusals.WithLabelValues(d.metrics.reason(p.Code)).Inc()
		}
		if p.Settlement == market.Paid {
			d.metrics.spent.Add(float64(p.Price()))
		}
		return
	}
	s, _ := d.owned.seller.Sale(id)
	kind, level := kindName(s.Terms.Kind), levelName(s.Terms.Level)
	d.metrics.sales.WithLabelValues(kind, level, string(s.Settlement), d.metrics.reason(s.Code)).Inc()
	if now := d.cfg.Clock(); s.Finished != 0 && now > s.Finished {
		d.metrics.settle.WithLabelValues(kind, level).Observe(float64(now-s.Finished) / 1000)
	}
	if s.Settlement == market.Paid {
		d.metrics.earned.Add(float64(s.Bid.Price))
	}
}

// Keys of log records.
const (
	keyJob     = "job"
	keyPeer    = "peer"
	keyError   = "error"
	keyChannel = "channel"
)
