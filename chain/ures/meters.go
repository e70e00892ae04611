package ures

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
)

// meters are the metrics of a store.
type meters struct {
	all      []prometheus.Collector
	replicas *prometheus.CounterVec
}

func newMeters(reg prometheus.Registerer, s *Store) (*meters, error) {
	m := &meters{replicas: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "wes_ures_replica_wishes_total", Help: "Wishes of peers to keep a resource, by reply.",
	}, []string{"reply"})}
	m.all = []prometheus.Collector{
		m.replicas,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "wes_ures_bytes", Help: "Bytes of all resources and replicas that are kept."}, func() float64 {
			n, err := s.Used(context.Background())
			if err != nil {
				return -1
			}
			return float64(n)
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "wes_ures_pins", Help: "Resources that are kept."}, func() float64 { return float64(len(s.List())) }),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range m.all {
		if err := reg.Register(c); err != nil {
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
