package gateway

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestConfigurationsThatCannotWorkAreRefused(t *testing.T) {
	for name, c := range map[string]Config{
		"no market": {}, "slots": {Market: newFake(), Concurrent: -1}, "time": {Market: newFake(), Wait: -1},
		"memory": {Market: newFake(), MaxBody: 1 << 20, Memory: 1 << 20},
	} {
		if _, err := Open(c); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	reg := prometheus.NewRegistry()
	g, err := Open(Config{Market: newFake(), Registry: reg})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.Close() }()
	if _, err := Open(Config{Market: newFake(), Registry: reg}); err == nil {
		t.Error("metrics are there twice")
	}
}

func TestManyClientsGetTheirOwnOutputs(t *testing.T) {
	f := newFake()
	s := serve(t, f, func(c *Config) { c.Concurrent = 256 })
	var all sync.WaitGroup
	for i := range int32(64) {
		all.Go(func() {
			for k := range int32(8) {
				in := ints("x", i, k)
				x, err := s.client.Infer(t.Context(), &Request{Model: "echo", Inputs: []Tensor{in}}, Encoding(k%2))
				if err != nil || !bytes.Equal(x.Outputs[0].Data, in.Data) {
					t.Errorf("client %d: %+v, %v", i, x, err)
				}
			}
		})
	}
	all.Wait()
	if len(f.mu.requests) != 64*8 {
		t.Errorf("%d jobs", len(f.mu.requests))
	}
	s.drained(t)
}

// drained checks that nothing is held after all requests have ended.
func (s *site) drained(t *testing.T) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if left := s.budget.left.Load(); left != s.cfg.Memory {
		t.Errorf("%d bytes are still taken", s.cfg.Memory-left)
	}
	for l, c := range s.lanes {
		if len(c) > 0 {
			t.Errorf("%d slots of lane %s are still taken", len(c), l)
		}
	}
}

func TestBodiesAreBounded(t *testing.T) {
	bomb := func() string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		zero := make([]byte, 1<<20)
		var err error
		for range 16 {
			if _, err = w.Write(zero); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}()
	f := newFake()
	s := serve(t, f, func(c *Config) { c.MaxBody, c.Memory = 1<<20, 16<<20 })
	for _, path := range []string{"/v2/models/echo/infer", "/v1/jobs", "/v2/repository/index"} {
		if a := s.ask(t, "POST", path, strings.Repeat(" ", 1<<20+1)); a.status != 413 {
			t.Errorf("%s: %s", path, a)
		}
		if a := s.ask(t, "POST", path, bomb, "Content-Encoding: gzip"); a.status != 413 || a.header.Get(headerReason) != ReasonTooLarge {
			t.Errorf("%s, bomb: %s", path, a)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.url+"/v1/jobs", io.MultiReader(strings.NewReader(strings.Repeat(" ", 2<<20))))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.client.http.Do(r) // in chunks, its length is not known
	if err != nil || resp.StatusCode != 413 {
		t.Fatal(resp, err)
	}
	_ = resp.Body.Close()
	s.drained(t)
}

func TestWhatIsTooMuchAtOnceIsRefusedForNow(t *testing.T) {
	busy := func(name string, err error) {
		t.Helper()
		var p *Problem
		if !errors.As(err, &p) || p.Status != http.StatusTooManyRequests || p.Reason != ReasonBusy || p.RetryAfter != time.Second {
			t.Errorf("%s: %v", name, err)
		}
	}
	f := newFake()
	f.held, f.entered = true, make(chan struct{})
	s := serve(t, f, func(c *Config) { c.Concurrent, c.Inferences, c.Streams = 1, 1, 1 })
	r := &Request{Model: "echo", Inputs: []Tensor{ints("x", 1)}}
	var all sync.WaitGroup
	all.Go(func() { _, _ = s.client.Models(t.Context()) })
	<-f.entered
	busy("calls", second(s.client.Model(t.Context(), "echo")))
	busy("submissions", second(s.client.Submit(t.Context(), r)))
	<-f.entered
	all.Wait()

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	all.Go(func() { _, _ = s.client.Infer(ctx, r, JSON) })
	f.await(t, "job-1")
	busy("inferences", second(s.client.Infer(t.Context(), r, JSON)))
	if len(f.mu.requests) != 1 {
		t.Error("the job was submitted")
	}

	resp := openStream(t, s, "")
	for _, err := range s.client.Watch(t.Context(), "job-1") {
		busy("streams", err)
	}
	_ = resp.Body.Close()
	stop()
	all.Wait()
	s.drained(t)
}

func TestMemoryForBodiesIsBounded(t *testing.T) {
	s := serve(t, newFake(), func(c *Config) { c.MaxBody, c.Memory = 1<<20, 9<<20 })
	h := &held{from: &s.budget}
	if !h.take(8 << 20) {
		t.Fatal("no memory")
	}
	body := `{"inputs":[{"name":"x","datatype":"INT32","shape":[1],"data":[1` + strings.Repeat(" ", 1<<19) + `]}]}`
	if a := s.ask(t, "POST", "/v2/models/echo/infer", body); a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") != "1" {
		t.Error(a)
	}
	h.release()
	if a := s.ask(t, "POST", "/v2/models/echo/infer", body); a.status != http.StatusOK {
		t.Error(a)
	}
	large := ints("x", make([]int32, 1<<17)...)
	if _, err := s.client.Infer(t.Context(), &Request{Model: "echo", Inputs: []Tensor{large}}, Binary); err != nil {
		t.Fatal(err)
	}
	h.take(6 << 20)
	var p *Problem
	if _, err := s.client.Job(t.Context(), "job-2"); !errors.As(err, &p) || p.Reason != ReasonBusy {
		t.Error(err)
	}
	h.release()
	if _, err := s.client.Job(t.Context(), "job-2"); err != nil {
		t.Error(err)
	}
	s.drained(t)
}

