package works

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weisyn/wes/node/trade"
)

// metricsSet belongs to one Works.
type metricsSet struct {
	stages *prometheus.HistogramVec
	memory *prometheus.GaugeVec
}

// counts are what gauges read.
type counts struct{ offered, refused, waiting int }

func newMetrics(r prometheus.Registerer, read func() counts) (*metricsSet, error) {
	m := &metricsSet{
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "wes_works_stage_seconds", Help: "Time of the stages of runs: execute, commit, lookup, contract, open of models; load, prove, verify of circuits.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 20),
		}, []string{"stage", "device_uuid", "model"}),
		memory: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "wes_works_heap_bytes", Help: "Heap of the worker after its last run, by device.",
		}, []string{"device_uuid"}),
	}
	if r == nil {
		return m, nil
	}
	gauge := func(name, help string, value func(counts) int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "wes_works_" + name, Help: help}, func() float64 { return float64(value(read())) })
	}
	var err error
	for _, c := range []prometheus.Collector{
		m.stages, m.memory,
		gauge("programs_offered", "Programs that are offered.", func(c counts) int { return c.offered }),
		gauge("programs_refused", "Programs that were looked at and are not offered.", func(c counts) int { return c.refused }),
		gauge("runs_waiting", "Runs that were given to the queue and have not ended.", func(c counts) int { return c.waiting }),
	} {
		err = errors.Join(err, r.Register(c))
	}
	return m, err
}

func (w *Works) counts() (c counts) {
	w.mu.Lock()
	for _, p := range w.mu.programs {
		if p.offered() {
			c.offered++
		} else if p.why != "" {
			c.refused++
		}
	}
	w.mu.Unlock()
	w.runs.mu.Lock()
	defer w.runs.mu.Unlock()
	c.waiting = len(w.runs.waiting)
	return c
}

// ran counts a run. The label model has as many values as programs are offered.
func (m *metricsSet) ran(p *trade.Program, device string, r *result) {
	for _, s := range r.Stages {
		m.stages.WithLabelValues(s.Name, device, p.Content).Observe(float64(s.Took) / 1e6)
	}
	m.memory.WithLabelValues(device).Set(float64(r.Memory))
}

func (m *metricsSet) withdrawn(p *trade.Program) {
	m.stages.DeletePartialMatch(prometheus.Labels{"model": p.Content})
}
