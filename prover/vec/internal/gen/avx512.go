package main

import (
	"fmt"
	"math"
)

// avx512 emits code for AVX-512 F, DQ and VL: eight elements at a time, in
// unsigned limbs of 52 bits. High halves are rounded towards zero.
type avx512 struct{ *kernel }

func newAVX512(f *field, p *pool) arithmetic {
	const lowExponent, highExponent = 0x433 << 52, 0x467 << 52 // of 2^52 and 2^104
	k := avx512{&kernel{
		code: newCode(registerFile{prefix: "Z", count: 32, lanes: 8}),
		pool: p,
		radix: radix{
			limbBits: 52, lowMagic: lowExponent, highMagic: highExponent, bothMagic: highExponent | 1,
			splitting: "VFMADD231PD.RZ_SAE",
		},
		f:     f,
		move:  "VMOVDQA64",
		slots: 4 * limbs,
	}}
	k.constant = k.broadcast
	k.both, k.mask = k.pin(), k.pin()
	k.emit("VBROADCASTSD", p.word(k.bothMagic), k.both)
	k.emit("VPBROADCASTQ", p.word(k.limbMask()), k.mask)
	return k
}

func (k avx512) broadcast(v uint64) vreg { return k.def("VBROADCASTSD", k.word(v)) }

// modulus returns p in limbs.
func (k avx512) modulus() [limbs]uint64 { return split(k.f.p, k.limbBits) }

// settle takes the exponents off a column.
func (k avx512) settle(c *column) {
	if c.bias != 0 {
		k.emit("VPADDQ.BCST", k.word(-c.bias), c.reg, c.reg)
		c.bias = 0
	}
}

