package main

import (
	"fmt"
	"math"
)

// A product of two limbs below 2^52, held as doubles, is split exactly into
// high·2^52 + low: the sum 2^104 + a·b, rounded towards zero, has high as its
// mantissa bits, and a·b plus (2^104 + 2^52) minus that sum is 2^52 + low,
// which has low as its mantissa bits. The bit patterns are added up as
// integers, and the exponents, which stay in the bits from 52 up, are taken
// off together.
// See Emmart, Zheng, Weems: Faster modular exponentiation using double
// precision floating point arithmetic on the GPU (ARITH 2018).
const (
	lowExponent  = 0x433 << 52
	highExponent = 0x467 << 52

	lowMagic  = lowExponent      // 2^52
	highMagic = highExponent     // 2^104
	bothMagic = highExponent | 1 // 2^104 + 2^52
)

const mask = 1<<limbBits - 1

// column is a sum of mantissas together with the exponents that came along. An
// empty column has no register yet; it is 0 or the sum at an address.
type column struct {
	reg     vreg
	empty   bool
	address string
	bias    uint64
}

// kernel emits the arithmetic. Its constants lie in the pool.
type kernel struct {
	*code
	*pool
	both vreg // 2^104 + 2^52 in every lane
	mask vreg // 2^52 - 1 in every lane
}

func newKernel(p *pool) *kernel {
	k := &kernel{code: newCode(), pool: p}
	k.both, k.mask = k.pin(), k.pin()
	k.emit("VBROADCASTSD", p.word(bothMagic), k.both)
	k.emit("VPBROADCASTQ", p.word(mask), k.mask)
	return k
}

func columns(n int) []*column {
	c := make([]*column, n)
	for i := range c {
		c[i] = &column{empty: true}
	}
	return c
}

func (k *kernel) broadcast(v uint64) vreg { return k.def("VBROADCASTSD", k.word(v)) }

// add adds a mantissa with its exponent to a column.
func (k *kernel) add(c *column, r vreg, exponent uint64) {
	c.bias += exponent
	if !c.empty {
		k.emit("VPADDQ", r, c.reg, c.reg)
		return
	}
	if c.address != "" {
		k.emit("VPADDQ", c.address, r, r)
	}
	c.reg, c.empty = r, false
}

// read brings a column to a register.
func (k *kernel) read(c *column) vreg {
	if c.empty {
		c.reg, c.empty = k.def("VMOVDQA64", c.address), false
	}
	return c.reg
}

// product adds a·b to the columns of its halves.
func (k *kernel) product(a, b vreg, low, high *column) {
	h := k.broadcast(highMagic)
	k.emit("VFMADD231PD.RZ_SAE", b, a, h)
	l := k.def("VSUBPD", h, k.both)
	k.emit("VFMADD231PD", b, a, l)
	k.add(high, h, highExponent)
	k.add(low, l, lowExponent)
}

// settle takes the exponents off a column.
func (k *kernel) settle(c *column) {
	if c.bias != 0 {
		k.emit("VPADDQ.BCST", k.word(-c.bias), c.reg, c.reg)
		c.bias = 0
	}
}

// digit returns the low limb of a column as a double and moves the rest to the
// next column.
func (k *kernel) digit(c, next *column) vreg {
	k.read(c)
	k.settle(c)
	d := k.def("VPANDQ", k.mask, c.reg)
	k.emit("VPSRLQ", "$52", c.reg, c.reg)
	k.add(next, c.reg, 0)
	k.emit("VCVTQQ2PD", d, d)
	return d
}

// load reads eight elements and returns their words, in the order 0, 2, 1, 3,
// 4, 6, 5, 7 of elements.
func (k *kernel) load(base string) [4]vreg {
	var row [4]vreg
	for i := range row {
		row[i] = k.def("VMOVDQU64", fmt.Sprintf("%d(%s)", 64*i, base))
	}
	even0 := k.def("VPUNPCKLQDQ", row[1], row[0])
	odd0 := k.def("VPUNPCKHQDQ", row[1], row[0])
	even1 := k.def("VPUNPCKLQDQ", row[3], row[2])
	odd1 := k.def("VPUNPCKHQDQ", row[3], row[2])
	return [4]vreg{
		k.def("VSHUFI64X2", "$0x88", even1, even0),
		k.def("VSHUFI64X2", "$0x88", odd1, odd0),
		k.def("VSHUFI64X2", "$0xdd", even1, even0),
		k.def("VSHUFI64X2", "$0xdd", odd1, odd0),
	}
}

