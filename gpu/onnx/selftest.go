package onnx

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// edge is one exactness test: a model with one input and one output, and what it must give.
type edge struct {
	name        string
	in, out     Value
	cells, want []float64
	build       func(*modelWriter)
}

// selfTest runs the edges of what the emitter relies on. A provider that rounds in any of
// them must not be used.
func (c *Client) selfTest(ctx context.Context) error {
	edges := []edge{edgeProduct(), edgeFactor(), edgeHalves(false), edgeHalves(true), edgeTable()}
	if c.NativeConv() {
		edges = append(edges, edgeConv())
	}
	for _, e := range edges {
		if err := c.check(ctx, &e); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	return nil
}

func (c *Client) check(ctx context.Context, e *edge) error {
	m := &modelWriter{}
	e.build(m)
	s, err := c.Load(ctx, m.bytes(e.in, e.out), []Value{e.in}, []Value{e.out})
	if err != nil {
		return err
	}
	outputs, err := s.Run(ctx, [][]byte{encodeFloats(e.in.Double, e.cells)})
	if err != nil {
		return err
	}
	got := decodeFloats(e.out.Double, outputs[0])
	for i, want := range e.want {
		if got[i] != want {
			return fmt.Errorf("%w: cell %d is %v, want %v", ErrInexact, i, got[i], want)
		}
	}
	return s.Close(ctx)
}

// edgeProduct sums 1040 products of ±127 in float32: the most that stays below 2^24.
func edgeProduct() edge {
	const k = 1040
	e := edge{name: "product of 1040 terms", in: Value{"x", false, []int{3, k}}, out: Value{"y", false, []int{3, 2}}}
	weights := make([]float64, 2*k)
	for i := range k {
		weights[2*i], weights[2*i+1] = 127, -127+float64(i%2)
	}
	e.cells, e.want = make([]float64, 3*k), make([]float64, 6)
	for i := range e.cells {
		e.cells[i] = []float64{127, -127, float64(i*i%255) - 127}[i/k]
		e.want[i/k*2] += e.cells[i] * weights[i%k*2]
		e.want[i/k*2+1] += e.cells[i] * weights[i%k*2+1]
	}
	e.build = func(m *modelWriter) {
		m.floats("w", false, []int{k, 2}, weights)
		m.node("MatMul", []string{"x", "w"}, "y")
	}
	return e
}

// edgeFactor multiplies numbers of 12 bits, which TF32 and bfloat16 cut.
func edgeFactor() edge {
	return edge{
		name: "factors of 12 bits", in: Value{"x", false, []int{2, 2}}, out: Value{"y", false, []int{2, 1}},
		cells: []float64{4097, 0, 1, 4095}, want: []float64{1<<24 - 1, 4095 + 4095*4094},
		build: func(m *modelWriter) {
			m.floats("w", false, []int{2, 1}, []float64{4095, 4094})
			m.node("MatMul", []string{"x", "w"}, "y")
		},
	}
}

// edgeHalves rounds numbers about halves, up to 2^24 in float32 and 2^52 in float64, the
// way Rescale does.
func edgeHalves(double bool) edge {
	const shift = 6
	e := edge{name: "halves in float32", build: func(m *modelWriter) {
		m.floats("factor", double, nil, []float64{1.0 / (1 << shift)})
		m.floats("half", double, nil, []float64{0.5})
		m.node("Mul", []string{"x", "factor"}, "a")
		m.node("Add", []string{"a", "half"}, "b")
		m.node("Floor", []string{"b"}, "y")
	}}
	top := int64(1) << 24
	if double {
		e.name, top = "halves in float64", 1<<52
	}
	for _, base := range []int64{0, 1 << shift, top - 1<<shift, -top + 2<<shift, 5 << shift, -3 << shift} {
		for _, d := range []int64{-1, 0, 1} {
			v := base - 1<<(shift-1) + d
			e.cells = append(e.cells, float64(v))
			e.want = append(e.want, float64((v+1<<(shift-1))>>shift))
		}
	}
	e.in, e.out = Value{"x", double, []int{len(e.cells)}}, Value{"y", double, []int{len(e.cells)}}
	return e
}

// edgeTable clamps, casts to an index and gathers.
func edgeTable() edge {
	rows := []float64{-7, 1<<24 - 1, 0, 3}
	return edge{
		name: "table", in: Value{"x", false, []int{6}}, out: Value{"y", false, []int{6}},
		cells: []float64{-1e6, -2, -1, 0, 1, 1e6}, want: []float64{rows[0], rows[0], rows[1], rows[2], rows[3], rows[3]},
		build: func(m *modelWriter) {
			m.floats("lo", false, nil, []float64{-2})
			m.floats("hi", false, nil, []float64{1})
			m.floats("offset", false, nil, []float64{2})
			m.floats("rows", false, []int{len(rows)}, rows)
			m.node("Clip", []string{"x", "lo", "hi"}, "a")
			m.node("Add", []string{"a", "offset"}, "b")
			m.node("Cast", []string{"b"}, "c", attribute{"to", []int{int32Type}, false})
			m.node("Gather", []string{"rows", "c"}, "y")
		},
	}
}

// edgeConv convolves 115 channels with 3×3 kernels: sums of 1035 products.
func edgeConv() edge {
	const channels, size = 115, 5
	e := edge{name: "convolution of 1035 terms", in: Value{"x", false, []int{1, channels, size, size}}, out: Value{"y", false, []int{1, 1, size, size}}}
	for i := range channels * size * size {
		e.cells = append(e.cells, 127-float64(i%3))
	}
	weights := make([]float64, channels*9)
	for i := range weights {
		weights[i] = 127 - float64(i%2)
	}
	for p := range size * size {
		var sum float64
		for k := range channels * 9 {
			y, x := p/size+k/3%3-1, p%size+k%3-1
			if y >= 0 && y < size && x >= 0 && x < size {
				sum += weights[k] * e.cells[(k/9*size+y)*size+x]
			}
		}
		e.want = append(e.want, sum)
	}
	e.build = func(m *modelWriter) {
		m.floats("w", false, []int{1, channels, 3, 3}, weights)
		m.node("Conv", []string{"x", "w"}, "y", attribute{"pads", []int{1, 1, 1, 1}, true})
	}
	return e
}

func encodeFloats(double bool, v []float64) []byte {
	var b []byte
	for _, f := range v {
		if double {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
		} else {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(f)))
		}
	}
	return b
}

