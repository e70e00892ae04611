package onnx

import "math"

// half widens an IEEE 754 binary16.
func half(h uint16) float32 {
	sign := uint32(h>>15) << 31
	exp, frac := uint32(h>>10)&31, uint32(h)&1023
	switch exp {
	case 31:
		return math.Float32frombits(sign | 0xff<<23 | frac<<13)
	case 0:
		v := float32(frac) / (1 << 24)
		if sign != 0 {
			v = -v
		}
		return v
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// toHalf narrows f to binary16; ok is false when the value would change (every
// NaN narrows to some NaN).
func toHalf(f float32) (h uint16, ok bool) {
	bits := math.Float32bits(f)
	sign := uint16(bits>>31) << 15
	exp, frac := int(bits>>23)&255, bits&(1<<23-1)
	switch {
	case exp == 255:
		h = sign | 31<<10 | uint16(frac>>13)
		if frac != 0 {
			h |= 1 << 9
		}
	case exp > 112 && exp < 143:
		h = sign | uint16(exp-112)<<10 | uint16(frac>>13)
	case exp <= 112:
		h = sign | uint16(math.Abs(float64(f))*(1<<24))
	}
	w := half(h)
	return h, w == f && math.Signbit(float64(w)) == math.Signbit(float64(f)) || w != w && f != f
}
