package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"strconv"
	"time"
)

// part is how many bytes a transfer must bring within Config.Stall.
const part = 256 << 10

// transfer carries the bytes of resources, outside of JSON. Its own slots bound how many do: they
// last longer than calls.
func (s *Server) transfer(life context.Context, direction string, run func(context.Context, http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return s.guarded(func(w http.ResponseWriter, r *http.Request) {
		if s.cfg.Resources == nil {
			http.Error(w, ErrNoResources.Error(), http.StatusNotImplemented)
			return
		}
		select {
		case s.transfers <- struct{}{}:
			defer func() { <-s.transfers }()
		default:
			s.refuse(w, "busy", http.StatusTooManyRequests, "busy: too many transfers at once")
			return
		}
		s.open.Add(1)
		defer s.open.Done()
		ctx, stop := context.WithCancel(r.Context())
		defer stop()
		defer context.AfterFunc(life, stop)()
		err := run(ctx, w, r)
		if err != nil {
			s.fail(w, err)
		}
		s.service.meters.transfers.WithLabelValues(direction, strconv.Itoa(statusOf(err))).Inc()
	})
}

// fail answers with an error, if nothing has been answered yet.
func (s *Server) fail(w http.ResponseWriter, err error) {
	var cut *cutOff
	if errors.As(err, &cut) {
		return // the answer is too short, so that the connection is closed
	}
	if statusOf(err) == http.StatusInternalServerError {
		s.cfg.Log.Error("transfer", "error", err)
	}
	// The deadline of the request may be over; a connection that takes none is gone.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.cfg.Stall))
	http.Error(w, err.Error(), statusOf(err))
}

// statusOf is the HTTP status for an error of a transfer.
func statusOf(err error) int {
	var broken *brokenOff
	switch {
	case err == nil:
		return http.StatusOK
	case errors.Is(err, os.ErrDeadlineExceeded):
		return http.StatusRequestTimeout
	case errors.As(err, &broken):
		return http.StatusBadRequest
	case errors.Is(err, ErrNotFound):
		return http.StatusNotFound
	case errors.Is(err, ErrTooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, ErrNoRoom):
		return http.StatusInsufficientStorage
	case errors.Is(err, ErrResource):
		return http.StatusUnprocessableEntity
	}
	return http.StatusInternalServerError
}

// brokenOff is that the sender of an upload is gone or too slow.
type brokenOff struct{ err error }

func (e *brokenOff) Error() string { return fmt.Sprintf("the upload broke off: %v", e.err) }
func (e *brokenOff) Unwrap() error { return e.err }

// cutOff is that a download ended before its end.
type cutOff struct{ err error }

func (e *cutOff) Error() string { return fmt.Sprintf("the download was cut off: %v", e.err) }
func (e *cutOff) Unwrap() error { return e.err }

// upload keeps the body of a request.
func (s *Server) upload(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	name := r.URL.Query().Get("name")
	if err := checkName(name); err != nil {
		return err
	}
	control := http.NewResponseController(w)
	body := &upstream{r.Body, pace{extend: func() error { return control.SetReadDeadline(time.Now().Add(s.cfg.Stall)) }}}
	added, err := s.cfg.Resources.Add(ctx, body, name)
	if err != nil {
		return err
	}
	if err := control.SetWriteDeadline(time.Now().Add(s.cfg.Stall)); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, added)
	return nil
}

// download sends a file, which may have to come first.
func (s *Server) download(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	most, err := parseMax(r.URL.Query().Get("max"))
	if err != nil {
		return err
	}
	control := http.NewResponseController(w)
	// No more is read; at a deadline for it the client would count as gone.
	if err := control.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	file, size, err := s.get(ctx, r.PathValue("cid"), most)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	// What strangers wrote is no page of this host.
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Disposition", "attachment")
	out := &downstream{w, pace{extend: func() error { return control.SetWriteDeadline(time.Now().Add(s.cfg.Stall)) }}}
	if _, err := io.Copy(out, file); err != nil {
		return &cutOff{err}
	}
	return nil
}

func parseMax(text string) (uint64, error) {
	if text == "" {
		return math.MaxInt64, nil
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("%w: max=%q is not a number of bytes", ErrResource, text[:min(len(text), 100)])
	}
	return n, nil
}

// get waits for a file as long as something of it comes.
func (s *Server) get(ctx context.Context, cid string, most uint64) (io.ReadCloser, int64, error) {
	within, stop := context.WithCancel(ctx)
	patience := time.AfterFunc(s.cfg.Stall, stop)
	file, size, err := s.cfg.Resources.Get(within, cid, most, func(int) { patience.Reset(s.cfg.Stall) })
	stalled := !patience.Stop()
	if err != nil {
		defer stop()
		if stalled && ctx.Err() == nil {
			return nil, 0, fmt.Errorf("%w: nothing of it has come for %v; what has come before is kept for a while", ErrNotFound, s.cfg.Stall)
		}
		return nil, 0, err
	}
	return &whole{file, stop}, size, nil
}

// whole ends what a file is read with when it is closed.
type whole struct {
	io.ReadCloser
	stop func()
}

// Close implements io.Closer.
func (w *whole) Close() error {
	defer w.stop()
	return w.ReadCloser.Close()
}

// pace gives the other side a while for each part of a transfer.
type pace struct {
	left   int // bytes until more time is given
	extend func() error
}

func (p *pace) next() error {
	if p.left > 0 {
		return nil
	}
	p.left = part
	return p.extend()
}

// upstream is the body of an upload.
type upstream struct {
	io.Reader
	pace
}

// Read implements io.Reader.
func (u *upstream) Read(b []byte) (int, error) {
	if err := u.next(); err != nil {
		return 0, &brokenOff{err}
	}
	n, err := u.Reader.Read(b)
	u.left -= n
	if err != nil && err != io.EOF {
		err = &brokenOff{err}
	}
	return n, err
}

// downstream is the answer to a download.
type downstream struct {
	io.Writer
	pace
}

// Write implements io.Writer.
func (d *downstream) Write(b []byte) (int, error) {
	if err := d.next(); err != nil {
		return 0, err
	}
	n, err := d.Writer.Write(b)
	d.left -= n
	return n, err
}
