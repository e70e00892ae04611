package gateway

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
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
	reg := prometheus.NewRegistry()
	s := serve(t, newFake(), func(c *Config) { c.Stall, c.Registry = 20*time.Millisecond, reg })
	c := dial(t, s, "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
	raw, err := io.ReadAll(c)
	if err != nil || !strings.HasPrefix(string(raw), "HTTP/1.1 408 ") {
		t.Errorf("%s, %v", raw, err)
	}
	<-s.ended
	if n := metric(t, reg, "wes_gateway_requests_total", "route=POST /v1/jobs", "status=408"); n != 1 {
		t.Errorf("%v are counted", n)
	}
	s.drained(t)
}

func TestLengthAboveTheBoundIsRefusedBeforeTheBodyComes(t *testing.T) {
	s := serve(t, newFake(), func(c *Config) { c.Stall = time.Hour })
	c := dial(t, s, "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n")
	head := make([]byte, len("HTTP/1.1 413 "))
	if _, err := io.ReadFull(c, head); err != nil || string(head) != "HTTP/1.1 413 " {
		t.Errorf("%s, %v", head, err)
	}
}

// TestTensorsAreBoundedTogether: those of the example have 16 and 3 bytes.
func TestTensorsAreBoundedTogether(t *testing.T) {
	m, err := newFake().Model(t.Context(), "mymodel")
	if err != nil {
		t.Fatal(err)
	}
	job, err := json.Marshal(Request{Model: "mymodel", Inputs: []Tensor{ints("input0", 1, 2, 3, 4), {"input1", "BOOL", []int64{3}, []byte{0, 1, 0}}}})
	if err != nil {
		t.Fatal(err)
	}
	for max, fine := range map[int64]bool{19: true, 18: false} {
		_, asJSON := decodeInference([]byte(exampleJSON), "", m, max)
		_, asBinary := decodeInference([]byte(exampleBinary+exampleData), strconv.Itoa(len(exampleBinary)), m, max)
		_, asJob := decodeJob(job, max)
		for name, p := range map[string]*Problem{"JSON": asJSON, "binary": asBinary, "job": asJob} {
			if (p == nil) != fine || p != nil && p.Status != http.StatusRequestEntityTooLarge {
				t.Errorf("%s, %d: %v", name, max, p)
			}
		}
	}
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
