package onnx

import (
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// msg builds a length-delimited field.
func msg(id protowire.Number, parts ...[]byte) []byte {
	var body []byte
	for _, p := range parts {
		body = append(body, p...)
	}
	return protowire.AppendBytes(protowire.AppendTag(nil, id, protowire.BytesType), body)
}

func varint(id protowire.Number, v int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, id, protowire.VarintType), uint64(v))
}

func text(id protowire.Number, s string) []byte { return msg(id, []byte(s)) }

// withTensor is a model whose only content is an initializer of these fields.
func withTensor(fields ...[]byte) []byte {
	return msg(7, msg(5, append([][]byte{text(8, "w")}, fields...)...))
}

// withAttr is a model whose only node has an attribute of these fields.
func withAttr(fields ...[]byte) []byte {
	return msg(7, msg(1, text(4, "Op"), text(3, "n"), msg(5, append([][]byte{text(1, "a")}, fields...)...)))
}

func TestHostileEncodingsAreRefused(t *testing.T) {
	f32 := varint(2, int64(Float32))
	const inTensor, inAttr = `tensor "w"`, `node "n" (Op): attribute "a"`
	for _, c := range []struct {
		name string
		data []byte
		kind error
		want string
	}{
		{"empty", nil, ErrMalformed, "no graph"},
		{"two graphs", append(msg(7), msg(7)...), ErrInvalid, "more than one graph"},
		{"group", protowire.AppendTag(nil, 9, protowire.StartGroupType), ErrMalformed, "field 9"},
		{"graph as number", varint(7, 1), ErrMalformed, "wire type"},
		{"training", msg(20), ErrForbidden, "training"},
		{"functions", msg(25), ErrForbidden, "functions"},
		{"sparse initializer", msg(7, msg(15)), ErrForbidden, "sparse"},
		{"external data", withTensor(f32, msg(13)), ErrForbidden, inTensor + ": external"},
		{"external location", withTensor(f32, varint(14, 1)), ErrForbidden, inTensor + ": external"},
		{"segment", withTensor(f32, msg(3)), ErrForbidden, inTensor + ": segmented"},
		{"string tensor", withTensor(varint(2, 8)), ErrForbidden, inTensor + ": string"},
		{"string data", withTensor(f32, text(6, "s")), ErrForbidden, inTensor + ": string"},
		{"uint64 data", withTensor(f32, varint(11, 1)), ErrForbidden, inTensor},
		{"bfloat16", withTensor(varint(2, 16)), ErrForbidden, "type 16"},
		{"no type", withTensor(), ErrForbidden, inTensor},
		{"negative type", withTensor(varint(2, -1)), ErrInvalid, inTensor},
		{"negative dimension", withTensor(f32, varint(1, -1)), ErrInvalid, "negative dimension"},
		{"product overflows", withTensor(f32, varint(1, 1<<32), varint(1, 1<<32)), ErrLimit, inTensor},
		{"product overflows behind a zero", withTensor(f32, varint(1, 0), varint(1, 1<<32), varint(1, 1<<32)), ErrLimit, inTensor},
		{"raw too short", withTensor(f32, varint(1, 2), msg(9, make([]byte, 7))), ErrInvalid, "raw data of 7 bytes for 2"},
		{"raw too long", withTensor(f32, varint(1, 2), msg(9, make([]byte, 9))), ErrInvalid, "raw data of 9 bytes"},
		{"raw twice", withTensor(f32, msg(9, make([]byte, 4)), msg(9, make([]byte, 4))), ErrInvalid, "twice"},
		{"raw and typed", withTensor(f32, varint(1, 1), msg(9, make([]byte, 4)), msg(4, make([]byte, 4))), ErrInvalid, "both"},
		{"no data", withTensor(f32, varint(1, 2)), ErrInvalid, "0 typed elements for 2"},
		{"data of another type", withTensor(f32, varint(1, 1), varint(5, 1)), ErrInvalid, "typed elements"},
		{"ragged packed floats", withTensor(f32, msg(4, make([]byte, 5))), ErrMalformed, "packed"},
		{"ragged packed doubles", withTensor(f32, msg(10, make([]byte, 9))), ErrMalformed, "packed"},
		{"broken packed varint", withTensor(f32, msg(7, []byte{0x80})), ErrMalformed, "varint"},
		{"int8 out of range", withTensor(varint(2, int64(Int8)), varint(1, 1), varint(5, 128)), ErrInvalid, "int8 is 128"},
		{"raw bool out of range", withTensor(varint(2, int64(Bool)), varint(1, 1), msg(9, []byte{2})), ErrInvalid, "bool is 2"},
		{"sub-graph", withAttr(msg(6)), ErrForbidden, inAttr + ": sub-graph"},
		{"sub-graphs", withAttr(msg(11)), ErrForbidden, inAttr + ": sub-graph"},
		{"sparse attribute", withAttr(msg(22)), ErrForbidden, inAttr + ": sparse"},
		{"tensors attribute", withAttr(msg(10)), ErrForbidden, inAttr},
		{"type attribute", withAttr(msg(14)), ErrForbidden, inAttr},
		{"function reference", withAttr(text(21, "r")), ErrForbidden, inAttr},
		{"two values", withAttr(varint(3, 1), text(4, "s")), ErrInvalid, inAttr},
		{"value of another type", withAttr(varint(3, 1), varint(20, int64(AttrFloat))), ErrInvalid, inAttr},
		{"no value", withAttr(), ErrInvalid, inAttr},
		{"no tensor", withAttr(varint(20, int64(AttrTensor))), ErrInvalid, inAttr},
		{"tensor in attribute", withAttr(msg(5, text(8, "w"), f32, msg(13))), ErrForbidden, inAttr + `: tensor "w": external`},
		{"sequence input", msg(7, msg(11, text(1, "x"), msg(2, msg(4)))), ErrForbidden, `input "x": a sequence`},
		{"input without type", msg(7, msg(11, text(1, "x"))), ErrInvalid, `input "x"`},
		{"two shapes", msg(7, msg(11, text(1, "x"), msg(2, msg(1, msg(2), msg(2))))), ErrInvalid, `input "x"`},
		{"negative input dimension", msg(7, msg(11, text(1, "x"), msg(2, msg(1, msg(2, msg(1, varint(1, -1))))))), ErrLimit, `input "x"`},
	} {
		t.Run(c.name, func(t *testing.T) { wantRefusal(t, c.data, Limits{}, c.kind, c.want) })
	}
}

func TestTypedDataIsRead(t *testing.T) {
	p := parser{DefaultLimits()}
	for _, c := range []struct {
		typ  DataType
		data []byte
		want float64
	}{
		{Int32, varint(5, -3), -3},
		{Float16, varint(5, 0xc000), -2},
		{Int64, msg(7, []byte{3}), 3},
		{Float32, protowire.AppendFixed32(protowire.AppendTag(nil, 4, protowire.Fixed32Type), 0x3f800000), 1},
		{Float64, protowire.AppendFixed64(protowire.AppendTag(nil, 10, protowire.Fixed64Type), 0x3ff0000000000000), 1},
	} {
		body := append(varint(2, int64(c.typ)), c.data...)
		tensor, err := p.tensor(field{typ: protowire.BytesType, bytes: body})
		if err != nil {
			t.Fatalf("%v: %v", c.typ, err)
		}
		var sum float64
		for _, v := range tensor.Floats {
			sum += float64(v)
		}
		for _, v := range tensor.Doubles {
			sum += v
		}
		for _, v := range tensor.Ints {
			sum += float64(v)
		}
		if sum != c.want || tensor.Len() != 1 {
			t.Errorf("%v: %+v, want %v", c.typ, tensor, c.want)
		}
	}
}
