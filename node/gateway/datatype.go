package gateway

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// datatype is a type of elements, as "Tensor Data Types" of the protocol lists them. read and write
// are nil for those that JSON has no way to write.
type datatype struct {
	name  string
	size  int                                       // bytes
	read  func(dst, number []byte) ([]byte, error)  // appends an element written in JSON
	write func(dst, element []byte) ([]byte, error) // appends JSON of an element
}

// datatypes lists all. FP16 and BF16 travel in binary only. BYTES has no place in the market: its
// models compute with numbers.
func datatypes() []datatype {
	return []datatype{
		{"BOOL", 1, readBool, writeBool},
		{"UINT8", 1, readUint(1), writeUint},
		{"UINT16", 2, readUint(2), writeUint},
		{"UINT32", 4, readUint(4), writeUint},
		{"UINT64", 8, readUint(8), writeUint},
		{"INT8", 1, readInt(1), writeInt},
		{"INT16", 2, readInt(2), writeInt},
		{"INT32", 4, readInt(4), writeInt},
		{"INT64", 8, readInt(8), writeInt},
		{"FP16", 2, nil, nil},
		{"BF16", 2, nil, nil},
		{"FP32", 4, readFloat(4), writeFloat},
		{"FP64", 8, readFloat(8), writeFloat},
	}
}

func findDatatype(name string) (datatype, *Problem) {
	all := datatypes()
	if i := slices.IndexFunc(all, func(d datatype) bool { return d.name == name }); i >= 0 {
		return all[i], nil
	}
	return datatype{}, badTensor("datatype %q is none that models here have", short(name))
}

// maxRank bounds the dimensions of a tensor.
const maxRank = 16

// elements counts the elements of a shape, which must be at most max.
func elements(shape []int64, max int64) (int64, *Problem) {
	if len(shape) > maxRank {
		return 0, badTensor("a shape of %d dimensions: at most %d", len(shape), maxRank)
	}
	n := int64(1)
	for _, d := range shape {
		if d < 0 {
			return 0, badTensor("shape %v has a negative dimension", shape)
		}
		if d > 0 && n > max/d {
			return 0, tooLarge("shape %v has more than %d elements", shape, max)
		}
		n *= d
	}
	return n, nil
}

func readBool(dst, number []byte) ([]byte, error) {
	switch string(number) {
	case "true":
		return append(dst, 1), nil
	case "false":
		return append(dst, 0), nil
	}
	return nil, fmt.Errorf("%q is neither true nor false", number)
}

func writeBool(dst, element []byte) ([]byte, error) {
	if element[0] > 1 {
		return nil, fmt.Errorf("%d is no BOOL", element[0])
	}
	return strconv.AppendBool(dst, element[0] == 1), nil
}

func readUint(size int) func(dst, number []byte) ([]byte, error) {
	return func(dst, number []byte) ([]byte, error) {
		v, err := strconv.ParseUint(string(number), 10, 8*size)
		if err != nil {
			return nil, fmt.Errorf("%q is no integer from 0 to 2^%d-1", number, 8*size)
		}
		return appendBits(dst, v, size), nil
	}
}

func readInt(size int) func(dst, number []byte) ([]byte, error) {
	return func(dst, number []byte) ([]byte, error) {
		v, err := strconv.ParseInt(string(number), 10, 8*size)
		if err != nil {
			return nil, fmt.Errorf("%q is no integer from -2^%d to 2^%[2]d-1", number, 8*size-1)
		}
		return appendBits(dst, uint64(v), size), nil
	}
}

func readFloat(size int) func(dst, number []byte) ([]byte, error) {
	return func(dst, number []byte) ([]byte, error) {
		v, err := strconv.ParseFloat(string(number), 8*size)
		if err != nil {
			return nil, fmt.Errorf("%q is no number that FP%d holds", number, 8*size)
		}
		if size == 4 {
			return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(v))), nil
		}
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v)), nil
	}
}

func appendBits(dst []byte, v uint64, size int) []byte {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	return append(dst, b[:size]...)
}

// bits reads a little-endian element of at most eight bytes.
func bits(element []byte) uint64 {
	var b [8]byte
	copy(b[:], element)
	return binary.LittleEndian.Uint64(b[:])
}

func writeUint(dst, element []byte) ([]byte, error) {
	return strconv.AppendUint(dst, bits(element), 10), nil
}

func writeInt(dst, element []byte) ([]byte, error) {
	unused := 64 - 8*len(element)
	return strconv.AppendInt(dst, int64(bits(element)<<unused)>>unused, 10), nil
}

// writeFloat writes the shortest decimal that reads back as the same number.
func writeFloat(dst, element []byte) ([]byte, error) {
	size := 8 * len(element)
	v := math.Float64frombits(bits(element))
	if size == 32 {
		v = float64(math.Float32frombits(uint32(bits(element))))
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil, fmt.Errorf("%v is no number of JSON", v)
	}
	format := byte('f')
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, v, format, -1, size), nil
}
