package poly

import (
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// wide is a two's complement integer of 320 bits, least significant word first:
// a sum of products of stored (Montgomery) field elements and int32 values, not
// reduced. It has room for 2^33 products.
type wide [5]uint64

// reduce sets e to the value modulo r, |s| <= 2^64·r. Stored elements are linear in
// the values they stand for, so the sum of stored forms is the stored form of the
// sum.
//
// The quotient of the two top words of |s| and the top word of r, rounded up, is
// at most 2 too small (Knuth, The Art of Computer Programming 2, 4.3.1), and
// seldom for a small s.
func (s *wide) reduce(e *fr.Element) {
	// |s| = (s^m) - m.
	m := uint64(int64(s[4]) >> 63)
	x0, b := bits.Sub64(s[0]^m, m, 0)
	x1, b := bits.Sub64(s[1]^m, m, b)
	x2, b := bits.Sub64(s[2]^m, m, b)
	x3, b := bits.Sub64(s[3]^m, m, b)
	x4, _ := bits.Sub64(s[4]^m, m, b)
	q, _ := bits.Div64(x4, x3, q3+1)
	h0, l0 := bits.Mul64(q, q0)
	h1, l1 := bits.Mul64(q, q1)
	h2, l2 := bits.Mul64(q, q2)
	x0, b = bits.Sub64(x0, l0, 0)
	x1, b = bits.Sub64(x1, l1, b)
	x2, b = bits.Sub64(x2, l2, b)
	x3, _ = bits.Sub64(x3, q*q3, b)
	x1, b = bits.Sub64(x1, h0, 0)
	x2, b = bits.Sub64(x2, h1, b)
	x3, _ = bits.Sub64(x3, h2, b)
	for {
		y0, b := bits.Sub64(x0, q0, 0)
		y1, b := bits.Sub64(x1, q1, b)
		y2, b := bits.Sub64(x2, q2, b)
		y3, b := bits.Sub64(x3, q3, b)
		if b != 0 {
			break
		}
		x0, x1, x2, x3 = y0, y1, y2, y3
	}
	e[0], e[1], e[2], e[3] = x0, x1, x2, x3
	if m != 0 {
		e.Neg(e)
	}
}

// The modulus of F, least significant word first.
const (
	q0 = 0x43e1f593f0000001
	q1 = 0x2833e84879b97091
	q2 = 0xb85045b68181585d
	q3 = 0x30644e72e131a029
)

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
