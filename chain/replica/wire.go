package replica

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/weisyn/wes/chain"
)

// wireVersion is the first byte of every message between peers.
const wireVersion = 1

// ErrMessage is what bytes of a peer are when they do not decode.
var ErrMessage = errors.New("not a message of the peers' protocol")

// Messages are fixed layouts, integers big-endian: every value has one encoding, and trailing
// bytes are refused.

// reader walks through a message. After the first error it reads zeros.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrMessage, fmt.Sprintf(format, args...))
	}
}

// take returns the next n bytes, or none after an error. They alias the message.
func (r *reader) take(n int) []byte {
	if r.err != nil || n < 0 || n > len(r.rest) {
		r.fail("%d bytes are missing", n-len(r.rest))
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) uint8() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) hash() (h chain.Hash) {
	copy(h[:], r.take(chain.HashSize))
	return h
}

// bytes reads a length of at most limit and as many bytes.
func (r *reader) bytes(limit int) []byte {
	n := r.uint32()
	if uint64(n) > uint64(limit) {
		r.fail("%d bytes, at most %d", n, limit)
		return nil
	}
	return r.take(int(n))
}

// hashes reads all that is left as at most limit hashes.
func (r *reader) hashes(limit int) []chain.Hash {
	n := len(r.rest) / chain.HashSize
	if r.err == nil && (n > limit || n*chain.HashSize != len(r.rest)) {
		r.fail("%d bytes are not at most %d hashes", len(r.rest), limit)
	}
	if r.err != nil {
		return nil
	}
	all := make([]chain.Hash, n)
	for i := range all {
		all[i] = r.hash()
	}
	return all
}

// end refuses what is left.
func (r *reader) end() error {
	if len(r.rest) > 0 {
		r.fail("%d bytes are left over", len(r.rest))
	}
	return r.err
}

func appendBytes(b, part []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(part))), part...)
}
