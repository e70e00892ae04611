package main

import (
	"fmt"
	"math"
)

// avx2 emits code for AVX2 and FMA: four elements at a time, in limbs of 51
// bits. Halves are rounded to the nearest, so low halves have a sign, and so
// may limbs: a difference of elements needs no carries.
//
// A product is 2^256 times what is wanted. Its four lowest limbs are folded, and
// the 52 lowest bits of what is left are cleared, 51·4+52 = 256, so the limbs at
// the end are those of twice the result. A multiplier's product is 2^103 times
// too large: one limb is folded.
type avx2 struct{ *kernel }

func newAVX2(f *field, p *pool) arithmetic {
	k := avx2{&kernel{
		code:  newCode(registerFile{prefix: "Y", count: 16, lanes: 4}),
		pool:  p,
		radix: radix{limbBits: 51, splitting: "VFMADD231PD"},
		f:     f,
		move:  "VMOVDQA",
		slots: 8 * limbs,
	}}
	k.lowMagic = math.Float64bits(0x1.8p52)
	k.highMagic = math.Float64bits(0x1.8p103)
	k.bothMagic = math.Float64bits(0x1.8p103 + 0x1.8p52)
	k.both = k.pin()
	high := k.pin()
	k.emit("VMOVUPD", k.all(k.bothMagic), k.both)
	k.emit("VMOVUPD", k.all(k.highMagic), high)
	k.constant = func(v uint64) vreg {
		if v == k.highMagic {
			return k.def("VMOVAPD", high)
		}
		return k.def("VMOVUPD", k.all(v))
	}
	return k
}

// The slots of the frame: columns, those of a first product, operands, and what
// reduction keeps.
const (
	rightSlots  = 4 * limbs
	leftSlots   = 5 * limbs
	reduceSlots = 6 * limbs
)

// all returns the address of a word for every lane.
func (k avx2) all(v uint64) string { return k.row([]uint64{v, v, v, v}) }

// load reads words 2i and 2i+1 of four elements, in the order of elements.
func (k avx2) load(base string, i int) (even, odd vreg) {
	var pair [2]vreg // both words of the elements 0, 2 and 1, 3
	for j := range pair {
		at := 16*i + 32*j
		pair[j] = k.reg()
		k.emit("VMOVDQU", fmt.Sprintf("%d(%s)", at, base), half(pair[j]))
		k.emit("VINSERTI128", "$1", fmt.Sprintf("%d(%s)", at+64, base), pair[j], pair[j])
	}
	return k.def("VPUNPCKLQDQ", pair[1], pair[0]), k.def("VPUNPCKHQDQ", pair[1], pair[0])
}

// store is the inverse of load.
func (k avx2) store(w [4]vreg, base string) {
	low := [2]vreg{k.def("VPUNPCKLQDQ", w[1], w[0]), k.def("VPUNPCKHQDQ", w[1], w[0])}
	high := [2]vreg{k.def("VPUNPCKLQDQ", w[3], w[2]), k.def("VPUNPCKHQDQ", w[3], w[2])}
	for j := range 2 {
		for i, lanes := range []string{"$0x20", "$0x31"} {
			r := k.def("VPERM2I128", lanes, high[j], low[j])
			k.emit("VMOVDQU", r, fmt.Sprintf("%d(%s)", 32*j+64*i, base))
		}
	}
}

// split hands out the limbs of 2^shift times four elements, shift < 2, as soon
// as it has them: registers are few.
func (k avx2) split(base string, shift int, take func(i int, limb vreg)) {
	var w [4]vreg
	w[0], w[1] = k.load(base, 0)
	for i := range limbs {
		bit := max(0, k.limbBits*i-shift)
		word, offset := bit/64, bit%64
		if i == 2 {
			w[2], w[3] = k.load(base, 1)
		}
		var r vreg
		switch {
		case i > 0:
			r = k.def("VPSRLQ", fmt.Sprintf("$%d", offset), w[word])
		case shift > 0:
			r = k.def("VPSLLQ", fmt.Sprintf("$%d", shift), w[word])
		default:
			r = k.def(k.move, w[word])
		}
		if offset+k.limbBits > 64 && word < 3 {
			next := k.def("VPSLLQ", fmt.Sprintf("$%d", 64-offset), w[word+1])
			k.emit("VPOR", next, r, r)
		}
		if i < limbs-1 {
			k.emit("VPAND", k.all(k.limbMask()), r, r)
		}
		take(i, r)
	}
}

