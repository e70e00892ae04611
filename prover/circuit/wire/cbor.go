package wire

import (
	"bytes"
	"fmt"
	"math"
	"math/bits"
	"unicode/utf8"
)

// cbor reads the part of RFC 8949 that gnark's encoder writes: core deterministic encoding
// (section 4.2.1) of unsigned integers, text, arrays, maps, tags and null. Its first error stays:
// later calls read nothing and return zero.
type cbor struct {
	b   []byte
	pos int
	err *Error
}

// Major types of CBOR.
const (
	majorUint  = 0
	majorText  = 3
	majorArray = 4
	majorMap   = 5
	majorTag   = 6

	null = 0xf6
)

var majorNames = [...]string{"an integer", "a negative integer", "bytes", "text", "an array", "a map", "a tag", "a simple value"}

func (c *cbor) refuse(field string, at int, got, want any) {
	if c.err == nil {
		c.err = &Error{Field: field, Offset: int64(at), Got: fmt.Sprint(got), Want: fmt.Sprint(want)}
	}
}

// check refuses the item that began at offset at, unless ok.
func (c *cbor) check(ok bool, field string, at int, got, want any) {
	if !ok {
		c.refuse(field, at, got, want)
	}
}

// head reads the head of an item of the given major type and returns its argument.
func (c *cbor) head(field string, major byte) uint64 {
	if c.err != nil {
		return 0
	}
	if c.pos == len(c.b) {
		c.refuse(field, c.pos, "the end", majorNames[major])
		return 0
	}
	at, first := c.pos, c.b[c.pos]
	if first>>5 != major {
		c.refuse(field, at, majorNames[first>>5], majorNames[major])
		return 0
	}
	c.pos++
	info := first & 31
	if info < 24 {
		return uint64(info)
	}
	size := 1 << (info - 24)
	if info > 27 || size > len(c.b)-c.pos {
		c.refuse(field, at, "a broken or indefinite length", majorNames[major])
		return 0
	}
	v := uint64(0)
	for _, b := range c.b[c.pos : c.pos+size] {
		v = v<<8 | uint64(b)
	}
	c.pos += size
	if v < 24 || size > 1 && bits.Len64(v) <= 4*size {
		c.refuse(field, at, fmt.Sprintf("%d in %d bytes", v, size), "the shortest form")
		return 0
	}
	return v
}

// number reads an integer of at most limit.
func (c *cbor) number(field string, limit uint64) uint64 {
	at := c.pos
	v := c.head(field, majorUint)
	c.check(v <= limit, field, at, v, fmt.Sprintf("at most %d", limit))
	return min(v, limit)
}

// count reads an integer that fits an int of any platform.
func (c *cbor) count(field string) int { return int(c.number(field, math.MaxInt32)) }

func (c *cbor) text(field string) string {
	at := c.pos
	n := c.head(field, majorText)
	c.check(n <= uint64(len(c.b)-c.pos), field, at, fmt.Sprintf("text of %d bytes", n), fmt.Sprintf("%d bytes left", len(c.b)-c.pos))
	if c.err != nil {
		return ""
	}
	s := c.b[c.pos : c.pos+int(n)]
	c.pos += int(n)
	c.check(utf8.Valid(s), field, at, "text that is not UTF-8", "UTF-8")
	return string(s)
}

// null reports whether the next item is null, which is how a list without elements may be
// written, and skips it.
func (c *cbor) null() bool {
	if c.err != nil || c.pos == len(c.b) || c.b[c.pos] != null {
		return false
	}
	c.pos++
	return true
}

// array reads an array or null, calls element for each place, and returns the length.
func (c *cbor) array(field string, element func(i int)) int {
	if c.null() {
		return 0
	}
	n := c.items(field, majorArray, 1)
	for i := 0; i < n && c.err == nil; i++ {
		element(i)
	}
	return n
}

// items reads the head of an array or map whose elements take at least size bytes.
func (c *cbor) items(field string, major byte, size int) int {
	at := c.pos
	n := c.head(field, major)
	left := uint64(len(c.b)-c.pos) / uint64(size)
	c.check(n <= left, field, at, fmt.Sprintf("%d elements", n), fmt.Sprintf("at most %d in the bytes left", left))
	if c.err != nil {
		return 0
	}
	return int(n)
}

// fields reads a map that has exactly the given keys, in this order.
func (c *cbor) fields(what string, read ...member) {
	at := c.pos
	n := c.items(what, majorMap, 2)
	c.check(n == len(read), what, at, fmt.Sprintf("%d fields", n), len(read))
	for _, m := range read {
		at = c.pos
		key := c.text(what)
		c.check(key == m.key, what, at, fmt.Sprintf("field %.40q", key), fmt.Sprintf("field %q", m.key))
		if c.err != nil {
			return
		}
		m.read(what + m.key)
	}
}

// member is one field of a struct; read gets its full name.
type member struct {
	key  string
	read func(field string)
}

// table reads a map from integers, which must ascend in their encoded form, or null.
func (c *cbor) table(field string, limit uint64, entry func(k uint64)) {
	if c.null() {
		return
	}
	n := c.items(field, majorMap, 2)
	var last []byte
	for i := 0; i < n && c.err == nil; i++ {
		at := c.pos
		k := c.number(field, limit)
		encoded := c.b[at:c.pos]
		c.check(i == 0 || bytes.Compare(last, encoded) < 0, field, at, fmt.Sprintf("key %d", k), "ascending keys")
		last = encoded
		if c.err == nil {
			entry(k)
		}
	}
}

// ints reads an array of integers of at most limit.
func (c *cbor) ints(field string, limit uint64) []int {
	var list []int
	c.array(field, func(int) { list = append(list, int(c.number(field, limit))) })
	return list
}
