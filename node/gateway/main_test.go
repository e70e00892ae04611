package gateway

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site is a gateway behind a server.
type site struct {
	*Gateway
	url    string
	client *Client
	ended  chan struct{} // one for every request that has ended
}

// serve starts a gateway on loopback. What its client gets is held against the OpenAPI document.
func serve(t testing.TB, f Market, change func(*Config)) *site {
	t.Helper()
	router, err := described()
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Market: f, Version: "test"}
	if change != nil {
		change(&c)
	}
	g, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{Gateway: g, ended: make(chan struct{}, 4096)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.Handler().ServeHTTP(w, r)
		s.ended <- struct{}{}
	}))
	transport := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	s.url, s.client = server.URL, NewClient(server.URL, "")
	s.client.http.Transport = &checking{t: t, next: transport, router: router}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		transport.CloseIdleConnections()
		server.Close()
	})
	return s
}

// described finds the operation of a request in the OpenAPI document.
var described = sync.OnceValues(func() (routers.Router, error) {
	about, err := OpenAPI()
	if err != nil {
		return nil, err
	}
	raw, err := about.MarshalJSON()
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		return nil, err
	}
	return legacy.NewRouter(doc)
})

// checking holds every answer but streams against the OpenAPI document.
type checking struct {
	t      testing.TB
	next   http.RoundTripper
	router routers.Router
}

func (c *checking) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(r)
	if err != nil || strings.HasPrefix(resp.Header.Get("Content-Type"), mediaEvents) || resp.Header.Get("Content-Encoding") != "" {
		return resp, err
	}
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(raw))
	route, values, err := c.router.FindRoute(r)
	if err != nil {
		if resp.StatusCode != http.StatusNotFound && resp.StatusCode != http.StatusMethodNotAllowed {
			c.t.Errorf("%s %s: %v, but it is answered with %d", r.Method, r.URL, err, resp.StatusCode)
		}
		return resp, nil
	}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: values, Route: route},
		Status:                 resp.StatusCode, Header: resp.Header, Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	if err := openapi3filter.ValidateResponse(r.Context(), in.SetBodyBytes(raw)); err != nil {
		c.t.Errorf("%s %s: %d %s: %v", r.Method, r.URL, resp.StatusCode, raw, err)
	}
	return resp, nil
}

// answered is an answer with its body.
type answered struct {
	status int
	header http.Header
	body   string
}

// ask sends a request. Headers are "Name: value".
func (s *site) ask(t testing.TB, method, path, body string, headers ...string) answered {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	resp, err := s.client.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answered{resp.StatusCode, resp.Header, string(raw)}
}

func (a answered) String() string {
	return fmt.Sprintf("%d %s %.300s", a.status, a.header.Get(headerReason), a.body)
}