// raised is split for doubles that are 2^52 too large.
func (k avx2) raised(base string, take func(i int, limb vreg)) {
	k.split(base, 0, func(i int, r vreg) {
		k.emit("VPOR", k.all(math.Float64bits(0x1p52)), r, r)
		take(i, r)
	})
}

// lower subtracts 2^52.
func (k avx2) lower(r vreg) { k.emit("VSUBPD", k.all(math.Float64bits(0x1p52)), r, r) }

// keep leaves a limb in a slot of the frame.
func (k avx2) keep(r vreg, at int) any {
	k.emit(k.move, r, k.slot(at))
	return k.slot(at)
}

func (k avx2) operand(base string, at int) (out [limbs]any) {
	k.raised(base, func(i int, r vreg) {
		k.lower(r)
		out[i] = k.keep(r, at+i)
	})
	return out
}

func (k avx2) left(base string) [limbs]any { return k.operand(base, leftSlots) }

func (k avx2) right(base string) [limbs]any { return k.operand(base, rightSlots) }

func (k avx2) difference(high, low string) (out [limbs]any) {
	k.raised(high, func(i int, r vreg) { out[i] = k.keep(r, leftSlots+i) })
	k.raised(low, func(i int, r vreg) {
		d := k.def(k.move, out[i])
		k.emit("VSUBPD", r, d, d)
		k.keep(d, leftSlots+i)
	})
	return out
}

func (k avx2) square(base string, c []*column) {
	a := k.left(base)
	k.multiply(a, a, c, 0)
}

// multiply adds a·b to the ten columns and parks them, one after the other.
func (k avx2) multiply(a, b [limbs]any, c []*column, at int) {
	for sum := range 2*limbs - 1 {
		for i := max(0, sum-limbs+1); i <= min(sum, limbs-1); i++ {
			k.product(k.def(k.move, a[i]), k.def(k.move, b[sum-i]), c[sum], c[sum+1])
		}
		c[sum] = k.park(c[sum], at+sum)
	}
	c[2*limbs-1] = k.park(c[2*limbs-1], at+2*limbs-1)
}

func (k avx2) scaled(a [limbs]any, base string) []*column {
	c := columns(limbs + 2)
	for j := range limbs {
		for i := range limbs {
			s := k.def("VBROADCASTSD", fmt.Sprintf("%d(%s)", 8*(limbs*i+j), base))
			k.product(k.def(k.move, a[i]), s, c[j], c[j+1])
		}
		c[j] = k.park(c[j], j)
	}
	c[limbs] = k.park(c[limbs], limbs)
	return c
}

// sum keeps the columns in the frame.
func (k avx2) sum(left, right func() [limbs]any) function {
	return function{
		prologue: func() {
			zero := k.reg()
			k.emit("VPXOR", zero, zero, zero)
			for i := range 2 * limbs {
				k.emit(k.move, zero, k.slot(i))
			}
		},
		produce: func() []*column {
			b := right()
			for i := range b {
				b[i] = k.keep(k.def(k.move, b[i]), rightSlots+i)
			}
			c := columns(2 * limbs)
			for i := range c {
				c[i].address = k.slot(i)
			}
			k.multiply(left(), b, c, 0)
			return c
		},
		epilogue: func() {
			for i := range 2 * limbs {
				r := k.def(k.move, k.slot(i))
				k.emit("VMOVDQU", r, fmt.Sprintf("%d(DI)", 64*i))
			}
		},
	}
}
