package chain

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"
)

// The encoding is the part of CBOR (RFC 8949) that the formats of this package need: unsigned
// integers, byte strings, text strings and arrays, all of definite length and with heads as
// short as possible (section 4.2.1). There are no maps, so no keys to order or to repeat. The
// reader refuses every other form, so whatever decodes is the one encoding of its value.

// Major types, RFC 8949 section 3.1.
const (
	majorUint  byte = 0
	majorBytes byte = 2
	majorText  byte = 3
	majorArray byte = 4
)

// EncodingError says why bytes are not the canonical encoding of anything.
type EncodingError struct {
	Offset  int // of the item at fault, in bytes
	Problem string
}

func (e *EncodingError) Error() string {
	return fmt.Sprintf("malformed encoding at byte %d: %s", e.Offset, e.Problem)
}

func appendHead(b []byte, major byte, n uint64) []byte {
	major <<= 5
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n <= math.MaxUint8:
		return append(b, major|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, major|27), n)
}

func appendUint(b []byte, n uint64) []byte { return appendHead(b, majorUint, n) }

func appendArray(b []byte, n int) []byte { return appendHead(b, majorArray, uint64(n)) }

func appendBytes(b, p []byte) []byte {
	return append(appendHead(b, majorBytes, uint64(len(p))), p...)
}

func appendText(b []byte, s string) []byte {
	return append(appendHead(b, majorText, uint64(len(s))), s...)
}

// decoder reads one encoding from its start. After the first error every method returns a
// zero value, so callers check err once, at the end.
type decoder struct {
	rest []byte
	size int // of the whole input
	err  error
}

func newDecoder(b []byte) *decoder { return &decoder{rest: b, size: len(b)} }

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = &EncodingError{Offset: d.size - len(d.rest), Problem: fmt.Sprintf(format, args...)}
	}
}

// end requires that everything was read and returns the first error.
func (d *decoder) end() error {
	if len(d.rest) > 0 {
		d.fail("%d bytes too many", len(d.rest))
	}
	return d.err
}

// head reads a head of the given major type and returns its argument.
func (d *decoder) head(major byte) uint64 {
	if d.err != nil {
		return 0
	}
	if len(d.rest) == 0 {
		d.fail("ends early")
		return 0
	}
	first := d.rest[0]
	if first>>5 != major {
		d.fail("major type %d, want %d", first>>5, major)
		return 0
	}
	info := first & 31
	if info < 24 {
		d.rest = d.rest[1:]
		return uint64(info)
	}
	return d.longHead(info)
}

// longHead reads an argument of 1, 2, 4 or 8 bytes that no shorter form could hold.
func (d *decoder) longHead(info byte) uint64 {
	if info > 27 {
		d.fail("head %d is reserved or of indefinite length", info)
		return 0
	}
	width := 1 << (info - 24)
	if len(d.rest) < 1+width {
		d.fail("ends early")
		return 0
	}
	var n uint64
	for _, c := range d.rest[1 : 1+width] {
		n = n<<8 | uint64(c)
	}
	shortest := uint64(24)
	if width > 1 {
		shortest = 1 << (4 * width)
	}
	if n < shortest {
		d.fail("%d takes fewer than %d bytes", n, width)
		return 0
	}
	d.rest = d.rest[1+width:]
	return n
}

func (d *decoder) uint() uint64 { return d.head(majorUint) }

// uintMax reads an integer of at most limit.
func (d *decoder) uintMax(limit uint64) uint64 {
	n := d.uint()
	if n > limit {
		d.fail("%d exceeds %d", n, limit)
		return 0
	}
	return n
}

// view reads a string of at most limit bytes; it aliases the input.
func (d *decoder) view(major byte, limit int) []byte {
	n := d.head(major)
	if n > uint64(limit) {
		d.fail("%d bytes exceed %d", n, limit)
		return nil
	}
	if n > uint64(len(d.rest)) {
		d.fail("ends early")
		return nil
	}
	p := d.rest[:n]
	d.rest = d.rest[n:]
	return p
}

// bytes reads a byte string of at most limit bytes; empty is nil.
func (d *decoder) bytes(limit int) []byte {
	return append([]byte(nil), d.view(majorBytes, limit)...)
}

// fixed fills dst from a byte string of exactly that length.
func (d *decoder) fixed(dst []byte) {
	p := d.view(majorBytes, len(dst))
	if d.err == nil && len(p) != len(dst) {
		d.fail("%d bytes, want %d", len(p), len(dst))
	}
	copy(dst, p)
}

func (d *decoder) hash() (h Hash) {
	d.fixed(h[:])
	return h
}

// text reads a string of valid UTF-8 of at most limit bytes.
func (d *decoder) text(limit int) string {
	p := d.view(majorText, limit)
	if !utf8.Valid(p) {
		d.fail("text is not UTF-8")
		return ""
	}
	return string(p)
}

// list reads the head of an array of low to high elements. An element takes at least one
// byte, so the count is bounded by the input before anything is allocated.
func (d *decoder) list(low, high int) int {
	n := d.head(majorArray)
	switch {
	case d.err != nil:
	case n < uint64(low) || n > uint64(high):
		d.fail("%d elements, want %d to %d", n, low, high)
	case n > uint64(len(d.rest)):
		d.fail("%d elements in %d bytes", n, len(d.rest))
	default:
		return int(n)
	}
	return 0
}

// array reads the head of an array of exactly n elements.
func (d *decoder) array(n int) { d.list(n, n) }
