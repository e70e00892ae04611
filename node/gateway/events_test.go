package gateway

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// openStream opens a stream of events.
func openStream(t *testing.T, s *site, last string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/v1/jobs/job-1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Last-Event-ID", last)
	resp, err := s.client.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func submitHeld(t *testing.T, change func(*Config)) (*fake, *site) {
	t.Helper()
	f := newFake()
	f.held = true
	s := serve(t, f, change)
	if _, err := s.client.Submit(t.Context(), &Request{Model: "echo", Inputs: []Tensor{ints("x", 3)}}); err != nil {
		t.Fatal(err)
	}
	<-s.ended
	return f, s
}

func TestEventsAreThoseOfTheStandardByteForByte(t *testing.T) {
	for last, first := range map[string]int{"": 1, "41": 42, "-1": 1, "other": 1, strings.Repeat("9", 40): 1} {
		f, s := submitHeld(t, nil)
		f.change("job-1", func(j *Job) { j.Ended = true })
		a := s.ask(t, "GET", "/v1/jobs/job-1/events", "", "Last-Event-ID: "+last)
		job := `{"id":"job-1","kind":"infer","level":"zk","model":"bafyecho","model_cid":"bafyecho","assignment":"announced","execution":"idle",` +
			`"settlement":"unfunded","ended":true,"done":0,"total":0,"proof_status":"pending","price":"7","operator":"op","times":{"submitted":1}}`
		want := fmt.Sprintf("retry: 3000\n\nid: %d\nevent: job\ndata: %s\n\nid: %d\nevent: end\ndata: {}\n\n", first, job, first+1)
		if a.status != 200 || a.body != want || a.header.Get("Content-Type") != mediaEvents || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%q: %s\n%s\nwant %s", last, a.header, a.body, want)
		}
	}
}

func TestStreamsShowSignsOfLife(t *testing.T) {
	_, s := submitHeld(t, func(c *Config) { c.Heartbeat = time.Millisecond })
	resp := openStream(t, s, "")
	var all strings.Builder
	for buffer := make([]byte, 100); strings.Count(all.String(), "\n:\n\n") < 3; {
		n, err := resp.Body.Read(buffer)
		all.Write(buffer[:n])
		if err != nil {
			t.Fatal(err, all.String())
		}
	}
}

// TestWaitsOutliveTheDeadlinesOfTheServer: those of the server are for requests that are short.
func TestWaitsOutliveTheDeadlinesOfTheServer(t *testing.T) {
	f, s := submitHeld(t, func(c *Config) { c.Heartbeat, c.Stall = 5*time.Millisecond, 300*time.Millisecond })
	server := httptest.NewUnstartedServer(s.Handler())
	server.Config.ReadTimeout, server.Config.WriteTimeout = 50*time.Millisecond, 50*time.Millisecond
	server.Start()
	defer server.Close()
	s.url, s.client.url = server.URL, server.URL
	done := make(chan error)
	go func() {
		_, err := s.client.Infer(t.Context(), &Request{Model: "echo", Inputs: []Tensor{ints("x", 1)}}, JSON)
		done <- err
	}()
	f.await(t, "job-2")
	resp := openStream(t, s, "")
	beats := 0
	for lines := bufio.NewScanner(resp.Body); beats < 100 && lines.Scan(); {
		if lines.Text() == ":" {
			beats++
		}
	}
	f.change("job-2", func(j *Job) { j.Outputs = []Tensor{ints("y", 1)} })
	if err := <-done; err != nil || beats < 100 {
		t.Error(beats, err)
	}
	_ = resp.Body.Close()
	s.client.http.Transport.(*checking).next.(*http.Transport).CloseIdleConnections()
}

func TestStreamEndsWithItsClient(t *testing.T) {
	_, s := submitHeld(t, nil)
	for range s.client.Watch(t.Context(), "job-1") {
		break
	}
	<-s.ended
	if n := len(s.lanes[laneStream]); n != 0 {
		t.Errorf("%d streams are open", n)
	}
}

func TestWatchEndsWithItsContext(t *testing.T) {
	_, s := submitHeld(t, nil)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var last error
	for _, err := range s.client.Watch(ctx, "job-1") {
		last = err
		stop()
	}
	if !errors.Is(last, context.Canceled) {
		t.Error(last)
	}
}

func TestHeadOfAStreamEnds(t *testing.T) {
	_, s := submitHeld(t, nil)
	if a := s.ask(t, "HEAD", "/v1/jobs/job-1/events", ""); a.status != 200 || a.body != "" {
		t.Error(a)
	}
}

func TestBrokenStreamsAreNoEnd(t *testing.T) {
	_, s := submitHeld(t, nil)
	var last error
	n := 0
	for _, err := range s.client.Watch(t.Context(), "job-1") {
		if n++; n == 1 {
			go func() { _ = s.Close() }()
		}
		last = err
	}
	if !errors.Is(last, ErrUnreachable) || n != 2 {
		t.Error(n, last)
	}
}

func TestEventsAreRead(t *testing.T) {
	long := strings.Repeat("x", maxEvent+1)
	for _, x := range []struct{ stream, want string }{
		{"", ""},
		{"data: a\n\n", "|a\n"},
		{"event: job\ndata: a\ndata:b\n\ndata\n\n", "job|a\nb\n||\n"},
		{"event: job\r\ndata: a\r\n\r\n", "job|a\n"},
		{": hello\n\nid: 1\nretry: 2\nevent: x\n\ndata: 1\n\n", "x|1\n"},
		{"data: cut off\n", ""},
		{"data: " + long + "\n\n", ""},
		{strings.Repeat("data: "+long[:1000]+"\n", 2000) + "\n", ""},
	} {
		var got []string
		var last error
		for e, err := range readEvents(strings.NewReader(x.stream)) {
			if last = err; err == nil {
				got = append(got, e.name+"|"+string(e.data))
			}
		}
		if strings.Join(got, "|") != x.want || last == nil {
			t.Errorf("%.40q: %q, want %q, %v", x.stream, got, x.want, last)
		}
	}
}
