package commit

import (
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

// The words of the modulus p, lowest first.
const (
	modulus0 = 0x3c208c16d87cfd47
	modulus1 = 0x97816a916871ca8d
	modulus2 = 0xb85045b68181585d
	modulus3 = 0x30644e72e131a029
)

// segments is a sequence of lists of points, stored one after the other. Every
// list has at least one point.
type segments struct {
	x, y fp.Vector // coordinates; the lists fill a prefix
	lens []int32   // points of each list
}

// push appends a point; the caller counts it in lens.
func (s *segments) push(x, y *fp.Element) { s.x, s.y = append(s.x, *x), append(s.y, *y) }

// reset removes all lists.
func (s *segments) reset() { s.lens = s.lens[:0] }

// sum replaces each list by its sum: afterwards list i is entry i.
func (s *segments) sum(a *adder) {
	for s.halve(a) {
	}
}

// halve adds neighbours in each list, which halves every length (rounding up),
// and reports whether some list still has several points.
//
// It works in place. A result never lands behind its operands, and the operands of
// the batch are copied out before any result of the batch is written, so no unread
// operand is overwritten.
func (s *segments) halve(a *adder) (more bool) {
	r, w := 0, int32(0)
	for i, n := range s.lens {
		for range n / 2 {
			s.load(a, r, w)
			r, w = r+2, w+1
		}
		if n%2 == 1 {
			s.x[w], s.y[w] = s.x[r], s.y[r]
			r, w = r+1, w+1
		}
		s.lens[i] = (n + 1) / 2
		more = more || n > 2
	}
	a.sum(s.x, s.y)
	return more
}

// load puts the pair of entries (r, r+1) into the batch, its sum to become entry w.
func (s *segments) load(a *adder, r int, w int32) {
	i := a.n
	a.x1[i], a.y1[i], a.x2[i], a.y2[i] = s.x[r], s.y[r], s.x[r+1], s.y[r+1]
	s.loaded(a, w)
}

// gather fills the sequence with the first halving of lists that hold entries instead
// of points: 2j stands for points[j], 2j+1 for its negative.
func (s *segments) gather(a *adder, points []bn254.G1Affine, entries []int32) (more bool) {
	s.grow()
	r, w := 0, int32(0)
	for i, n := range s.lens {
		list := entries[r : r+int(n)]
		r += int(n)
		a.touched ^= touch(points, list)
		for ; len(list) > 1; list = list[2:] {
			p, q, j := &points[list[0]>>1], &points[list[1]>>1], a.n
			a.x1[j], a.x2[j] = p.X, q.X
			setSigned(&a.y1[j], &p.Y, list[0])
			setSigned(&a.y2[j], &q.Y, list[1])
			s.loaded(a, w)
			w++
		}
		if len(list) == 1 {
			p := &points[list[0]>>1]
			s.x[w] = p.X
			setSigned(&s.y[w], &p.Y, list[0])
			w++
		}
		s.lens[i] = (n + 1) / 2
		more = more || n > 2
	}
	a.sum(s.x, s.y)
	return more
}

// touch reads a word of each point. Memory answers these reads at once, where the copies of
// gather, with much work between them, would wait for one after the other: up to a tenth of
// the time with thousands of points. The result keeps the compiler from leaving it out.
func touch(points []bn254.G1Affine, entries []int32) (all uint64) {
	for _, e := range entries {
		all ^= points[e>>1].X[0]
	}
	return all
}

// setSigned sets z to y, or to −y if the entry is odd, without a branch, since signs
// are random. y is the coordinate of a point, so 0 only at infinity.
func setSigned(z, y *fp.Element, entry int32) {
	any := y[0] | y[1] | y[2] | y[3]
	negate := -(uint64(entry&1) & ((any | -any) >> 63))
	// y xor −1 is −y − 1, and −y + p is −y − 1 + (p + 1).
	var c uint64
	z[0], c = bits.Add64(y[0]^negate, (modulus0+1)&negate, 0)
	z[1], c = bits.Add64(y[1]^negate, modulus1&negate, c)
	z[2], c = bits.Add64(y[2]^negate, modulus2&negate, c)
	z[3], _ = bits.Add64(y[3]^negate, modulus3&negate, c)
}

// grow makes room for the first halving of the lists.
func (s *segments) grow() {
	points := 0
	for _, n := range s.lens {
		points += (int(n) + 1) / 2
	}
	if points > len(s.x) {
		points += points / 8 // later batches are rarely much larger
		s.x, s.y = make(fp.Vector, points), make(fp.Vector, points)
	}
}

// loaded counts the pair just written to the batch, whose sum becomes entry w.
func (s *segments) loaded(a *adder, w int32) {
	a.dst[a.n] = w
	a.n++
	if a.n == len(a.dst) {
		a.sum(s.x, s.y)
	}
}
