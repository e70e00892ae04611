package gateway

import (
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// writer is the response to one request. A client that reads too slowly is cut off.
type writer struct {
	http.ResponseWriter
	pace    pace
	control *http.ResponseController
	meters  *meters
	status  int  // 0: nothing is sent yet
	left    bool // the client was gone before there was an answer
}

// gone is the status under which requests are counted whose client left before an answer.
const gone = 499

// outcome is the status under which the request is counted.
func (w *writer) outcome() int {
	if w.left {
		return gone
	}
	return w.status
}

func newWriter(w http.ResponseWriter, m *meters, stall time.Duration) *writer {
	c := http.NewResponseController(w)
	return &writer{ResponseWriter: w, control: c, meters: m, pace: pace{stall: stall, set: c.SetWriteDeadline}}
}

// WriteHeader implements http.ResponseWriter.
func (w *writer) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *writer) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	sent := 0
	for {
		piece := b[sent:min(len(b), sent+part)]
		if err := w.pace.next(len(piece)); err != nil {
			return sent, err
		}
		n, err := w.ResponseWriter.Write(piece)
		w.meters.bytes.WithLabelValues("out").Add(float64(n))
		if sent += n; err != nil || sent == len(b) {
			return sent, err
		}
	}
}

// flush sends what is written within the time of one part.
func (w *writer) flush() error {
	w.pace.left = 0
	if err := w.pace.next(0); err != nil {
		return err
	}
	return w.control.Flush()
}

// worthwhile is from how many bytes on a response is compressed.
const worthwhile = 1024

// send sends a body of a known size, compressed if the client takes that.
func (w *writer) send(r *http.Request, status int, kind string, size int64, write func(io.Writer) error) error {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Add("Vary", "Accept-Encoding")
	coding := ""
	if size >= worthwhile {
		coding = accepted(r.Header.Get("Accept-Encoding"))
	}
	if coding == "" {
		h.Set("Content-Length", strconv.FormatInt(size, 10))
		w.WriteHeader(status)
		return write(w)
	}
	h.Set("Content-Encoding", coding)
	w.WriteHeader(status)
	var out io.WriteCloser
	if coding == "gzip" {
		out, _ = gzip.NewWriterLevel(w, gzip.BestSpeed) // the level is one
	} else {
		out, _ = zlib.NewWriterLevel(w, zlib.BestSpeed)
	}
	if err := write(out); err != nil {
		return err
	}
	return out.Close()
}

// accepted picks gzip or deflate from Accept-Encoding, RFC 9110 section 12.5.3; empty: neither.
func accepted(header string) string {
	found := map[string]bool{}
	for item := range strings.SplitSeq(header, ",") {
		coding, weight, _ := strings.Cut(item, ";")
		q, given := strings.CutPrefix(strings.TrimSpace(weight), "q=")
		if v, err := strconv.ParseFloat(q, 64); given && (err != nil || v <= 0) {
			continue
		}
		found[strings.ToLower(strings.TrimSpace(coding))] = true
	}
	for _, coding := range []string{"gzip", "deflate"} {
		if found[coding] {
			return coding
		}
	}
	return ""
}

// json sends a value.
func (w *writer) json(r *http.Request, status int, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.send(r, status, "application/json", int64(len(raw)), func(out io.Writer) error {
		_, err := out.Write(raw)
		return err
	})
}

// bytes sends a body that is no JSON.
func (w *writer) bytes(r *http.Request, raw []byte) error {
	return w.send(r, http.StatusOK, mediaBinary, int64(len(raw)), func(out io.Writer) error {
		_, err := out.Write(raw)
		return err
	})
}