// digit returns the low limb of a column as a double and moves the rest to the
// next column.
func (k avx512) digit(c, next *column) vreg {
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
func (k avx512) load(base string) [4]vreg {
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
func (k avx512) store(w [4]vreg, base string) {
	low0 := k.def("VPUNPCKLQDQ", w[1], w[0])  // words 0, 1 of elements 0 1 4 5
	low1 := k.def("VPUNPCKHQDQ", w[1], w[0])  // of 2 3 6 7
	high0 := k.def("VPUNPCKLQDQ", w[3], w[2]) // words 2, 3
	high1 := k.def("VPUNPCKHQDQ", w[3], w[2])
	first := k.row([]uint64{0, 1, 8, 9, 2, 3, 10, 11})
	second := k.row([]uint64{4, 5, 12, 13, 6, 7, 14, 15})
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
func (k avx512) split(w [4]vreg, shift int) [limbs]vreg {
	var out [limbs]vreg
	for i := range out {
		bit := k.limbBits*i - shift // of the words
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
		case offset+k.limbBits <= 64:
			r = k.def("VPSRLQ", fmt.Sprintf("$%d", offset), r)
			if offset+k.limbBits < 64 {
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
func (k avx512) doubles(v [limbs]vreg) [limbs]vreg {
	for i := range v {
		v[i] = k.def("VCVTQQ2PD", v[i])
	}
	return v
}

// operand reads elements and returns the limbs of 2^shift times their stored
// form as doubles.
func (k avx512) operand(base string, shift int) [limbs]vreg {
	return k.doubles(k.split(k.load(base), shift))
}

func (k avx512) left(base string) [limbs]any { return arguments(k.operand(base, 0)) }

func (k avx512) right(base string) [limbs]any { return arguments(k.operand(base, reducedBits-256)) }

// difference is operand for the elements at high less those at low. The
// result is not reduced, but positive, below 2p.
func (k avx512) difference(high, low string) [limbs]any {
	d := k.split(k.load(high), 0)
	p := k.modulus()
	for i, x := range k.split(k.load(low), 0) {
		d[i] = k.def("VPSUBQ", x, d[i])
		k.emit("VPADDQ.BCST", k.word(p[i]), d[i], d[i])
	}
	for i := range limbs - 1 {
		carry := k.def("VPSRAQ", "$52", d[i])
		k.emit("VPANDQ", k.mask, d[i], d[i])
		k.emit("VPADDQ", carry, d[i+1], d[i+1])
	}
	return arguments(k.doubles(d))
}

// multiply adds a·b to the ten columns.
func (k avx512) multiply(a, b [limbs]any, c []*column, _ int) {
	for sum := range 2*limbs - 1 {
		for i := max(0, sum-limbs+1); i <= min(sum, limbs-1); i++ {
			k.product(a[i], b[sum-i], c[sum], c[sum+1])
		}
	}
}

// square adds the squares of elements to the ten columns.
func (k avx512) square(base string, c []*column) {
	w := k.load(base)
	a := arguments(k.doubles(k.split(w, 0)))
	k.multiply(a, arguments(k.doubles(k.split(w, reducedBits-256))), c, 0)
}

// scaled returns the columns of a times the factor at base, which is 2^52 times
// too large.
func (k avx512) scaled(a [limbs]any, base string) []*column {
	c := columns(limbs + 1)
	for j := range limbs {
		for i := range limbs {
			s := k.def("VBROADCASTSD", fmt.Sprintf("%d(%s)", 8*(limbs*i+j), base))
			k.product(a[i], s, c[j], c[j+1])
		}
	}
	return c
}

// descale returns the words of what scaled has returned, plus elements.
func (k avx512) descale(c []*column, plus ...string) [4]vreg {
	k.cancel(c)
	for _, base := range plus {
		for i, x := range k.split(k.load(base), 0) {
			k.add(c[1+i], x, 0)
		}
	}
	return k.finish(c[1:])
}

// cancel adds the multiple of p that clears c[0], and the carry to c[1]. The
// columns after c[0] receive p's other limbs.
func (k avx512) cancel(c []*column) {
	d := k.digit(c[0], c[1])
	inverse := k.broadcast(math.Float64bits(float64(k.f.negInverse(k.limbBits).Uint64())))
	h := k.broadcast(k.highMagic)
	k.emit("VFMADD231PD.RZ_SAE", inverse, d, h)
	m := k.def("VSUBPD", h, k.both)
	k.emit("VFMADD231PD", inverse, d, m)
	k.emit("VSUBPD.BCST", k.word(k.lowMagic), m, m)
	p := k.modulus()
	// The low half of m·p0 is 2^52 - d, or 0 if d is: rounding up carries.
	h = k.broadcast(k.highMagic)
	k.emit("VFMADD231PD.RU_SAE", k.broadcast(math.Float64bits(float64(p[0]))), m, h)
	k.add(c[1], h, k.highMagic)
	for j := 1; j < limbs; j++ {
		k.product(m, k.broadcast(math.Float64bits(float64(p[j]))), c[j], c[j+1])
	}
}

// fold adds Σ_i d[i]·2^(-52(n-i)) mod p, n = len(d), to the columns.
func (k avx512) fold(d []vreg, c []*column) {
	for j := range limbs {
		for i := range d {
			factor := split(k.f.inverse(k.limbBits*(len(d)-i)), k.limbBits)[j]
			k.product(d[i], k.broadcast(math.Float64bits(float64(factor))), c[j], c[j+1])
		}
	}
}

// reducedBits is the power of 2 that reduce divides by. One operand of a
// product is shifted up by what it exceeds 256.
const reducedBits = limbs * 52

// reduce returns the words of the ten columns' value, which is at most
// 32p^2, divided by 2^260, less up to two elements, modulo p.
func (k avx512) reduce(c []*column, _ bounds, less ...string) [4]vreg {
	// The folded limbs leave 4p, cancel p and the rest p/2.
	const folded = limbs - 1
	var d [folded]vreg
	for i := range d {
		d[i] = k.digit(c[i], c[i+1])
	}
	k.fold(d[:], c[folded:])
	k.cancel(c[folded:])
	c = c[limbs:]
	p := k.modulus()
	for _, base := range less {
		for i, x := range k.split(k.load(base), 0) {
			k.emit("VPSUBQ", x, c[i].reg, c[i].reg)
			c[i].bias -= p[i]
		}
	}
	return k.finish(c)
}

const (
	// quotientDrop bits of the top limb do not enter the estimate of a
	// quotient, which leaves a factor below 2^32.
	quotientDrop  = 17
	quotientShift = 60
)

// quotientFactor returns floor(2^(208+quotientDrop+quotientShift) / p), which
// is below 2^32.
func (k avx512) quotientFactor() uint64 {
	v := power(k.limbBits*(limbs-1) + quotientDrop + quotientShift)
	v.Div(v, k.f.p)
	if v.BitLen() > 32 {
		panic("BUG: gen: quotient factor")
	}
	return v.Uint64()
}

// multiples returns limb j of (q+1)·p for q < 8.
func (k avx512) multiples(j int) []uint64 {
	row := make([]uint64, 8)
	for q := range row {
		row[q] = split(k.f.multiple(int64(q+1)), k.limbBits)[j]
	}
	return row
}

// finish returns the words of the five columns' value, which is below 8p,
// reduced to [0, p).
func (k avx512) finish(c []*column) [4]vreg {
	// The quotient by p or one less: carries into the top limb are left out.
	q := k.def("VPADDQ.BCST", k.word(-c[limbs-1].bias), c[limbs-1].reg)
	k.emit("VPSRLQ", fmt.Sprintf("$%d", quotientDrop), q, q)
	k.emit("VPMULUDQ.BCST", k.word(k.quotientFactor()), q, q)
	k.emit("VPSRLQ", fmt.Sprintf("$%d", quotientShift), q, q)
	// What is left, in [0, 2p), less p.
	for j, col := range c {
		row := k.multiples(j)
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
	p := k.modulus()
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
func (k avx512) pack(c []*column) [4]vreg {
	var w [4]vreg
	for i := range w {
		low := c[i].reg
		if i > 0 {
			low = k.def("VPSRLQ", fmt.Sprintf("$%d", 12*i), low)
		}
		m := k.mask
		if i > 0 {
			m = k.def("VPBROADCASTQ", k.word(k.limbMask()>>(12*i)))
		}
		high := k.def("VPSLLQ", fmt.Sprintf("$%d", k.limbBits-12*i), c[i+1].reg)
		k.emit("VPTERNLOGQ", "$0xf8", m, low, high) // high | low & m
		w[i] = high
	}
	return w
}

// sum adds up products of two operands in registers.
func (k avx512) sum(left, right func() [limbs]any) function {
	c := columns(2 * limbs)
	for i := range c {
		c[i].reg, c[i].empty = k.pin(), false
		k.emit("VPXORQ", c[i].reg, c[i].reg, c[i].reg)
	}
	return function{
		produce: func() []*column {
			var parked []*column
			for _, operand := range []func() [limbs]any{left, right} {
				for _, r := range operand() {
					parked = append(parked, k.park(&column{reg: r.(vreg)}, len(parked)))
				}
			}
			return parked
		},
		consume: func(parked []*column) {
			var b [limbs]vreg
			for j := range b {
				b[j] = k.read(parked[j])
			}
			for i := range limbs {
				a := k.read(parked[limbs+i])
				for j := range limbs {
					k.product(a, b[j], c[i+j], c[i+j+1])
				}
			}
		},
		epilogue: func() {
			for i := range c {
				k.emit("VMOVDQU64", c[i].reg, fmt.Sprintf("%d(DI)", 64*i))
			}
		},
	}
}
