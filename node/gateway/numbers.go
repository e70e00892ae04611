package gateway

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Numbers returns the elements of a tensor. Integers of more than 53 bits are rounded.
func (t *Tensor) Numbers() ([]float64, error) {
	n, ok := numberOf(t.Datatype)
	if !ok || len(t.Data)%n.size != 0 {
		return nil, fmt.Errorf("%q: %d bytes of %s", short(t.Name), len(t.Data), short(t.Datatype))
	}
	all := make([]float64, len(t.Data)/n.size)
	for i := range all {
		all[i] = n.read(t.Data[i*n.size:])
	}
	return all, nil
}

// number reads one little-endian element of a datatype.
type number struct {
	size int
	read func(b []byte) float64
}

func numberOf(datatype string) (number, bool) {
	le := binary.LittleEndian
	n, ok := map[string]number{
		"BOOL":   {1, func(b []byte) float64 { return float64(b[0]) }},
		"UINT8":  {1, func(b []byte) float64 { return float64(b[0]) }},
		"UINT16": {2, func(b []byte) float64 { return float64(le.Uint16(b)) }},
		"UINT32": {4, func(b []byte) float64 { return float64(le.Uint32(b)) }},
		"UINT64": {8, func(b []byte) float64 { return float64(le.Uint64(b)) }},
		"INT8":   {1, func(b []byte) float64 { return float64(int8(b[0])) }},
		"INT16":  {2, func(b []byte) float64 { return float64(int16(le.Uint16(b))) }},
		"INT32":  {4, func(b []byte) float64 { return float64(int32(le.Uint32(b))) }},
		"INT64":  {8, func(b []byte) float64 { return float64(int64(le.Uint64(b))) }},
		"FP16":   {2, func(b []byte) float64 { return half(le.Uint16(b)) }},
		"BF16":   {2, func(b []byte) float64 { return float64(math.Float32frombits(uint32(le.Uint16(b)) << 16)) }},
		"FP32":   {4, func(b []byte) float64 { return float64(math.Float32frombits(le.Uint32(b))) }},
		"FP64":   {8, func(b []byte) float64 { return math.Float64frombits(le.Uint64(b)) }},
	}[datatype]
	return n, ok
}

// half is the value of an IEEE 754 binary16.
func half(b uint16) float64 {
	exponent, fraction := int(b>>10&31), float64(b&1023)
	var v float64
	switch exponent {
	case 0:
		v = math.Ldexp(fraction, -24)
	case 31:
		v = math.Inf(1)
		if fraction != 0 {
			v = math.NaN()
		}
	default:
		v = math.Ldexp(1024+fraction, exponent-25)
	}
	if b>>15 == 1 {
		return -v
	}
	return v
}
