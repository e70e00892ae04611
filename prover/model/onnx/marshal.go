package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Marshal encodes the model. Equal models give equal bytes, tensors are written
// as raw data. It returns an *Error for a tensor or attribute that cannot be
// written: elements that do not match type and shape, an unknown type.
func (m *Model) Marshal() ([]byte, error) {
	var e encoder
	e.int(1, m.IRVersion)
	e.string(2, m.ProducerName)
	e.string(3, m.ProducerVersion)
	e.string(4, m.Domain)
	e.int(5, m.ModelVersion)
	e.string(6, m.DocString)
	e.message(7, func() { e.graph(&m.Graph) })
	for _, o := range m.Opsets {
		e.message(8, func() {
			e.string(1, o.Domain)
			e.int(2, o.Version)
		})
	}
	return e.buf, e.err
}

// encoder appends fields to buf; err is the first refusal.
type encoder struct {
	buf []byte
	err error
}

func (e *encoder) int(id protowire.Number, v int64) {
	if v != 0 {
		e.buf = protowire.AppendTag(e.buf, id, protowire.VarintType)
		e.buf = protowire.AppendVarint(e.buf, uint64(v))
	}
}

func (e *encoder) string(id protowire.Number, s string) {
	if s != "" {
		e.forceString(id, s)
	}
}

// forceString writes the empty string too: in a list it is an element.
func (e *encoder) forceString(id protowire.Number, s string) {
	e.buf = protowire.AppendTag(e.buf, id, protowire.BytesType)
	e.buf = protowire.AppendString(e.buf, s)
}

// message writes what body appends as one length-delimited field.
func (e *encoder) message(id protowire.Number, body func()) {
	e.buf = protowire.AppendTag(e.buf, id, protowire.BytesType)
	start := len(e.buf)
	body()
	n := len(e.buf) - start
	size := protowire.SizeVarint(uint64(n))
	e.buf = append(e.buf, make([]byte, size)...)
	copy(e.buf[start+size:], e.buf[start:start+n])
	binary.PutUvarint(e.buf[start:], uint64(n))
}

func (e *encoder) fail(where string, format string, args ...any) {
	if e.err == nil {
		e.err = at(where, refuse(ErrInvalid, format, args...))
	}
}

func (e *encoder) graph(g *Graph) {
	for i := range g.Nodes {
		e.message(1, func() { e.node(&g.Nodes[i]) })
	}
	e.string(2, g.Name)
	for i := range g.Initializers {
		e.message(5, func() { e.tensor(&g.Initializers[i]) })
	}
	for i := range g.Inputs {
		e.message(11, func() { e.value(&g.Inputs[i]) })
	}
	for i := range g.Outputs {
		e.message(12, func() { e.value(&g.Outputs[i]) })
	}
}

func (e *encoder) node(n *Node) {
	for _, s := range n.Inputs {
		e.forceString(1, s)
	}
	for _, s := range n.Outputs {
		e.forceString(2, s)
	}
	e.string(3, n.Name)
	e.string(4, n.Op)
	for i := range n.Attrs {
		e.message(5, func() { e.attr(n, &n.Attrs[i]) })
	}
	e.string(7, n.Domain)
}

func (e *encoder) attr(n *Node, a *Attribute) {
	e.string(1, a.Name)
	switch a.Type {
	case AttrFloat:
		e.buf = protowire.AppendTag(e.buf, 2, protowire.Fixed32Type)
		e.buf = protowire.AppendFixed32(e.buf, math.Float32bits(a.Float))
	case AttrInt:
		e.int(3, a.Int)
	case AttrString:
		e.string(4, a.String)
	case AttrTensor:
		if a.Tensor == nil {
			e.fail(n.where(), "attribute %q without its tensor", a.Name)
			return
		}
		e.message(5, func() { e.tensor(a.Tensor) })
	case AttrFloats:
		for _, v := range a.Floats {
			e.buf = protowire.AppendTag(e.buf, 7, protowire.Fixed32Type)
			e.buf = protowire.AppendFixed32(e.buf, math.Float32bits(v))
		}
	case AttrInts:
		for _, v := range a.Ints {
			e.buf = protowire.AppendTag(e.buf, 8, protowire.VarintType)
			e.buf = protowire.AppendVarint(e.buf, uint64(v))
		}
	case AttrStrings:
		for _, v := range a.Strings {
			e.forceString(9, v)
		}
	default:
		e.fail(n.where(), "attribute %q of type %d", a.Name, a.Type)
	}
	e.int(20, int64(a.Type))
}

func (e *encoder) value(v *ValueInfo) {
	e.string(1, v.Name)
	e.message(2, func() {
		e.message(1, func() {
			e.int(1, int64(v.Type))
			if v.HasShape {
				e.message(2, func() { e.dims(v.Dims) })
			}
		})
	})
}

func (e *encoder) dims(dims []Dim) {
	for _, d := range dims {
		e.message(1, func() {
			if d.Known {
				e.buf = protowire.AppendTag(e.buf, 1, protowire.VarintType)
				e.buf = protowire.AppendVarint(e.buf, uint64(d.Value))
			} else {
				e.string(2, d.Param)
			}
		})
	}
}

func (e *encoder) tensor(t *Tensor) {
	n, err := elements(t.Dims, math.MaxInt)
	if err != nil || t.Type.Size() == 0 || n != t.Len() || n != t.view() {
		e.fail(fmt.Sprintf("tensor %q", t.Name), "%d elements of %v for shape %v", t.Len(), t.Type, t.Dims)
		return
	}
	for _, d := range t.Dims {
		e.buf = protowire.AppendTag(e.buf, 1, protowire.VarintType)
		e.buf = protowire.AppendVarint(e.buf, uint64(d))
	}
	e.int(2, int64(t.Type))
	e.string(8, t.Name)
	e.buf = protowire.AppendTag(e.buf, 9, protowire.BytesType)
	e.buf = protowire.AppendVarint(e.buf, uint64(n*t.Type.Size()))
	e.raw(t)
}

// view returns the length of the view that belongs to the tensor's type.
func (t *Tensor) view() int {
	switch t.Type {
	case Float32, Float16:
		return len(t.Floats)
	case Float64:
		return len(t.Doubles)
	}
	return len(t.Ints)
}

// raw appends the elements little-endian.
func (e *encoder) raw(t *Tensor) {
	le := binary.LittleEndian
	lo, hi := t.Type.intRange()
	for i, v := range t.Floats {
		if t.Type == Float32 {
			e.buf = le.AppendUint32(e.buf, math.Float32bits(v))
			continue
		}
		h, ok := toHalf(v)
		if !ok {
			e.fail(fmt.Sprintf("tensor %q", t.Name), "element %d is %v, not a float16", i, v)
		}
		e.buf = le.AppendUint16(e.buf, h)
	}
	for _, v := range t.Doubles {
		e.buf = le.AppendUint64(e.buf, math.Float64bits(v))
	}
	for i, v := range t.Ints {
		if v < lo || v > hi {
			e.fail(fmt.Sprintf("tensor %q", t.Name), "element %d is %d, not of %v", i, v, t.Type)
		}
		switch t.Type.Size() {
		case 8:
			e.buf = le.AppendUint64(e.buf, uint64(v))
		case 4:
			e.buf = le.AppendUint32(e.buf, uint32(v))
		default:
			e.buf = append(e.buf, byte(v))
		}
	}
}
