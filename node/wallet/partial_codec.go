package wallet

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/weisyn/wes/chain"
)

// The encoding of a partial transaction is
//
//	"wes/partial/1"
//	bytes      body, as chain encodes it
//	number     of the fee that a covenant gives
//	list       known locks: bytes, as chain encodes them
//	list       preimages: 32 bytes each
//	for each input:
//	  bytes    spent output, as chain encodes it
//	  number   first output of the segment
//	  number   exit
//	  number   0, or 1 and a number: what a delegate moves
//	  list     steps: kind, then number, bytes, or bytes of a lock
//	  list     signatures: key in 32 bytes, signature in 64
//
// where a number is an unsigned varint as in encoding/binary, bytes are a number and as many
// bytes, and a list is a number and as many elements. Lists of locks, preimages and signatures
// ascend. Bytes that would not be encoded so are refused.

// Limits of a partial transaction.
const (
	MaxPartial    = 8 << 20 // bytes
	maxSteps      = 16
	maxKnown      = 64 // locks, and preimages
	maxSignatures = 64 // of an input
)

const partialMagic = "wes/partial/1"

// Encode returns the canonical encoding, without attachments.
func (p *Partial) Encode() []byte {
	b := appendPart([]byte(partialMagic), p.Tx.Encode())
	b = binary.AppendUvarint(b, p.drawn)
	b = binary.AppendUvarint(b, uint64(len(p.known)))
	for _, l := range p.known {
		b = appendPart(b, chain.EncodeLock(l))
	}
	b = binary.AppendUvarint(b, uint64(len(p.secrets)))
	for _, s := range p.secrets {
		b = append(b, s[:]...)
	}
	for i := range p.inputs {
		b = p.inputs[i].append(b)
	}
	return b
}

func appendPart(b, part []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(part))), part...)
}

func (in *partialInput) append(b []byte) []byte {
	b = appendPart(b, in.spent.Encode())
	b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(in.base)), uint64(in.exit))
	if in.moves == nil {
		b = append(b, 0)
	} else {
		b = binary.AppendUvarint(append(b, 1), *in.moves)
	}
	b = binary.AppendUvarint(b, uint64(len(in.steps)))
	for _, s := range in.steps {
		b = s.append(append(b, byte(s.kind)))
	}
	b = binary.AppendUvarint(b, uint64(len(in.signatures)))
	for _, s := range in.signatures {
		b = append(append(b, s.key[:]...), s.bytes[:]...)
	}
	return b
}

func (s *step) append(b []byte) []byte {
	switch s.kind {
	case stepBytes:
		return appendPart(b, s.bytes)
	case stepLock:
		return appendPart(b, chain.EncodeLock(s.lock))
	}
	return binary.AppendUvarint(b, s.number)
}

// DecodePartial is the inverse of Partial.Encode.
func DecodePartial(b []byte) (*Partial, error) {
	if len(b) > MaxPartial {
		return nil, fmt.Errorf("%w: %d bytes exceed %d", ErrPartial, len(b), MaxPartial)
	}
	r := &partReader{rest: b}
	p := r.partial()
	if r.err == nil && len(r.rest) > 0 {
		r.fail("%d bytes too many", len(r.rest))
	}
	if r.err == nil && !bytes.Equal(p.Encode(), b) {
		r.fail("not in canonical form")
	}
	if r.err != nil {
		return nil, r.err
	}
	return p, nil
}

// partReader reads from the start; after the first error everything it returns is zero.
type partReader struct {
	rest []byte
	err  error
}

func (r *partReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrPartial, fmt.Sprintf(format, args...))
	}
}

func (r *partReader) number(limit uint64) uint64 {
	n, size := binary.Uvarint(r.rest)
	if r.err != nil || size <= 0 || n > limit {
		r.fail("a number is missing or too large")
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *partReader) take(n int) []byte {
	if r.err != nil || n > len(r.rest) {
		r.fail("it ends early")
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *partReader) part() []byte { return r.take(int(r.number(MaxPartial))) }

// lock reads a lock, which keeps the limits of locks.
func (r *partReader) lock() chain.Lock {
	raw := r.part()
	if r.err != nil {
		return nil
	}
	l, err := chain.DecodeLock(raw)
	if err != nil {
		r.fail("lock: %v", err)
	}
	return l
}

func (r *partReader) partial() *Partial {
	if string(r.take(len(partialMagic))) != partialMagic {
		r.fail("it begins otherwise")
		return nil
	}
	raw := r.part()
	if r.err != nil {
		return nil
	}
	tx, err := chain.DecodeTx(raw)
	if err != nil {
		r.fail("body: %v", err)
		return nil
	}
	p := &Partial{Tx: tx, drawn: r.number(1<<64 - 1)}
	for range r.number(maxKnown) {
		p.known = append(p.known, r.lock())
	}
	for range r.number(maxKnown) {
		var s [chain.HashSize]byte
		copy(s[:], r.take(len(s)))
		p.secrets = append(p.secrets, s)
	}
	for range tx.Inputs {
		if r.err != nil {
			return nil
		}
		p.inputs = append(p.inputs, r.input())
	}
	if r.err == nil && !p.sorted() {
		r.fail("a list is not in order")
	}
	return p
}

func (r *partReader) input() (in partialInput) {
	raw := r.part()
	if r.err != nil {
		return in
	}
	spent, err := chain.DecodeOutput(raw)
	if err != nil {
		r.fail("spent output: %v", err)
	}
	in = partialInput{spent: spent, base: uint32(r.number(chain.MaxOutputs)), exit: uint32(r.number(1<<32 - 1))}
	if r.number(1) == 1 {
		n := r.number(1<<64 - 1)
		in.moves = &n
	}
	for range r.number(maxSteps) {
		in.steps = append(in.steps, r.step())
	}
	for range r.number(maxSignatures) {
		var s signature
		copy(s.key[:], r.take(len(s.key)))
		copy(s.bytes[:], r.take(len(s.bytes)))
		in.signatures = append(in.signatures, s)
	}
	return in
}

func (r *partReader) step() step {
	switch kind := stepKind(r.number(uint64(stepLock))); kind {
	case stepNumber:
		return number(r.number(1<<64 - 1))
	case stepBytes:
		return data(bytes.Clone(r.part()))
	case stepLock:
		return unlock(r.lock())
	}
	r.fail("unknown step")
	return step{}
}

// sorted reports whether lists ascend.
func (p *Partial) sorted() bool {
	ascends := func(n int, key func(i int) []byte) bool {
		for i := 1; i < n; i++ {
			if bytes.Compare(key(i-1), key(i)) >= 0 {
				return false
			}
		}
		return true
	}
	hash := func(i int) []byte { h := chain.LockHash(p.known[i]); return h[:] }
	return ascends(len(p.known), hash) &&
		ascends(len(p.secrets), func(i int) []byte { return p.secrets[i][:] }) &&
		!slices.ContainsFunc(p.inputs, func(in partialInput) bool {
			return !ascends(len(in.signatures), func(i int) []byte { return in.signatures[i].key[:] })
		})
}
