package vec

import (
	"math"
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// columns holds for each lane the sums of a kernel in base 2^radix, not carried.
// Every term has brought the bits of its magic along.
type columns [2 * limbs][lanes]uint64

// maxBatches bounds the batches that go into columns. Each adds at most nine
// numbers below 2^52 to a column of eight lanes. With four lanes it adds twice,
// at most, five numbers of magnitude 2^50 and five of 2^51, which have signs.
const maxBatches = 256

// magics returns the bits that come along with a low and a high half of a
// product, see internal/gen.
func (r radix) magics() (low, high uint64) {
	if r == radix52 {
		return math.Float64bits(0x1p52), math.Float64bits(0x1p104)
	}
	return math.Float64bits(0x1.8p52), math.Float64bits(0x1.8p103)
}

// bias returns what the magics of a batch add to column k: a low half for every
// product of limbs i + j = k, a high half for i + j = k-1.
func (r radix) bias(k int) uint64 {
	pairs := func(k int) uint64 { return uint64(max(0, min(k+1, 2*limbs-1-k))) }
	low, high := r.magics()
	return pairs(k)*low + pairs(k-1)*high
}

// wide is an integer in two's complement of 576 bits, least significant word
// first.
type wide [9]uint64

// addColumns adds the sums of n batches of eight elements.
func (w *wide) addColumns(c *columns, n int, r radix) {
	width := lanes
	if r == radix51 {
		n, width = 2*n, lanes/2
	}
	var low, high, carry uint64 // of the columns so far, from bit k·radix up, with a sign
	for k := range c {
		bias := uint64(n) * r.bias(k)
		for _, x := range c[k][:width] {
			x -= bias
			low, carry = bits.Add64(low, x, 0)
			high += carry
			if r == radix51 {
				high += uint64(int64(x) >> 63)
			}
		}
		w.addShifted(low&r.mask(), 0, int(r)*k)
		low, high = low>>r|high<<(64-r), uint64(int64(high)>>r)
	}
	w.addShifted(low, high, int(r)*len(c))
}

// addShifted adds (low + 2^64·high)·2^shift, high having a sign.
func (w *wide) addShifted(low, high uint64, shift int) {
	at, offset := shift/64, shift%64
	parts := [3]uint64{low << offset, low>>(64-offset) | high<<offset, uint64(int64(high) >> (64 - offset))}
	sign := uint64(int64(high) >> 63)
	var c uint64
	for i := at; i < len(w); i++ {
		x := sign
		if i-at < len(parts) {
			x = parts[i-at]
		}
		w[i], c = bits.Add64(w[i], x, c)
	}
}

// addProducts adds Σ_i a[i]·b[i], taking the Montgomery forms for integers;
// only the sum is ever reduced. Each product is below 2^508. The rows of the
// product are written out because a call per row doubles the time.
func (w *wide) addProducts(a, b fr.Vector) {
	s0, s1, s2, s3, s4, s5, s6, s7, s8 := w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8]
	b = b[:len(a)]
	for i := range a {
		x, y := &a[i], &b[i]
		y0, y1, y2, y3 := y[0], y[1], y[2], y[3]
		var c uint64

		h0, p0 := bits.Mul64(x[0], y0)
		h1, p1 := bits.Mul64(x[0], y1)
		h2, p2 := bits.Mul64(x[0], y2)
		p4, p3 := bits.Mul64(x[0], y3)
		p1, c = bits.Add64(p1, h0, 0)
		p2, c = bits.Add64(p2, h1, c)
		p3, c = bits.Add64(p3, h2, c)
		p4 += c

		h0, l0 := bits.Mul64(x[1], y0)
		h1, l1 := bits.Mul64(x[1], y1)
		h2, l2 := bits.Mul64(x[1], y2)
		p5, l3 := bits.Mul64(x[1], y3)
		l1, c = bits.Add64(l1, h0, 0)
		l2, c = bits.Add64(l2, h1, c)
		l3, c = bits.Add64(l3, h2, c)
		p5 += c
		p1, c = bits.Add64(p1, l0, 0)
		p2, c = bits.Add64(p2, l1, c)
		p3, c = bits.Add64(p3, l2, c)
		p4, c = bits.Add64(p4, l3, c)
		p5 += c

		h0, l0 = bits.Mul64(x[2], y0)
		h1, l1 = bits.Mul64(x[2], y1)
		h2, l2 = bits.Mul64(x[2], y2)
		p6, l3 := bits.Mul64(x[2], y3)
		l1, c = bits.Add64(l1, h0, 0)
		l2, c = bits.Add64(l2, h1, c)
		l3, c = bits.Add64(l3, h2, c)
		p6 += c
		p2, c = bits.Add64(p2, l0, 0)
		p3, c = bits.Add64(p3, l1, c)
		p4, c = bits.Add64(p4, l2, c)
		p5, c = bits.Add64(p5, l3, c)
		p6 += c

		h0, l0 = bits.Mul64(x[3], y0)
		h1, l1 = bits.Mul64(x[3], y1)
		h2, l2 = bits.Mul64(x[3], y2)
		p7, l3 := bits.Mul64(x[3], y3)
		l1, c = bits.Add64(l1, h0, 0)
		l2, c = bits.Add64(l2, h1, c)
		l3, c = bits.Add64(l3, h2, c)
		p7 += c
		p3, c = bits.Add64(p3, l0, 0)
		p4, c = bits.Add64(p4, l1, c)
		p5, c = bits.Add64(p5, l2, c)
		p6, c = bits.Add64(p6, l3, c)
		p7 += c

		s0, c = bits.Add64(s0, p0, 0)
		s1, c = bits.Add64(s1, p1, c)
		s2, c = bits.Add64(s2, p2, c)
		s3, c = bits.Add64(s3, p3, c)
		s4, c = bits.Add64(s4, p4, c)
		s5, c = bits.Add64(s5, p5, c)
		s6, c = bits.Add64(s6, p6, c)
		s7, c = bits.Add64(s7, p7, c)
		s8 += c
	}
	*w = wide{s0, s1, s2, s3, s4, s5, s6, s7, s8}
}

// reduce returns w/2^256 mod r, the Montgomery form of a sum of products of
// Montgomery forms. Three limbs at a time are a valid Montgomery form; the
// factors, as integers, are 1, 2^192 and 2^384.
func (w *wide) reduce() fr.Element {
	if int64(w[8]) < 0 {
		minus := w.negative()
		e := minus.reduce()
		return *e.Neg(&e)
	}
	low := fr.Element{w[0], w[1], w[2]}
	mid := fr.Element{w[3], w[4], w[5]}
	high := fr.Element{w[6], w[7], w[8]}
	power := fr.Element{0xb075da81ef8cfeb9, 0xa7f12acca5b6cd8c, 0x32c475047957bf7b, 0x03d581d748ffa25e} // 2^384 mod r
	low.Mul(&low, &fr.Element{1})
	mid.Mul(&mid, &fr.Element{0, 0, 0, 1})
	high.Mul(&high, &power)
	low.Add(&low, &mid).Add(&low, &high)
	return low
}

func (w *wide) negative() (minus wide) {
	var b uint64
	for i, x := range w {
		minus[i], b = bits.Sub64(0, x, b)
	}
	return minus
}
