package api

import (
	"errors"
	"fmt"

	"github.com/creachadair/jrpc2"
	"github.com/prometheus/client_golang/prometheus"
)

// meters are the metrics of a server.
type meters struct {
	calls     *prometheus.CounterVec
	limited   *prometheus.CounterVec
	sockets   prometheus.Gauge
	transfers *prometheus.CounterVec
}

func newMeters(reg prometheus.Registerer) (*meters, error) {
	m := &meters{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wes_api_calls_total", Help: "Calls of JSON-RPC methods, by method and code (0 for success).",
		}, []string{"method", "code"}),
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wes_api_refused_total", Help: "HTTP requests refused, by reason (token, origin, size, busy).",
		}, []string{"reason"}),
		sockets: prometheus.NewGauge(prometheus.GaugeOpts{Name: "wes_api_sockets", Help: "Open WebSockets."}),
		transfers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wes_api_transfers_total", Help: "Uploads and downloads of resources, by direction and HTTP status.",
		}, []string{"direction", "status"}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.calls, m.limited, m.sockets, m.transfers} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *meters) called(method string, err error) {
	code := 0
	var e *jrpc2.Error
	if errors.As(err, &e) {
		code = int(e.Code)
	}
	m.calls.WithLabelValues(method, fmt.Sprint(code)).Inc()
}
