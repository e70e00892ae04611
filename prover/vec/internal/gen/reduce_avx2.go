package main

import (
	"fmt"
	"math"
	"math/big"
)

// positive is added to a column before a logical shift; columns are above its
// negative.
const positive = 1 << 62

// settle takes the magics off a column and adds to it.
func (k avx2) settle(c *column, plus uint64) {
	r := k.read(c)
	k.emit("VPADDQ", k.all(plus-c.bias), r, r)
	c.bias = plus
}

// carry moves what a column has from bit limbBits up to the next one. The
// column keeps it as well. It must be settled to positive.
func (k avx2) carry(c, next *column) {
	r := k.def("VPSRLQ", "$51", c.reg)
	k.add(next, r, c.bias>>51)
}

// digit returns the low limb of a column, in [least, least+2^51), as a double
// and moves the rest to the next column.
func (k avx2) digit(c, next *column, least int64) vreg {
	k.settle(c, positive-uint64(least))
	c.bias = positive
	k.carry(c, next)
	k.emit("VPAND", k.all(k.limbMask()), c.reg, c.reg)
	k.emit("VPOR", k.all(math.Float64bits(0x1p52)), c.reg, c.reg)
	k.emit("VSUBPD", k.all(math.Float64bits(0x1p52-float64(least))), c.reg, c.reg)
	return c.reg
}

// fold takes the first columns, all but six, modulo p to the six. It parks these
// but for the first two, which are needed next. The part lean of a digit's range
// gives it the sign that makes the value smaller.
func (k avx2) fold(c []*column, lean float64) []*column {
	d := make([]vreg, len(c)-limbs-1)
	factors := make([][limbs]float64, len(d))
	for i := range d {
		factor := k.residue(len(d) - i)
		least := -lean
		if factor.Sign() < 0 {
			least = lean - 1
		}
		d[i] = k.digit(c[i], c[i+1], int64(math.Ldexp(least, k.limbBits)))
		for j, limb := range split(new(big.Int).Abs(factor), k.limbBits) {
			factors[i][j] = float64(factor.Sign()) * float64(limb)
		}
	}
	c = c[len(d):]
	c[0] = k.park(c[0], reduceSlots)
	for j := limbs - 1; j >= 0; j-- {
		for i := range d {
			k.product(d[i], k.all(math.Float64bits(factors[i][j])), c[j], c[j+1])
		}
		if j > 0 {
			c[j+1] = k.park(c[j+1], reduceSlots+j+1)
		}
	}
	return c
}

// residue returns the number nearest to 0 that is 2^(-51n) modulo p.
func (k avx2) residue(n int) *big.Int {
	v := k.f.inverse(k.limbBits * n)
	if negative := new(big.Int).Sub(v, k.f.p); negative.CmpAbs(v) < 0 {
		return negative
	}
	return v
}

// lean returns the part for which the result of a reduction is in [-p, p): the
// bounds, in p once divided by 2^256, at most p/2 on either side from cancel, and
// what is folded.
func (k avx2) lean(b bounds) float64 {
	sum := new(big.Int)
	for n := range limbs - 1 {
		sum.Add(sum, new(big.Int).Abs(k.residue(n+1)))
	}
	width := quotient(sum, k.f.p) / 2 // 2^51 of the 2^52 that cancel divides by
	square := quotient(k.f.p, power(256))
	least := width + square*float64(b.most) - 0.5
	most := square*float64(b.least) + 0.5
	if least > most {
		panic("BUG: gen: a result beyond what one addition of p mends")
	}
	return (least + most) / 2 / width
}

// clearedBits is what cancel clears: the lowest limb and one bit more.
const clearedBits = 52

