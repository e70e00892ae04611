package p2p

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// A frame is a length in 4 bytes, big-endian, and as many bytes. A request is a frame and the end
// of the stream's direction; an answer is a status byte, and a frame if the status is statusDone.

const (
	statusDone byte = iota
	statusNotFound
	statusBusy
	statusRefused
)

const (
	// chunk is how many bytes are transferred before the deadline moves, and by how much a
	// buffer grows at least.
	chunk = 64 << 10
)

// late reports whether a deadline has passed. The transports have errors of their own for it.
func late(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// errLength is returned for a frame that says to be over its limit.
var errLength = errors.New("length over the limit")

// patience is how long a transfer may take: what its bytes need at the least throughput, in bytes
// a second, and a grace.
type patience struct {
	grace      time.Duration
	throughput int
}

// pace keeps the deadline of a transfer, by which the next chunk must have passed.
type pace struct {
	patience
	by  time.Time
	set func(time.Time) error
}

func newPace(p patience, set func(time.Time) error) *pace {
	return &pace{p, time.Now().Add(p.grace), set}
}

// allow moves the deadline by what n bytes more may take.
func (p *pace) allow(n int) error {
	p.by = p.by.Add(time.Duration(n) * time.Second / time.Duration(p.throughput))
	return p.set(p.by)
}

// readLength reads a length of at most limit.
func readLength(r io.Reader, limit int) (int, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if uint64(n) > uint64(limit) {
		return 0, fmt.Errorf("%w: %d bytes, at most %d", errLength, n, limit)
	}
	return int(n), nil
}

// readBody reads n bytes. The buffer is at most twice as large as what has arrived, and a chunk.
func readBody(r io.Reader, n int, p *pace) ([]byte, error) {
	b := make([]byte, 0, min(n, chunk))
	for len(b) < n {
		if len(b) == cap(b) {
			b = append(make([]byte, 0, min(n, 2*cap(b))), b...)
		}
		part := b[len(b):min(cap(b), len(b)+chunk)]
		if err := p.allow(len(part)); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(r, part); err != nil {
			return nil, err
		}
		b = b[:len(b)+len(part)]
	}
	return b, nil
}

// writeFrame writes a frame, after prefix.
func writeFrame(w io.Writer, prefix, body []byte, p *pace) error {
	head := binary.BigEndian.AppendUint32(prefix[:len(prefix):len(prefix)], uint32(len(body)))
	if err := p.allow(len(head)); err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	for len(body) > 0 {
		part := body[:min(len(body), chunk)]
		if err := p.allow(len(part)); err != nil {
			return err
		}
		if _, err := w.Write(part); err != nil {
			return err
		}
		body = body[len(part):]
	}
	return nil
}