// store is the inverse of load.
func (k *kernel) store(w [4]vreg, base string) {
	low0 := k.def("VPUNPCKLQDQ", w[1], w[0])  // words 0, 1 of elements 0 1 4 5
	low1 := k.def("VPUNPCKHQDQ", w[1], w[0])  // of 2 3 6 7
	high0 := k.def("VPUNPCKLQDQ", w[3], w[2]) // words 2, 3
	high1 := k.def("VPUNPCKHQDQ", w[3], w[2])
	first := k.row([8]uint64{0, 1, 8, 9, 2, 3, 10, 11})
	second := k.row([8]uint64{4, 5, 12, 13, 6, 7, 14, 15})
	for i, part := range []struct {
		index     string
		low, high vreg
	}{{first, low0, high0}, {first, low1, high1}, {second, low0, high0}, {second, low1, high1}} {
		r := k.def("VMOVDQU64", part.index)
		k.emit("VPERMI2Q", part.high, part.low, r)
		k.emit("VMOVDQU64", r, fmt.Sprintf("%d(%s)", 64*i, base))
	}
}

// split returns the limbs of 2^shift times four words.
func (k *kernel) split(w [4]vreg, shift int) [limbs]vreg {
	var out [limbs]vreg
	for i := range out {
		bit := limbBits*i - shift // of the words
		at := max(bit, 0)
		word, offset := at/64, at%64
		r := w[word]
		switch {
		case bit < 0:
			r = k.def("VPSLLQ", fmt.Sprintf("$%d", -bit), r)
			k.emit("VPANDQ", k.mask, r, r)
		case offset == 0:
			r = k.def("VPANDQ", k.mask, r)
		case word == 3:
			r = k.def("VPSRLQ", fmt.Sprintf("$%d", offset), r)
		case offset+limbBits <= 64:
			r = k.def("VPSRLQ", fmt.Sprintf("$%d", offset), r)
			if offset+limbBits < 64 {
				k.emit("VPANDQ", k.mask, r, r)
			}
		default:
			r = k.def("VPSRLQ", fmt.Sprintf("$%d", offset), r)
			next := k.def("VPSLLQ", fmt.Sprintf("$%d", 64-offset), w[word+1])
			k.emit("VPTERNLOGQ", "$0xa8", k.mask, next, r) // (r | next) & mask
		}
		out[i] = r
	}
	return out
}

// doubles converts limbs.
func (k *kernel) doubles(v [limbs]vreg) [limbs]vreg {
	for i := range v {
		v[i] = k.def("VCVTQQ2PD", v[i])
	}
	return v
}

// operand reads elements and returns the limbs of 2^shift times their stored
// form as doubles.
func (k *kernel) operand(base string, shift int) [limbs]vreg {
	return k.doubles(k.split(k.load(base), shift))
}

// difference is operand for the elements at high less those at low. The
// result is not reduced, but positive, below 2p.
func (k *kernel) difference(f *field, high, low string) [limbs]vreg {
	d := k.split(k.load(high), 0)
	p := split(f.p)
	for i, x := range k.split(k.load(low), 0) {
		d[i] = k.def("VPSUBQ", x, d[i])
		k.emit("VPADDQ.BCST", k.word(p[i]), d[i], d[i])
	}
	for i := range limbs - 1 {
		carry := k.def("VPSRAQ", "$52", d[i])
		k.emit("VPANDQ", k.mask, d[i], d[i])
		k.emit("VPADDQ", carry, d[i+1], d[i+1])
	}
	return k.doubles(d)
}

// multiply adds a·b to the ten columns.
func (k *kernel) multiply(a, b [limbs]vreg, c []*column) {
	for sum := range 2*limbs - 1 {
		for i := max(0, sum-limbs+1); i <= min(sum, limbs-1); i++ {
			k.product(a[i], b[sum-i], c[sum], c[sum+1])
		}
	}
}