func decodeFloats(double bool, b []byte) []float64 {
	var v []float64
	for len(b) > 0 {
		if double {
			v, b = append(v, math.Float64frombits(binary.LittleEndian.Uint64(b))), b[8:]
		} else {
			v, b = append(v, float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))), b[4:]
		}
	}
	return v
}

// modelWriter writes the few fields of ONNX's protobuf that the self-test needs; field
// numbers are those of https://github.com/onnx/onnx/blob/v1.17.0/onnx/onnx.proto.
type modelWriter struct{ graph []byte }

// The element types of TensorProto.DataType.
const (
	float32Type = 1
	int32Type   = 6
	float64Type = 11
)

// attribute is a list of integers, or one.
type attribute struct {
	name string
	ints []int
	list bool
}

func floatType(double bool) uint64 {
	if double {
		return float64Type
	}
	return float32Type
}

func varint(b []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
}

func message(b []byte, field protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), content)
}

func (m *modelWriter) node(op string, inputs []string, output string, attrs ...attribute) {
	var n []byte
	for _, in := range inputs {
		n = message(n, 1, []byte(in))
	}
	n = message(n, 2, []byte(output))
	n = message(n, 4, []byte(op))
	for _, a := range attrs {
		f := message(nil, 1, []byte(a.name))
		for _, v := range a.ints {
			if a.list {
				f = varint(f, 8, uint64(v))
			} else {
				f = varint(f, 3, uint64(v))
			}
		}
		if a.list {
			f = varint(f, 20, 7)
		} else {
			f = varint(f, 20, 2)
		}
		n = message(n, 5, f)
	}
	m.graph = message(m.graph, 1, n)
}

func (m *modelWriter) floats(name string, double bool, shape []int, v []float64) {
	var t []byte
	for _, d := range shape {
		t = varint(t, 1, uint64(d))
	}
	t = varint(t, 2, floatType(double))
	t = message(t, 8, []byte(name))
	t = message(t, 9, encodeFloats(double, v))
	m.graph = message(m.graph, 5, t)
}

// bytes completes the model.
func (m *modelWriter) bytes(in, out Value) []byte {
	form := func(v Value) []byte {
		var shape []byte
		for _, d := range v.Shape {
			shape = message(shape, 1, varint(nil, 1, uint64(d)))
		}
		tensor := message(varint(nil, 1, floatType(v.Double)), 2, shape)
		return message(message(nil, 1, []byte(v.Name)), 2, message(nil, 1, tensor))
	}
	g := message(m.graph, 2, []byte("edge"))
	g = message(message(g, 11, form(in)), 12, form(out))
	model := message(varint(nil, 1, 8), 7, g)
	return message(model, 8, varint(nil, 2, 13))
}
