package main

import (
	"fmt"
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

// arguments are registers as arguments of an instruction.
func arguments(v [limbs]vreg) (out [limbs]any) {
	for i, r := range v {
		out[i] = r
	}
	return out
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
