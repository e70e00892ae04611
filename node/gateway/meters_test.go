package gateway

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// metric returns the value of a metric, or the count of a histogram; labels are "name=value".
func metric(t *testing.T, reg prometheus.Gatherer, name string, labels ...string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			n := 0
			for _, l := range m.GetLabel() {
				if slices.Contains(labels, l.GetName()+"="+l.GetValue()) {
					n++
				}
			}
			if f.GetName() == name && n == len(labels) {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return 0
}

func TestMetricsCountWhatIsServed(t *testing.T) {
	reg := prometheus.NewRegistry()
	s := serve(t, newFake(), func(c *Config) { c.Registry = reg })
	s.ask(t, "GET", "/v2", "")
	s.ask(t, "GET", "/v2/models/x", "")
	s.ask(t, "GET", "/nothing", "")
	s.ask(t, "POST", "/v1/jobs", "123")
	for range 4 {
		<-s.ended
	}
	for route, status := range map[string]string{
		"GET /v2": "200", "GET /v2/models/{model}": "404", "none": "404", "POST /v1/jobs": "400",
	} {
		if n := metric(t, reg, "wes_gateway_requests_total", "route="+route, "status="+status); n != 1 {
			t.Errorf("%s: %v with %s", route, n, status)
		}
		if n := metric(t, reg, "wes_gateway_request_seconds", "route="+route); n != 1 {
			t.Errorf("%s: %v times", route, n)
		}
	}
	if n := metric(t, reg, "wes_gateway_bytes_total", "direction=in"); n != 3 {
		t.Errorf("%v bytes in", n)
	}
	if n := metric(t, reg, "wes_gateway_bytes_total", "direction=out"); n < 100 {
		t.Errorf("%v bytes out", n)
	}
}

func TestClientsThatLeaveAreCounted(t *testing.T) {
	f := newFake()
	f.held = true
	reg := prometheus.NewRegistry()
	s := serve(t, f, func(c *Config) { c.Registry = reg })
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan error)
	go func() {
		_, err := s.client.Infer(ctx, &Request{Model: "echo", Inputs: []Tensor{ints("x", 1)}}, JSON)
		done <- err
	}()
	f.await(t, "job-1")
	if n := metric(t, reg, "wes_gateway_in_flight", "lane=inference"); n != 1 {
		t.Errorf("%v inferences under way", n)
	}
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	<-s.ended
	if n := metric(t, reg, "wes_gateway_requests_total", "route=POST /v2/models/{model}/infer", "status=499"); n != 1 {
		t.Errorf("%v are counted", n)
	}
	s.drained(t)
}
