package wire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend"
)

// form says how the points of an encoding are written.
type form int

const (
	formUnknown form = iota // the first point decides
	formCompressed
	formRaw
)

// scanner walks an encoding of a known size. Its first error stays: later calls read nothing and
// return zero.
type scanner struct {
	encoding
	what   string
	r      *bufio.Reader
	offset int64 // bytes read
	at     int64 // where the last number began
	size   int64 // of the whole encoding in bytes
	form   form
	err    error
}

// window is the size of the buffer between a scanner and its source, in bytes. It holds the
// largest thing that is looked at as a whole.
const window = 1 << 16

func newScanner(what string, c ecc.ID, s backend.ID, r io.Reader, size int64) (*scanner, error) {
	e, err := encodingOf(c)
	if err == nil {
		err = checkScheme(s)
	}
	if err != nil {
		return nil, fmt.Errorf("scan %s: %w", what, err)
	}
	if size < 0 {
		return nil, &Error{What: what, Field: "size", Offset: -1, Got: fmt.Sprint(size), Want: "at least 0"}
	}
	return &scanner{encoding: e, what: what, r: bufio.NewReaderSize(r, int(min(size+1, window))), size: size}, nil
}

func scanBytes(what string, c ecc.ID, s backend.ID, b []byte) (*scanner, error) {
	return newScanner(what, c, s, bytes.NewReader(b), int64(len(b)))
}

// refuse records an objection to the field that begins at offset at.
func (s *scanner) refuse(field string, at int64, got, want any) {
	if s.err == nil {
		s.err = &Error{What: s.what, Field: field, Offset: at, Got: fmt.Sprint(got), Want: fmt.Sprint(want)}
	}
}

// check refuses the number read last, unless ok.
func (s *scanner) check(ok bool, field string, got, want any) {
	if !ok {
		s.refuse(field, s.at, got, want)
	}
}

func (s *scanner) left() uint64 { return uint64(s.size - s.offset) }

// has reports whether n more things of the given size are there, and refuses if not.
func (s *scanner) has(field string, n, size uint64) bool {
	if s.err == nil && n > s.left()/size {
		s.refuse(field, s.offset, fmt.Sprintf("%d bytes left", s.left()), fmt.Sprintf("%d times %d", n, size))
	}
	return s.err == nil
}

// peek returns the next n <= window bytes without going on; nil after an error.
func (s *scanner) peek(field string, n int) []byte {
	if !s.has(field, uint64(n), 1) {
		return nil
	}
	b, err := s.r.Peek(n)
	if err != nil {
		s.fault(field, err)
		return nil
	}
	return b
}

// fault records that the source ended early or could not be read.
func (s *scanner) fault(field string, err error) {
	switch {
	case s.err != nil:
	case err == io.EOF:
		s.refuse(field, s.offset, "the end of the source", fmt.Sprintf("%d bytes in all", s.size))
	default:
		s.err = fmt.Errorf("scan %s: %s: %w", s.what, field, err)
	}
}

func (s *scanner) skip(field string, n uint64) {
	for s.has(field, n, 1) && n > 0 {
		step := int(min(n, 1<<30))
		done, err := s.r.Discard(step)
		s.offset += int64(done)
		if err != nil {
			s.fault(field, err)
			return
		}
		n -= uint64(step)
	}
}

func (s *scanner) uint32(field string) uint32 {
	b := s.peek(field, 4)
	if b == nil {
		return 0
	}
	v := binary.BigEndian.Uint32(b)
	s.at = s.offset
	s.skip(field, 4)
	return v
}

func (s *scanner) uint64(field string) uint64 {
	b := s.peek(field, 8)
	if b == nil {
		return 0
	}
	v := binary.BigEndian.Uint64(b)
	s.at = s.offset
	s.skip(field, 8)
	return v
}

// length reads the number of elements of a slice, each of at least the given size in bytes.
func (s *scanner) length(field string, size int) int {
	n := s.uint32(field)
	if s.err == nil && uint64(n) > s.left()/uint64(size) {
		s.refuse(field, s.at, n, fmt.Sprintf("at most %d elements in the %d bytes left", s.left()/uint64(size), s.left()))
	}
	if s.err != nil {
		return 0
	}
	return int(n)
}

// bools skips n bytes that are 0 or 1, and returns how many are 1.
func (s *scanner) bools(field string, n uint64) uint64 {
	ones := uint64(0)
	for s.has(field, n, 1) && n > 0 {
		b := s.peek(field, int(min(n, window/2, uint64(s.r.Size()))))
		for i, v := range b {
			if v > 1 {
				s.refuse(field, s.offset+int64(i), v, "0 or 1")
			}
			ones += uint64(v)
		}
		s.skip(field, uint64(len(b)))
		n -= uint64(len(b))
	}
	return ones
}

func (s *scanner) scalar(field string) { s.skip(field, uint64(s.fr)) }

// scalars skips a slice of scalars and returns its length.
func (s *scanner) scalars(field string) int {
	n := s.length(field, s.fr)
	s.skip(field, uint64(n)*uint64(s.fr))
	return n
}

// uint64s reads a slice of integers and returns its length.
func (s *scanner) uint64s(field string, visit func(i int, v uint64)) int {
	n := s.length(field, 8)
	for i := 0; i < n && s.err == nil; i++ {
		v := s.uint64(field)
		if s.err == nil {
			visit(i, v)
		}
	}
	return n
}

// point skips a point whose compressed form has the given size.
func (s *scanner) point(field string, size int) {
	b := s.peek(field, 1)
	if b == nil {
		return
	}
	flag := b[0] & s.mask
	if s.form == formUnknown {
		s.form = formCompressed
		if slices.Contains(s.raw, flag) {
			s.form = formRaw
		}
	}
	flags := s.short
	if s.form == formRaw {
		flags, size = s.raw, 2*size
	}
	if !slices.Contains(flags, flag) {
		s.refuse(field, s.offset, fmt.Sprintf("a point with flags %#02x", flag), fmt.Sprintf("one of %#02x", flags))
	}
	s.skip(field, uint64(size))
}

func (s *scanner) points(field string, size int) int {
	least := size
	if s.form == formRaw {
		least = 2 * size
	}
	n := s.length(field, least)
	for i := 0; i < n && s.err == nil; i++ {
		s.point(field, size)
	}
	return n
}

func (s *scanner) g1(field string)      { s.point(field, s.encoding.g1) }
func (s *scanner) g2(field string)      { s.point(field, s.encoding.g2) }
func (s *scanner) g1s(field string) int { return s.points(field, s.encoding.g1) }
func (s *scanner) g2s(field string) int { return s.points(field, s.encoding.g2) }

// end demands that nothing is left, and returns the first error. A source that is longer than the
// size it was announced with is refused too.
func (s *scanner) end() error {
	if s.left() != 0 {
		s.refuse("end", s.offset, fmt.Sprintf("%d bytes more", s.left()), "the end")
	}
	if s.err != nil {
		return s.err
	}
	if _, err := s.r.ReadByte(); err == nil {
		s.refuse("end", s.offset, "more bytes", "the end of the source")
	} else if err != io.EOF {
		s.fault("end", err)
	}
	return s.err
}