// dial opens a connection and sends something.
func dial(t *testing.T, s *site, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSlowSendersAreCutOff(t *testing.T) {
	s := serve(t, newFake(), func(c *Config) { c.Stall = 20 * time.Millisecond })
	c := dial(t, s, "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
	raw, err := io.ReadAll(c)
	if err != nil || !strings.HasPrefix(string(raw), "HTTP/1.1 408 ") {
		t.Errorf("%s, %v", raw, err)
	}
	s.drained(t)
}

func TestSlowReadersAreCutOff(t *testing.T) {
	f := newFake()
	s := serve(t, f, func(c *Config) { c.Stall, c.MaxBody, c.Memory = 20*time.Millisecond, 64<<20, 1<<30 })
	if _, err := f.Submit(t.Context(), &Request{Inputs: []Tensor{ints("x", make([]int32, 4<<20)...)}}); err != nil {
		t.Fatal(err)
	}
	dial(t, s, "GET /v1/jobs/job-1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
	<-s.ended // it would not, if it waited for the reader
	s.drained(t)
}

func TestCloseEndsWhatWaits(t *testing.T) {
	f, s := submitHeld(t, nil)
	var all sync.WaitGroup
	all.Go(func() {
		_, err := s.client.Infer(t.Context(), &Request{Model: "echo", Inputs: []Tensor{ints("x", 1)}}, JSON)
		var p *Problem
		if !errors.As(err, &p) || p.Status != 503 || p.Reason != ReasonClosing || p.Job != "job-2" {
			t.Error(err)
		}
	})
	f.await(t, "job-2")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	all.Wait()
	if a := s.ask(t, "GET", "/v2/health/live", ""); a.status != 503 || a.header.Get(headerReason) != ReasonClosing {
		t.Error(a)
	}
}

func TestCloseEndsCalls(t *testing.T) {
	f := newFake()
	f.entered = make(chan struct{})
	s := serve(t, f, nil)
	var all sync.WaitGroup
	all.Go(func() {
		var p *Problem
		if _, err := s.client.Models(t.Context()); !errors.As(err, &p) || p.Reason != ReasonClosing {
			t.Error(err)
		}
	})
	<-f.entered
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	all.Wait()
}

func TestCallsEndAfterTheirTime(t *testing.T) {
	f := newFake()
	f.entered = make(chan struct{})
	s := serve(t, f, func(c *Config) { c.Timeout = time.Millisecond })
	var p *Problem
	if _, err := s.client.Models(t.Context()); !errors.As(err, &p) || p.Status != http.StatusGatewayTimeout || p.Reason != ReasonTimeout {
		t.Error(err)
	}
}

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

func TestClientTellsWhatIsNoNode(t *testing.T) {
	for name, x := range map[string]struct {
		body   string
		status int
		reason string // of a Problem; empty: ErrAnswer
	}{
		"page": {"<html>", 200, ""}, "token": {"the token is wrong", 401, ReasonToken}, "proxy": {"<html>", 502, ReasonOther},
		"nothing": {"", 500, ReasonOther},
	} {
		server := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(x.status)
			_, _ = io.WriteString(w, x.body)
		})}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() { done <- server.Serve(l) }()
		c := NewClient("http://"+l.Addr().String()+"/", "secret")
		_, err = c.Models(t.Context())
		var p *Problem
		if x.reason == "" && !errors.Is(err, ErrAnswer) || x.reason != "" && (!errors.As(err, &p) || p.Reason != x.reason || p.Text == "") {
			t.Errorf("%s: %v", name, err)
		}
		_ = server.Close()
		<-done
		if _, err := c.Models(t.Context()); !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

func TestAnswersThatAreWrongAreRefusedByTheClient(t *testing.T) {
	good := `{"model_name":"m","outputs":[{"name":"y","datatype":"INT8","shape":[2],"parameters":{"binary_data_size":2}}]}`
	if x, err := decodeAnswer([]byte(good+"\x01\x02"), fmt.Sprint(len(good))); err != nil || x.Outputs[0].Data[1] != 2 {
		t.Fatal(x, err)
	}
	for name, x := range map[string]struct{ body, length string }{
		"length": {good, "1000"}, "rest": {good + "123", fmt.Sprint(len(good))}, "short": {good + "1", fmt.Sprint(len(good))},
		"shape": {strings.Replace(good, "[2]", "[3]", 1) + "12", fmt.Sprint(len(good))}, "JSON": {"x", ""},
		"no data": {`{"outputs":[{"name":"y","datatype":"INT8","shape":[2]}]}`, ""},
		"huge":    {`{"outputs":[{"name":"y","datatype":"INT8","shape":[99999999999],"data":[1]}]}`, ""},
	} {
		if _, err := decodeAnswer([]byte(x.body), x.length); !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzInference(f *testing.F) {
	f.Add([]byte(exampleJSON), "")
	f.Add([]byte(exampleBinary+exampleData), fmt.Sprint(len(exampleBinary)))
	f.Add([]byte(exampleData), "0")
	f.Add([]byte(`{"inputs":[{"name":"x","datatype":"INT32","shape":[1],"data":[[1]]}],"parameters":{"max_price":"7","deadline_ms":5}}`), "")
	f.Fuzz(func(t *testing.T, body []byte, length string) {
		for _, m := range testModels() {
			const max = 1 << 16
			x, p := decodeInference(body, length, &m, max)
			if p != nil {
				if p.Status/100 != 4 || p.Text == "" {
					t.Fatalf("%+v", p)
				}
				continue
			}
			total := 0
			for i := range x.request.Inputs {
				in := &x.request.Inputs[i]
				total += len(in.Data)
				if p := in.check(max); p != nil {
					t.Fatal(p)
				}
			}
			if total > max {
				t.Fatalf("%d bytes", total)
			}
			again, head, err := encodeInference(&x.request, Binary)
			if err != nil {
				t.Fatal(err)
			}
			y, p := decodeInference(again, fmt.Sprint(head), &m, max)
			if p != nil || fmt.Sprint(y.request) != fmt.Sprint(x.request) {
				t.Fatalf("%+v\n%+v\n%v", x.request, y, p)
			}
		}
	})
}

func FuzzJob(f *testing.F) {
	f.Add([]byte(`{"model":"echo","inputs":[{"name":"x","datatype":"INT32","shape":[1],"data":"AQAAAA=="}]}`))
	f.Add([]byte(`{"model":"circuit","kind":"prove","witness":"AA==","verification":"replicated:2","max_price":"1","deadline_ms":1}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, p := decodeJob(body, 1<<16)
		if p != nil {
			return
		}
		for _, m := range testModels() {
			if r.checkAgainst(&m) == nil && r.Kind == KindInfer {
				for i := range r.Inputs {
					if p := r.Inputs[i].check(1 << 16); p != nil {
						t.Fatal(p)
					}
				}
			}
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"model_name":"m",`+answerParameters+","+answerJSON), "")
	f.Add([]byte(`{"model_name":"m",`+answerParameters+","+answerBinaryJSON+exampleOutput), "")
	f.Add(binary.LittleEndian.AppendUint32(nil, 1), "0")
	f.Fuzz(func(t *testing.T, body []byte, length string) {
		x, err := decodeAnswer(body, length)
		if err != nil {
			return
		}
		for i := range x.Outputs {
			if p := x.Outputs[i].check(maxAnswer); p != nil {
				t.Fatal(p)
			}
		}
	})
}

func FuzzEvents(f *testing.F) {
	f.Add("retry: 3000\n\nid: 1\nevent: job\ndata: {}\n\n:\n\nevent: end\ndata: {}\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		var last error
		for e, err := range readEvents(strings.NewReader(text)) {
			if last != nil || err == nil && len(e.data) == 0 {
				t.Fatal(e, last)
			}
			last = err
		}
		if last == nil {
			t.Fatal("no end")
		}
	})
}
