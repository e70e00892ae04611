package main

import (
	"fmt"
	"math"
)

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
