package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// The events of a stream, in the format of the HTML standard, section 9.2 "Server-sent events". Each
// has the whole job, so that a client that comes back needs nothing of what it has missed.
const (
	eventJob = "job"
	eventEnd = "end"
)

// retry is after how many ms a client that has lost the stream is to come back.
const retry = 3000

func (g *Gateway) events(w *writer, r *http.Request) error {
	leave, p := g.slot(laneStream)
	if p != nil {
		return p
	}
	defer leave()
	ctx, end := g.within(r.Context(), maxDeadline*time.Millisecond)
	defer end()
	changes, err := g.market.Watch(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	s := &stream{writer: w, id: following(r.Header.Get("Last-Event-ID"))}
	if err := s.open(); err != nil || r.Method == http.MethodHead {
		return err
	}
	return s.copy(changes, g.cfg.Heartbeat)
}

// stream is a stream of events. id is that of the next event.
type stream struct {
	*writer
	id uint64
}

// following returns the id after the last one that a client has seen. Who sends none begins with 1.
func following(last string) uint64 {
	n, err := strconv.ParseUint(last, 10, 63)
	if err != nil {
		return 1
	}
	return n + 1
}

func (s *stream) open() error {
	h := s.Header()
	h.Set("Content-Type", mediaEvents)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	s.WriteHeader(http.StatusOK)
	return s.print("retry: %d\n\n", retry)
}

// copy sends the changes until there are no more, and signs of life between them.
func (s *stream) copy(changes <-chan Job, heartbeat time.Duration) error {
	pulse := time.NewTicker(heartbeat)
	defer pulse.Stop()
	ended := false
	for {
		select {
		case j, more := <-changes:
			if !more && ended {
				return s.event(eventEnd, struct{}{})
			}
			if !more {
				return nil // the client comes back
			}
			if err := s.event(eventJob, j.brief()); err != nil {
				return err
			}
			ended = j.Ended
		case <-pulse.C:
			if err := s.print(":\n\n"); err != nil {
				return err
			}
		}
	}
}

func (s *stream) event(name string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := s.print("id: %d\nevent: %s\ndata: %s\n\n", s.id, name, raw); err != nil {
		return err
	}
	s.id++
	return nil
}

// print sends at once.
func (s *stream) print(format string, args ...any) error {
	if _, err := fmt.Fprintf(s.writer, format, args...); err != nil {
		return err
	}
	return s.flush()
}
