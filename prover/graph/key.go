package graph

import "math"

// MaxKey is the key of the largest finite float32.
const MaxKey = 0x7f7fffff

// Key orders the float32 numbers: x < y if and only if Key(x) < Key(y), and zeros of both signs have key
// zero. x is no NaN. It is the number's bits, with those of negative numbers negated.
func Key(x float32) int32 {
	bits := int32(math.Float32bits(x) &^ (1 << 31))
	if math.Signbit(float64(x)) {
		return -bits
	}
	return bits
}

// KeyValue is the number that has a key, zero for key zero. k is in [-MaxKey, MaxKey].
func KeyValue(k int32) float32 {
	if k < 0 {
		return -math.Float32frombits(uint32(-k))
	}
	return math.Float32frombits(uint32(k))
}
