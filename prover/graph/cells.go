package graph

import (
	"encoding/binary"
	"math"
)

// Cells are integers of a tensor in row-major order as a proof file has them: each in Width
// bytes, two's complement, the lowest byte first.
type Cells struct {
	Width int // 1 to 8
	Data  []byte
}

// Width is the fewest bytes that hold every integer of the interval.
func (b Interval) Width() int {
	w := 1
	for ; w < 8 && (b.Lo < -1<<(8*w-1) || b.Hi >= 1<<(8*w-1)); w++ {
	}
	return w
}

// PackCells encodes integers in as many bytes each as bounds take, or more if one of them lies
// outside.
func PackCells(values []int64, bounds Interval) Cells {
	for _, v := range values {
		bounds.Lo, bounds.Hi = min(bounds.Lo, v), max(bounds.Hi, v)
	}
	c := Cells{Width: bounds.Width()}
	c.Data = make([]byte, 0, len(values)*c.Width)
	var raw [8]byte
	for _, v := range values {
		binary.LittleEndian.PutUint64(raw[:], uint64(v))
		c.Data = append(c.Data, raw[:c.Width]...)
	}
	return c
}

// Len is the number of cells.
func (c Cells) Len() int { return len(c.Data) / max(c.Width, 1) }

// At is cell i.
func (c Cells) At(i int) int64 {
	at, unused := i*c.Width, 64-8*c.Width
	if at+8 <= len(c.Data) {
		return int64(binary.LittleEndian.Uint64(c.Data[at:])<<unused) >> unused
	}
	var raw [8]byte
	copy(raw[:], c.Data[at:at+c.Width])
	return int64(binary.LittleEndian.Uint64(raw[:])<<unused) >> unused
}

// Slice is cells from to to−1. It shares their bytes.
func (c Cells) Slice(from, to int) Cells {
	return Cells{c.Width, c.Data[from*c.Width : to*c.Width : to*c.Width]}
}

// Changed is what change makes of the cells, in as many bytes each or more. c stays as it is.
func (c Cells) Changed(change func(values []int64)) Cells {
	values := c.Values()
	change(values)
	most := int64(math.MaxInt64) >> (64 - 8*c.Width)
	return PackCells(values, Interval{-most - 1, most})
}

// Values decodes all cells.
func (c Cells) Values() []int64 {
	values := make([]int64, c.Len())
	for i := range values {
		values[i] = c.At(i)
	}
	return values
}

// UnpackCells decodes the cells of several tensors.
func UnpackCells(all []Cells) [][]int64 {
	var values [][]int64
	for _, c := range all {
		values = append(values, c.Values())
	}
	return values
}

// Narrow decodes the cells from one on to integers of 32 bits, as many as dst has, and tells whether
// these hold them.
func (c Cells) Narrow(dst []int32, from int) bool {
	switch data := c.Data[c.Width*from:][:c.Width*len(dst)]; c.Width {
	case 1:
		for i, v := range data {
			dst[i] = int32(int8(v))
		}
	case 2:
		for i := range dst {
			dst[i] = int32(int16(binary.LittleEndian.Uint16(data[2*i : 2*i+2])))
		}
	case 3:
		for i := range dst {
			v := data[3*i : 3*i+3]
			dst[i] = int32(uint32(v[0])<<8|uint32(v[1])<<16|uint32(v[2])<<24) >> 8
		}
	case 4:
		narrow32(dst, data)
	default:
		var lost int64
		for i := range dst {
			v := c.At(from + i)
			dst[i] = int32(v)
			lost |= v ^ int64(dst[i])
		}
		return lost == 0
	}
	return true
}

// narrow32 decodes cells of four bytes, four at a time.
func narrow32(dst []int32, data []byte) {
	for len(dst) >= 4 && len(data) >= 16 {
		low, high := binary.LittleEndian.Uint64(data), binary.LittleEndian.Uint64(data[8:])
		dst[0], dst[1], dst[2], dst[3] = int32(low), int32(low>>32), int32(high), int32(high>>32)
		dst, data = dst[4:], data[16:]
	}
	for i := range dst {
		dst[i] = int32(binary.LittleEndian.Uint32(data[4*i:]))
	}
}

// Outside finds the first cell that is not within bounds, which are below 2^62. Millions are, nearly always, so it
// looks for the cell only if there is one.
func (c Cells) Outside(bounds Interval) (cell int, ok bool) {
	var part [1 << 10]int32
	for from := 0; from < c.Len(); from += len(part) {
		narrow := part[:min(len(part), c.Len()-from)]
		if c.Narrow(narrow, from) && !anyOutside(narrow, bounds) {
			continue
		}
		for i := from; i < from+len(narrow); i++ {
			if v := c.At(i); v < bounds.Lo || v > bounds.Hi {
				return i, true
			}
		}
	}
	return 0, false
}

// anyOutside gathers the signs of all distances from the bounds.
func anyOutside(cells []int32, bounds Interval) bool {
	var signs int64
	for _, v := range cells {
		signs |= (int64(v) - bounds.Lo) | (bounds.Hi - int64(v))
	}
	return signs < 0
}