// cancel adds the multiple of p that clears c[0], and the carry to c[1]. The
// columns after c[0] receive p's other limbs.
func (k *kernel) cancel(f *field, c []*column) {
	d := k.digit(c[0], c[1])
	inverse := k.broadcast(math.Float64bits(float64(f.negInverse())))
	h := k.broadcast(highMagic)
	k.emit("VFMADD231PD.RZ_SAE", inverse, d, h)
	m := k.def("VSUBPD", h, k.both)
	k.emit("VFMADD231PD", inverse, d, m)
	k.emit("VSUBPD.BCST", k.word(lowMagic), m, m)
	p := split(f.p)
	// The low half of m·p0 is 2^52 - d, or 0 if d is: rounding up carries.
	h = k.broadcast(highMagic)
	k.emit("VFMADD231PD.RU_SAE", k.broadcast(math.Float64bits(float64(p[0]))), m, h)
	k.add(c[1], h, highExponent)
	for j := 1; j < limbs; j++ {
		k.product(m, k.broadcast(math.Float64bits(float64(p[j]))), c[j], c[j+1])
	}
}

// fold adds Σ_i d[i]·2^(-52(n-i)) mod p, n = len(d), to the columns.
func (k *kernel) fold(f *field, d []vreg, c []*column) {
	for j := range limbs {
		for i := range d {
			factor := split(f.inverse(len(d) - i))[j]
			k.product(d[i], k.broadcast(math.Float64bits(float64(factor))), c[j], c[j+1])
		}
	}
}

// reducedBits is the power of 2 that reduce divides by.
const reducedBits = limbs * limbBits

// reduce returns the words of the ten columns' value, which is at most
// 32p^2, divided by 2^260, less up to two elements, modulo p.
func (k *kernel) reduce(f *field, c []*column, less ...string) [4]vreg {
	// The folded limbs leave 4p, cancel p and the rest p/2.
	const folded = limbs - 1
	var d [folded]vreg
	for i := range d {
		d[i] = k.digit(c[i], c[i+1])
	}
	k.fold(f, d[:], c[folded:])
	k.cancel(f, c[folded:])
	c = c[limbs:]
	p := split(f.p)
	for _, base := range less {
		for i, x := range k.split(k.load(base), 0) {
			k.emit("VPSUBQ", x, c[i].reg, c[i].reg)
			c[i].bias -= p[i]
		}
	}
	return k.finish(f, c)
}

// finish returns the words of the five columns' value, which is below 8p,
// reduced to [0, p).
func (k *kernel) finish(f *field, c []*column) [4]vreg {
	// The quotient by p or one less: carries into the top limb are left out.
	q := k.def("VPADDQ.BCST", k.word(-c[limbs-1].bias), c[limbs-1].reg)
	k.emit("VPSRLQ", fmt.Sprintf("$%d", quotientDrop), q, q)
	k.emit("VPMULUDQ.BCST", k.word(f.quotientFactor()), q, q)
	k.emit("VPSRLQ", fmt.Sprintf("$%d", quotientShift), q, q)
	// What is left, in [0, 2p), less p.
	for j, col := range c {
		row := f.multiples(j)
		for i := range row {
			row[i] += col.bias
		}
		m := k.def("VPERMQ", k.row(row), q)
		k.emit("VPSUBQ", m, col.reg, col.reg)
	}
	sign := c[0].reg
	for j := 1; j < limbs; j++ {
		carry := k.def("VPSRAQ", "$52", sign)
		sign = k.def("VPADDQ", carry, c[j].reg)
	}
	k.emit("VPMOVQ2M", sign, "K1")
	p := split(f.p)
	for j, col := range c {
		k.emit("VPADDQ.BCST", k.word(p[j]), col.reg, "K1", col.reg)
	}
	for j := 1; j < limbs; j++ {
		carry := k.def("VPSRAQ", "$52", c[j-1].reg)
		k.emit("VPADDQ", carry, c[j].reg, c[j].reg)
	}
	return k.pack(c)
}

// pack returns the words of five columns; all but the last carry into the next
// have been added, but not taken away.
func (k *kernel) pack(c []*column) [4]vreg {
	var w [4]vreg
	for i := range w {
		low := c[i].reg
		if i > 0 {
			low = k.def("VPSRLQ", fmt.Sprintf("$%d", 12*i), low)
		}
		m := k.mask
		if i > 0 {
			m = k.def("VPBROADCASTQ", k.word(mask>>(12*i)))
		}
		high := k.def("VPSLLQ", fmt.Sprintf("$%d", limbBits-12*i), c[i+1].reg)
		k.emit("VPTERNLOGQ", "$0xf8", m, low, high) // high | low & m
		w[i] = high
	}
	return w
}
