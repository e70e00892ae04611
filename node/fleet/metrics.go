package fleet

import "github.com/prometheus/client_golang/prometheus"

// maxReasons bounds the reasons that are counted apart: executors choose them.
const maxReasons = 64

// queueMetrics belong to one queue. Only its collecting goroutine calls answered.
type queueMetrics struct {
	outcomes     *prometheus.CounterVec
	redeliveries prometheus.Counter
	ignored      *prometheus.CounterVec
	reasons      map[string]bool
}

// sizes are what gauges read.
type sizes struct{ waiting, answered, workers, slots int }

// newMetrics registers, unless r is nil.
func newMetrics(r prometheus.Registerer, read func() sizes) (*queueMetrics, error) {
	counters := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "wes_fleet_" + name, Help: help}, []string{label})
	}
	m := &queueMetrics{
		outcomes: counters("outcomes_total", "Tasks that were answered, by reason; ok: with a result.", "reason"),
		redeliveries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "wes_fleet_redeliveries_total", Help: "Attempts after the first, of tasks that were answered.",
		}),
		ignored: counters("ignored_total", "Messages that were dropped: not canonical, of unknown tasks, or second outcomes.", "message"),
		reasons: map[string]bool{},
	}
	gauge := func(name, help string, value func(sizes) int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "wes_fleet_" + name, Help: help}, func() float64 { return float64(value(read())) })
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{
		m.outcomes, m.redeliveries, m.ignored,
		gauge("tasks", "Tasks that wait or run.", func(s sizes) int { return s.waiting }),
		gauge("outcomes", "Outcomes that were not done with.", func(s sizes) int { return s.answered }),
		gauge("workers", "Workers that show signs of life.", func(s sizes) int { return s.workers }),
		gauge("slots", "Slots of the workers that show signs of life.", func(s sizes) int { return s.slots }),
	} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *queueMetrics) answered(o *Outcome) {
	reason := o.Reason
	if reason == "" {
		reason = "ok"
	}
	if len(m.reasons) >= maxReasons && !m.reasons[reason] {
		reason = "other"
	}
	m.reasons[reason] = true
	m.outcomes.WithLabelValues(reason).Inc()
	m.redeliveries.Add(float64(max(0, o.Attempts-1)))
}
