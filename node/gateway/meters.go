package gateway

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// meters are the metrics of a gateway.
type meters struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	bytes    *prometheus.CounterVec
	flying   *prometheus.GaugeVec
}

func newMeters(reg prometheus.Registerer) (*meters, error) {
	m := &meters{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wes_gateway_requests_total", Help: "Requests answered, by route and HTTP status; 499: the client was gone first.",
		}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "wes_gateway_request_seconds", Help: "Time from a request to the end of its answer, by route.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 10),
		}, []string{"route"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wes_gateway_bytes_total", Help: "Bytes of bodies as they travel, by direction (in, out).",
		}, []string{"direction"}),
		flying: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "wes_gateway_in_flight", Help: "Requests under way, by lane (call, inference, stream).",
		}, []string{"lane"}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.requests, m.seconds, m.bytes, m.flying} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// answered counts a request.
func (m *meters) answered(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(route).Observe(took.Seconds())
}
