package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// rawTensor is a TensorProto before its elements are interpreted.
type rawTensor struct {
	dims    []int64
	typ     int64
	floats  []float32
	int32s  []int64
	int64s  []int64
	doubles []float64
	raw     []byte
	hasRaw  bool
}

// ParseTensor decodes and checks a file that holds one TensorProto, as test data does. Every
// refusal is an *Error. The result does not refer to data.
func ParseTensor(data []byte, limits Limits) (*Tensor, error) {
	p := parser{limits.withDefaults()}
	if len(data) > p.Bytes {
		return nil, refuse(ErrLimit, "file of %d bytes, limit %d", len(data), p.Bytes)
	}
	return p.tensor(field{typ: protowire.BytesType, bytes: data})
}

// tensor decodes one TensorProto.
func (p parser) tensor(f field) (*Tensor, error) {
	if err := f.want(protowire.BytesType); err != nil {
		return nil, err
	}
	t := &Tensor{}
	var r rawTensor
	err := eachField(f.bytes, func(f field) error {
		if f.id == 8 {
			return f.setName(&t.Name, p.NameLength)
		}
		return p.tensorField(f, &r)
	})
	if err == nil {
		err = p.fill(t, &r)
	}
	if err != nil {
		return nil, at(fmt.Sprintf("tensor %q", t.Name), err)
	}
	return t, nil
}

func (p parser) tensorField(f field, r *rawTensor) error {
	switch f.id {
	case 1:
		return f.addInts(&r.dims, p.Rank)
	case 2:
		return f.setInt(&r.typ)
	case 3:
		return refuse(ErrForbidden, "segmented data")
	case 4:
		return f.addFloats(&r.floats, p.Elements)
	case 5:
		return f.addInts(&r.int32s, p.Elements)
	case 6:
		return refuse(ErrForbidden, "string elements")
	case 7:
		return f.addInts(&r.int64s, p.Elements)
	case 9:
		if r.hasRaw {
			return refuse(ErrInvalid, "raw data given twice")
		}
		r.raw, r.hasRaw = f.bytes, true
		return f.want(protowire.BytesType)
	case 10:
		return f.addDoubles(&r.doubles, p.Elements)
	case 11:
		return refuse(ErrForbidden, "unsigned 64-bit elements")
	case 13:
		return refuse(ErrForbidden, "external data")
	case 14:
		if f.typ != protowire.VarintType || f.num != 0 {
			return refuse(ErrForbidden, "external data")
		}
	}
	return nil
}

// fill checks that the data is exactly one list of the right type and length,
// and moves it to t.
func (p parser) fill(t *Tensor, r *rawTensor) error {
	if err := checkType(uint64(r.typ)); err != nil {
		return err
	}
	t.Type, t.Dims = DataType(r.typ), r.dims
	n, err := elements(t.Dims, p.Elements)
	if err != nil {
		return err
	}
	typed := len(r.floats) + len(r.int32s) + len(r.int64s) + len(r.doubles)
	if r.hasRaw {
		if typed > 0 {
			return refuse(ErrInvalid, "both raw and typed data")
		}
		if len(r.raw) != n*t.Type.Size() {
			return refuse(ErrInvalid, "raw data of %d bytes for %d elements of %v", len(r.raw), n, t.Type)
		}
		return t.setRaw(r.raw, n)
	}
	if err := t.setTyped(r); err != nil {
		return err
	}
	if t.Len() != typed || typed != n {
		return refuse(ErrInvalid, "%d typed elements for %d of %v", typed, n, t.Type)
	}
	return nil
}

// elements returns the product of dims, which is at most limit even when the
// zeros among them are left out.
func elements(dims []int64, limit int) (int, error) {
	n, empty := int64(1), false
	for _, d := range dims {
		switch {
		case d < 0:
			return 0, refuse(ErrInvalid, "negative dimension %d", d)
		case d == 0:
			empty = true
		case d > int64(limit)/n:
			return 0, refuse(ErrLimit, "shape %v has more than %d elements", dims, limit)
		default:
			n *= d
		}
	}
	if empty {
		return 0, nil
	}
	return int(n), nil
}

func (t *Tensor) setTyped(r *rawTensor) error {
	switch t.Type {
	case Float32:
		t.Floats = r.floats
	case Float64:
		t.Doubles = r.doubles
	case Int64:
		t.Ints = r.int64s
	case Float16:
		t.Floats = make([]float32, len(r.int32s))
		for i, v := range r.int32s {
			if v < 0 || v > math.MaxUint16 {
				return refuse(ErrInvalid, "element %d of float16 is %d", i, v)
			}
			t.Floats[i] = half(uint16(v))
		}
	default:
		lo, hi := t.Type.intRange()
		for i, v := range r.int32s {
			if v < lo || v > hi {
				return refuse(ErrInvalid, "element %d of %v is %d", i, t.Type, v)
			}
		}
		t.Ints = r.int32s
	}
	return nil
}

// intRange returns the least and greatest value of an integer type.
func (d DataType) intRange() (lo, hi int64) {
	switch d {
	case Bool:
		return 0, 1
	case Uint8:
		return 0, math.MaxUint8
	case Int8:
		return math.MinInt8, math.MaxInt8
	case Int32:
		return math.MinInt32, math.MaxInt32
	}
	return math.MinInt64, math.MaxInt64
}

// setRaw decodes n little-endian elements.
func (t *Tensor) setRaw(raw []byte, n int) error {
	switch t.Type {
	case Float32:
		t.Floats = make([]float32, n)
		for i := range t.Floats {
			t.Floats[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	case Float16:
		t.Floats = make([]float32, n)
		for i := range t.Floats {
			t.Floats[i] = half(binary.LittleEndian.Uint16(raw[2*i:]))
		}
	case Float64:
		t.Doubles = make([]float64, n)
		for i := range t.Doubles {
			t.Doubles[i] = math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:]))
		}
	default:
		t.Ints = make([]int64, n)
		for i := range t.Ints {
			t.Ints[i] = t.Type.rawInt(raw, i)
			if t.Type == Bool && t.Ints[i] > 1 {
				return refuse(ErrInvalid, "element %d of bool is %d", i, t.Ints[i])
			}
		}
	}
	return nil
}

func (d DataType) rawInt(raw []byte, i int) int64 {
	switch d {
	case Int64:
		return int64(binary.LittleEndian.Uint64(raw[8*i:]))
	case Int32:
		return int64(int32(binary.LittleEndian.Uint32(raw[4*i:])))
	case Int8:
		return int64(int8(raw[i]))
	}
	return int64(raw[i])
}
