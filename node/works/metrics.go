package works

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node/fleet"
	"github.com/weisyn/wes/node/trade"
)

// metricsSet belongs to one Works.
type metricsSet struct {
	stages  *prometheus.HistogramVec
	ratio   *prometheus.HistogramVec
	heap    *prometheus.GaugeVec
	devices *prometheus.GaugeVec
}

// counts are what gauges read.
type counts struct{ offered, refused, waiting int }

func newMetrics(r prometheus.Registerer, read func() counts) (*metricsSet, error) {
	m := &metricsSet{
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "wes_works_stage_seconds", Help: "Time of the stages of runs: execute, commit, lookup, contract, open of models; load, prove, verify of circuits.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 20),
		}, []string{"stage", "job_kind", "device_uuid", "model"}),
		ratio: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "wes_works_estimate_ratio", Help: "Time that runs took over the time that they were estimated to take.",
			Buckets: []float64{0.1, 0.25, 0.5, 0.75, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 5, 10},
		}, []string{"job_kind", "device_uuid", "model"}),
		heap: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "wes_works_heap_bytes", Help: "Heap of the worker after its last run, by device.",
		}, []string{"device_uuid"}),
		devices: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "wes_works_device_memory_bytes", Help: "Memory that a job may take on a device, for each that works for this operator.",
		}, []string{"device_uuid", "class"}),
	}
	if r == nil {
		return m, nil
	}
	gauge := func(name, help string, value func(counts) int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "wes_works_" + name, Help: help}, func() float64 { return float64(value(read())) })
	}
	var err error
	for _, c := range []prometheus.Collector{
		m.stages, m.ratio, m.heap, m.devices,
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

// ran counts a run that was estimated to take so many ms; 0: it was not. The label model has as many
// values as programs are offered, and stage as many as package prover has stages.
func (m *metricsSet) ran(p *trade.Program, device string, r *result, estimate uint64) {
	kind := kindName(p.Kind)
	for _, s := range r.Stages {
		m.stages.WithLabelValues(s.Name, kind, device, p.Content).Observe(float64(s.Took) / 1e6)
	}
	if estimate > 0 {
		m.ratio.WithLabelValues(kind, device, p.Content).Observe(float64(r.Took) / float64(estimate))
	}
	m.heap.WithLabelValues(device).Set(float64(r.Memory))
}

func (m *metricsSet) withdrawn(p *trade.Program) {
	m.stages.DeletePartialMatch(prometheus.Labels{"model": p.Content})
	m.ratio.DeletePartialMatch(prometheus.Labels{"model": p.Content})
}

// joined and left follow the devices.
func (m *metricsSet) joined(s *fleet.Slot) {
	m.devices.WithLabelValues(s.Device, s.Class).Set(float64(s.Memory))
}

func (m *metricsSet) left(device string) {
	m.devices.DeletePartialMatch(prometheus.Labels{"device_uuid": device})
	m.heap.DeleteLabelValues(device)
}

func kindName(k chain.JobKind) string {
	if k == chain.JobProve {
		return "prove"
	}
	return "infer"
}
