package poly

import (
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// wide is a two's complement integer of 320 bits, least significant word first:
// a sum of products of stored (Montgomery) field elements and int32 values, not
// reduced. It has room for 2^33 products.
type wide [5]uint64

// element returns the value modulo r. Stored elements are linear in the values
// they stand for, so the sum of stored forms is the stored form of the sum.
func (s *wide) element() fr.Element {
	low := reduce(fr.Element{s[0], s[1], s[2], s[3]})
	// The stored form of the integer v is v·2^256 mod r.
	high := FromInt64(int64(s[4]))
	low.Add(&low, &high)
	return low
}

// The modulus of F, least significant word first.
const (
	q0 = 0x43e1f593f0000001
	q1 = 0x2833e84879b97091
	q2 = 0xb85045b68181585d
	q3 = 0x30644e72e131a029
)

// reduce subtracts r, at most five times, until x < r.
func reduce(x fr.Element) fr.Element {
	for {
		var y fr.Element
		var b uint64
		y[0], b = bits.Sub64(x[0], q0, 0)
		y[1], b = bits.Sub64(x[1], q1, b)
		y[2], b = bits.Sub64(x[2], q2, b)
		y[3], b = bits.Sub64(x[3], q3, b)
		if b != 0 {
			return x
		}
		x = y
	}
}

// addScalar adds the current tile of so many lanes to s without vector
// instructions. Every entry d enters as d+2^31 >= 0; the excess is taken off at the
// end.
func (w *worker) addScalar(s *sums, lanes int) {
	var offset [chunkTerms]int32
	excess := dotOffset(w.weights, offset[:], 1)
	for k := range lanes {
		x := dotOffset(w.weights, w.tile[k*w.lane:], w.step)
		x.sub(&excess)
		s.wide[k].add(&x)
	}
}

// dotOffset returns Σ_i weights[i]·(data[i·step]+2^31).
func dotOffset(weights []fr.Element, data []int32, step int) wide {
	var s0, s1, s2, s3, s4, c uint64
	at := 0
	for i := range weights {
		x := &weights[i]
		u := uint64(uint32(data[at]) ^ 1<<31)
		at += step
		h0, l0 := bits.Mul64(x[0], u)
		h1, l1 := bits.Mul64(x[1], u)
		h2, l2 := bits.Mul64(x[2], u)
		h3, l3 := bits.Mul64(x[3], u)
		s0, c = bits.Add64(s0, l0, 0)
		s1, c = bits.Add64(s1, l1, c)
		s2, c = bits.Add64(s2, l2, c)
		s3, c = bits.Add64(s3, l3, c)
		s4 += h3 + c
		s1, c = bits.Add64(s1, h0, 0)
		s2, c = bits.Add64(s2, h1, c)
		s3, c = bits.Add64(s3, h2, c)
		s4 += c
	}
	return wide{s0, s1, s2, s3, s4}
}

func (s *wide) sub(x *wide) {
	var b uint64
	s[0], b = bits.Sub64(s[0], x[0], 0)
	s[1], b = bits.Sub64(s[1], x[1], b)
	s[2], b = bits.Sub64(s[2], x[2], b)
	s[3], b = bits.Sub64(s[3], x[3], b)
	s[4] -= x[4] + b
}

func (s *wide) add(x *wide) {
	var c uint64
	s[0], c = bits.Add64(s[0], x[0], 0)
	s[1], c = bits.Add64(s[1], x[1], c)
	s[2], c = bits.Add64(s[2], x[2], c)
	s[3], c = bits.Add64(s[3], x[3], c)
	s[4] += x[4] + c
}
