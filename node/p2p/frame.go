package p2p

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
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
	// grace is how long a transfer may take beyond what its bytes need at minThroughput.
	grace = 10 * time.Second
	// minThroughput is in bytes a second.
	minThroughput = 32 << 10
	// chunk is how many bytes are transferred before the deadline moves, and by how much a
	// buffer grows at least.
	chunk = 64 << 10
)

// errLength is returned for a frame that says to be over its limit.
var errLength = errors.New("length over the limit")

// pace keeps the deadline of a transfer, by which the next chunk must have passed.
type pace struct {
	by  time.Time
	set func(time.Time) error
}

func newPace(set func(time.Time) error) *pace {
	return &pace{time.Now().Add(grace), set}
}

// passed moves the deadline by what n bytes may take.
func (p *pace) passed(n int) error {
	p.by = p.by.Add(time.Duration(n) * time.Second / minThroughput)
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
		if err := p.passed(len(part)); err != nil {
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
	if err := p.passed(len(head)); err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	for len(body) > 0 {
		part := body[:min(len(body), chunk)]
		if err := p.passed(len(part)); err != nil {
			return err
		}
		if _, err := w.Write(part); err != nil {
			return err
		}
		body = body[len(part):]
	}
	return nil
}
