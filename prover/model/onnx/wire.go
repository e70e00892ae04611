package onnx

import (
	"math"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// field is one decoded protobuf field: num for varint and fixed types, bytes
// (a view of the file) for length-delimited ones.
type field struct {
	id    protowire.Number
	typ   protowire.Type
	num   uint64
	bytes []byte
}

// eachField calls f for the fields of a message in file order. Groups, which
// ONNX does not use and whose nesting is unbounded, are malformed.
func eachField(msg []byte, f func(field) error) error {
	for len(msg) > 0 {
		id, typ, n := protowire.ConsumeTag(msg)
		if n < 0 {
			return refuse(ErrMalformed, "broken field tag")
		}
		msg = msg[n:]
		fl := field{id: id, typ: typ}
		switch typ {
		case protowire.VarintType:
			fl.num, n = protowire.ConsumeVarint(msg)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(msg)
			fl.num = uint64(v)
		case protowire.Fixed64Type:
			fl.num, n = protowire.ConsumeFixed64(msg)
		case protowire.BytesType:
			fl.bytes, n = protowire.ConsumeBytes(msg)
		default:
			n = -1
		}
		if n < 0 {
			return refuse(ErrMalformed, "broken field %d", id)
		}
		msg = msg[n:]
		if err := f(fl); err != nil {
			return err
		}
	}
	return nil
}

func (f field) want(t protowire.Type) error {
	if f.typ != t {
		return refuse(ErrMalformed, "field %d has wire type %d instead of %d", f.id, f.typ, t)
	}
	return nil
}

func (f field) setInt(dst *int64) error {
	*dst = int64(f.num)
	return f.want(protowire.VarintType)
}

func (f field) setFloat(dst *float32) error {
	*dst = math.Float32frombits(uint32(f.num))
	return f.want(protowire.Fixed32Type)
}

// setName stores a UTF-8 string of at most limit bytes.
func (f field) setName(dst *string, limit int) error {
	if err := f.setString(dst, limit); err != nil {
		return err
	}
	if !utf8.ValidString(*dst) {
		return refuse(ErrMalformed, "field %d is not UTF-8", f.id)
	}
	return nil
}

// setString stores any byte string of at most limit bytes.
func (f field) setString(dst *string, limit int) error {
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	if len(f.bytes) > limit {
		return refuse(ErrLimit, "string of %d bytes, limit %d", len(f.bytes), limit)
	}
	*dst = string(f.bytes)
	return nil
}

// addName appends a UTF-8 string to a list of at most count.
func (f field) addName(dst *[]string, count, limit int) error {
	if len(*dst) >= count {
		return refuse(ErrLimit, "more than %d entries", count)
	}
	var s string
	if err := f.setName(&s, limit); err != nil {
		return err
	}
	*dst = append(*dst, s)
	return nil
}

// addInts appends the varints of a repeated field, packed or not.
func (f field) addInts(dst *[]int64, limit int) error {
	if f.typ == protowire.VarintType {
		return push(dst, int64(f.num), limit)
	}
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	for b := f.bytes; len(b) > 0; {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return refuse(ErrMalformed, "broken varint in field %d", f.id)
		}
		if err := push(dst, int64(v), limit); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// addFloats appends the values of a repeated float field, packed or not.
func (f field) addFloats(dst *[]float32, limit int) error {
	if f.typ == protowire.Fixed32Type {
		return push(dst, math.Float32frombits(uint32(f.num)), limit)
	}
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	if len(f.bytes)%4 != 0 {
		return refuse(ErrMalformed, "packed floats of %d bytes", len(f.bytes))
	}
	for b := f.bytes; len(b) > 0; b = b[4:] {
		v, _ := protowire.ConsumeFixed32(b)
		if err := push(dst, math.Float32frombits(v), limit); err != nil {
			return err
		}
	}
	return nil
}

// addDoubles appends the values of a repeated double field, packed or not.
func (f field) addDoubles(dst *[]float64, limit int) error {
	if f.typ == protowire.Fixed64Type {
		return push(dst, math.Float64frombits(f.num), limit)
	}
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	if len(f.bytes)%8 != 0 {
		return refuse(ErrMalformed, "packed doubles of %d bytes", len(f.bytes))
	}
	for b := f.bytes; len(b) > 0; b = b[8:] {
		v, _ := protowire.ConsumeFixed64(b)
		if err := push(dst, math.Float64frombits(v), limit); err != nil {
			return err
		}
	}
	return nil
}

func push[T any](dst *[]T, v T, limit int) error {
	if len(*dst) >= limit {
		return refuse(ErrLimit, "more than %d elements", limit)
	}
	*dst = append(*dst, v)
	return nil
}
