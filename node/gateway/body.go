package gateway

import (
	"bufio"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// part is how many bytes a body must bring, and a client must take, within Config.Stall.
const part = 256 << 10

// weight is how many bytes of memory a byte of a body may need: one as it came and one of the buffer
// before, two for a decoder's copy of it, one for the JSON of the tensors and one for their elements,
// which are bounded together as the body is; the rest is room.
const weight = 8

// budget bounds the memory for bodies of all requests, in bytes.
type budget struct {
	left atomic.Int64
}

// take takes n bytes, if they are left.
func (b *budget) take(n int64) bool {
	if b.left.Add(-n) >= 0 {
		return true
	}
	b.left.Add(n)
	return false
}

// held is what one request has taken of a budget.
type held struct {
	from *budget
	n    int64
}

func (h *held) take(n int64) bool {
	if !h.from.take(n) {
		return false
	}
	h.n += n
	return true
}

// release gives everything back.
func (h *held) release() {
	h.from.left.Add(h.n)
	h.n = 0
}

// body reads the body of a request, inflated. The caller releases what is held once the body and
// what was made of it are of no use any more.
func (g *Gateway) body(w *writer, r *http.Request) ([]byte, *held, *Problem) {
	h := &held{from: &g.budget}
	b, p := g.readBody(w, r, h)
	if p != nil {
		h.release()
		return nil, nil, p
	}
	return b, h, nil
}

func (g *Gateway) readBody(w *writer, r *http.Request, h *held) ([]byte, *Problem) {
	if r.ContentLength > g.cfg.MaxBody {
		return nil, tooLarge("the body exceeds %d bytes", g.cfg.MaxBody)
	}
	up := &upstream{Reader: http.MaxBytesReader(w.ResponseWriter, r.Body, g.cfg.MaxBody), pace: pace{stall: g.cfg.Stall, set: w.control.SetReadDeadline}}
	raw := bufio.NewReader(up) // so that nobody reads more of it than belongs to its encoding
	plain, p := inflate(raw, r.Header.Get("Content-Encoding"))
	if p != nil {
		return nil, p
	}
	b, p := readWithin(plain, g.cfg.MaxBody, h)
	w.meters.bytes.WithLabelValues("in").Add(float64(up.read))
	if p != nil {
		return nil, p
	}
	// Only from the end of a body on does the server see that a client has left.
	if _, err := raw.ReadByte(); err != io.EOF {
		return nil, malformed("something follows the body")
	}
	return b, nil
}

// inflate undoes the encodings of RFC 9110 section 8.4.1.
func inflate(r io.Reader, encoding string) (io.Reader, *Problem) {
	var err error
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
	case "gzip", "x-gzip":
		r, err = gzip.NewReader(r)
	case "deflate":
		r, err = zlib.NewReader(r)
	default:
		return nil, problem(http.StatusUnsupportedMediaType, ReasonUnsupported, "content encoding %q is none of gzip, deflate", short(encoding))
	}
	if err != nil {
		return nil, readProblem(err)
	}
	return r, nil
}

// readWithin reads at most max bytes. It takes memory before it needs it, in growing steps.
func readWithin(r io.Reader, max int64, h *held) ([]byte, *Problem) {
	var b []byte
	for {
		if len(b) == cap(b) {
			size := min(max+1, int64(2*cap(b)+4096))
			if !h.take(weight * (size - int64(cap(b)))) {
				return nil, busy("large bodies")
			}
			grown := make([]byte, len(b), size)
			copy(grown, b)
			b = grown
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case int64(len(b)) > max:
			return nil, tooLarge("the body exceeds %d bytes", max)
		case err == io.EOF:
			return b, nil
		case err != nil:
			return nil, readProblem(err)
		}
	}
}

func readProblem(err error) *Problem {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return tooLarge("the body exceeds %d bytes", large.Limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return problem(http.StatusRequestTimeout, ReasonSlow, "the body comes too slowly")
	}
	return malformed("the body is broken: %v", err)
}

// pace gives the other side a while for each part of a body.
type pace struct {
	left  int // bytes until more time is given
	stall time.Duration
	set   func(time.Time) error // sets the deadline
}

func (p *pace) next(n int) error {
	if p.left > 0 {
		p.left -= n
		return nil
	}
	p.left = part - n
	return p.set(time.Now().Add(p.stall))
}

// upstream is the body of a request.
type upstream struct {
	io.Reader
	pace
	read int64
}

// Read implements io.Reader.
func (u *upstream) Read(b []byte) (int, error) {
	if err := u.next(0); err != nil {
		return 0, err
	}
	n, err := u.Reader.Read(b)
	u.left -= n
	u.read += int64(n)
	return n, err
}