// cancel adds the multiple of p, below 2^51·p, that clears the lowest bits of six
// columns, and returns the other five, an even number.
func (k avx2) cancel(c []*column) []*column {
	k.settle(c[0], positive)
	d := k.def("VPSLLQ", fmt.Sprintf("$%d", k.limbBits), k.read(c[1]))
	if c[1].bias%2 != 0 {
		panic("BUG: gen: odd magic")
	}
	k.emit("VPADDQ", c[0].reg, d, d)
	k.emit("VPAND", k.all(1<<clearedBits-1), d, d)
	k.emit("VPOR", k.all(math.Float64bits(0x1p52)), d, d)
	k.lower(d)
	inverse := k.f.negInverse(clearedBits)
	if inverse.Bit(clearedBits-1) == 1 {
		inverse.Sub(inverse, power(clearedBits))
	}
	factor := k.all(math.Float64bits(float64(inverse.Int64())))
	magic := k.all(math.Float64bits(0x1.8p104))
	m, h := k.def("VMOVUPD", magic), k.def("VMOVUPD", magic)
	k.emit("VFMADD231PD", factor, d, h)
	k.emit("VSUBPD", h, m, m)
	k.emit("VFMADD231PD", factor, d, m)
	for j, p := range split(k.f.p, k.limbBits) {
		k.product(m, k.all(math.Float64bits(float64(p))), c[j], c[j+1])
		if j == 0 {
			k.carry(c[0], c[1])
		}
	}
	return c[1:]
}

// unscale returns the words of what fold and cancel leave, which is between
// -(1+extra)·p and p, reduced to [0, p).
func (k avx2) unscale(c []*column, extra int) [4]vreg {
	c = k.cancel(c)
	for range extra {
		k.raise(c)
	}
	return k.finish(c)
}

// twice returns 2p in limbs.
func (k avx2) twice() [limbs]uint64 { return split(k.f.multiple(2), k.limbBits) }

// raise adds p to a value that the top limb, without carries from below, shows
// to be below about -0.8·p.
func (k avx2) raise(c []*column) {
	top := c[limbs-1]
	k.settle(top, 0)
	p := k.twice()
	low := k.constant(-(p[limbs-1] - p[limbs-1]/5))
	k.emit("VPCMPGTQ", top.reg, low, low)
	for j, col := range c {
		k.read(col)
		r := k.def("VPAND", k.all(p[j]), low)
		k.emit("VPADDQ", r, col.reg, col.reg)
	}
}

// finish returns the words of half the five columns' value, an even number in
// [-2p, 2p); p is added if it is negative.
func (k avx2) finish(c []*column) [4]vreg {
	for j := range limbs - 1 {
		k.settle(c[j], positive)
		k.carry(c[j], c[j+1])
	}
	k.settle(c[limbs-1], 0)
	// Registers that compare as less than zero.
	sign := k.def("VPXOR", c[0].reg, c[0].reg)
	k.emit("VPCMPGTQ", c[limbs-1].reg, sign, sign)
	p := k.twice()
	for j, col := range c {
		if j < limbs-1 {
			k.emit("VPAND", k.all(k.limbMask()), col.reg, col.reg)
		}
		r := k.def("VPAND", k.all(p[j]), sign)
		k.emit("VPADDQ", r, col.reg, col.reg)
		if j > 0 {
			carry := k.def("VPSRLQ", "$51", c[j-1].reg)
			k.emit("VPADDQ", carry, col.reg, col.reg)
		}
	}
	return k.pack(c)
}

// pack returns the words of half the value of five limbs; carries have been
// added, but not taken away.
func (k avx2) pack(c []*column) (w [4]vreg) {
	for i := range w {
		low := c[i].reg
		k.emit("VPAND", k.all(k.limbMask()), low, low)
		k.emit("VPSRLQ", fmt.Sprintf("$%d", 1+13*i), low, low)
		high := k.def("VPSLLQ", fmt.Sprintf("$%d", 50-13*i), c[i+1].reg)
		w[i] = k.def("VPOR", low, high)
	}
	return w
}

func (k avx2) reduce(c []*column, b bounds, less ...string) [4]vreg {
	c = k.fold(c, k.lean(b))
	for _, base := range less {
		k.split(base, 1, func(i int, x vreg) {
			r := k.read(c[1+i])
			k.emit("VPSUBQ", x, r, r)
			c[1+i] = k.park(c[1+i], reduceSlots+1+i)
		})
	}
	return k.unscale(c, len(less))
}

func (k avx2) descale(c []*column, plus ...string) [4]vreg {
	c = k.fold(c, 0.5)
	for _, base := range plus {
		k.split(base, 1, func(i int, x vreg) {
			k.add(c[1+i], x, 0)
			c[1+i] = k.park(c[1+i], reduceSlots+1+i)
		})
		// Back to what unscale takes.
		for i, p := range k.twice() {
			c[1+i].bias += p
		}
	}
	return k.unscale(c, len(plus))
}
