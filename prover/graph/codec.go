package graph

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ErrEncoding marks bytes that are not the canonical encoding of a graph.
var ErrEncoding = errors.New("not a canonical graph encoding")

const encodingVersion = 3

// codec walks the fields of a graph, writing or reading them, so that the layout is
// stated once. Integers are minimal zigzag varints, floats their IEEE bits, strings and
// lists carry their length. Lists are only allocated after their length was checked
// against the bytes left.
type codec struct {
	decoding bool
	out      bytes.Buffer
	in       []byte
	trees    int // nodes of decision trees so far
	err      error
}

const maxText = 1 << 12

func (c *codec) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("%w: %s, %d bytes before the end", ErrEncoding, fmt.Sprintf(format, args...), len(c.in))
	}
}

func (c *codec) int64(v *int64) {
	if !c.decoding {
		c.out.Write(binary.AppendVarint(c.out.AvailableBuffer(), *v))
		return
	}
	x, n := binary.Varint(c.in)
	if c.err != nil || n <= 0 || n > 1 && c.in[n-1] == 0 {
		c.fail("bad integer")
		*v = 0
		return
	}
	*v, c.in = x, c.in[n:]
}

func (c *codec) int(v *int) {
	x := int64(*v)
	c.int64(&x)
	if x < -1<<31 || x > 1<<31 {
		c.fail("integer %d exceeds 32 bits", x)
		x = 0
	}
	*v = int(x)
}

// length reads a list's length: at most limit, and no more than the bytes left.
func (c *codec) length(n *int, limit int) {
	c.int(n)
	if c.decoding && (*n < 0 || *n > limit || *n > len(c.in)) {
		c.fail("length %d", *n)
		*n = 0
	}
}

func (c *codec) bool(v *bool) {
	var x int64
	if *v {
		x = 1
	}
	c.int64(&x)
	if x != 0 && x != 1 {
		c.fail("bad flag %d", x)
	}
	*v = x == 1
}

func (c *codec) float(v *float64) {
	if !c.decoding {
		c.out.Write(binary.BigEndian.AppendUint64(c.out.AvailableBuffer(), math.Float64bits(*v)))
		return
	}
	if len(c.in) < 8 {
		c.fail("bad number")
		return
	}
	*v = math.Float64frombits(binary.BigEndian.Uint64(c.in))
	c.in = c.in[8:]
	if math.IsNaN(*v) || math.IsInf(*v, 0) {
		c.fail("number is not finite")
	}
}

func (c *codec) text(v *string) {
	n := len(*v)
	c.length(&n, maxText)
	if !c.decoding {
		c.out.WriteString(*v)
		return
	}
	*v, c.in = string(c.in[:n]), c.in[n:]
}

func (c *codec) ints(v *[]int, limit int) {
	n := len(*v)
	c.length(&n, limit)
	if c.decoding && n > 0 {
		*v = make([]int, n)
	}
	for i := range *v {
		c.int(&(*v)[i])
	}
}

func (c *codec) dims(v *[]int) { c.ints(v, MaxRank) }

func (c *codec) int64s(v *[]int64, limit int) {
	n := len(*v)
	c.length(&n, limit)
	if c.decoding && n > 0 {
		*v = make([]int64, n)
	}
	for i := range *v {
		c.int64(&(*v)[i])
	}
}

func (c *codec) floats(v *[]float64, limit int) {
	n := len(*v)
	c.length(&n, limit)
	if c.decoding && n > 0 {
		*v = make([]float64, n)
	}
	for i := range *v {
		c.float(&(*v)[i])
	}
}

// kind is the code of an operator in the encoding; codes are never reused.
type kind int

const (
	kindInput kind = iota + 1
	kindRescale
	kindReveal
	kindMax
	kindSlice
	kindPad
	kindSelect
	kindBroadcast
	kindSumWindow
	kindScale
	kindTranspose
	kindReshape
	kindConcat
	kindTrees
)

// kinds is the table of operators.
func kinds() map[kind]struct {
	name string
	make func() Op
} {
	type entry = struct {
		name string
		make func() Op
	}
	return map[kind]entry{
		kindInput:     {"Input", func() Op { return new(Input) }},
		kindRescale:   {"Rescale", func() Op { return new(Rescale) }},
		kindReveal:    {"Reveal", func() Op { return new(Reveal) }},
		kindMax:       {"Max", func() Op { return new(Max) }},
		kindSlice:     {"Slice", func() Op { return new(Slice) }},
		kindPad:       {"Pad", func() Op { return new(Pad) }},
		kindSelect:    {"Select", func() Op { return new(Select) }},
		kindBroadcast: {"Broadcast", func() Op { return new(Broadcast) }},
		kindSumWindow: {"SumWindow", func() Op { return new(SumWindow) }},
		kindScale:     {"Scale", func() Op { return new(Scale) }},
		kindTranspose: {"Transpose", func() Op { return new(Transpose) }},
		kindReshape:   {"Reshape", func() Op { return new(Reshape) }},
		kindConcat:    {"Concat", func() Op { return new(Concat) }},
		kindTrees:     {"Trees", func() Op { return new(Trees) }},
	}
}

// KindName is the name of an operator.
func KindName(op Op) string { return kinds()[op.kind()].name }

func (g *Graph) fields(c *codec) {
	version := encodingVersion
	c.int(&version)
	if version != encodingVersion {
		c.fail("version %d, want %d", version, encodingVersion)
		return
	}
	n := len(g.Tables)
	c.length(&n, MaxNodes)
	if c.decoding {
		g.Tables = make([]Table, n)
	}
	for i := range g.Tables {
		g.Tables[i].fields(c)
	}
	g.nodeFields(c)
	n = len(g.Outputs)
	c.length(&n, MaxNodes)
	if c.decoding {
		g.Outputs = make([]Output, n)
	}
	for i := range g.Outputs {
		g.Outputs[i].fields(c)
	}
}

func (g *Graph) nodeFields(c *codec) {
	table := kinds()
	n := len(g.Nodes)
	c.length(&n, MaxNodes)
	if c.decoding {
		g.Nodes = make([]Node, n)
	}
	for i := range g.Nodes {
		node := &g.Nodes[i]
		var code int
		if !c.decoding {
			code = int(node.Op.kind())
		}
		c.int(&code)
		if c.decoding {
			entry, ok := table[kind(code)]
			if !ok || c.err != nil {
				c.fail("no operator %d", code)
				return
			}
			node.Op = entry.make()
		}
		c.text(&node.Name)
		c.ints(&node.Inputs, MaxInputs)
		node.Op.fields(c)
	}
}

func (o *Output) fields(c *codec) {
	c.text(&o.Name)
	c.int(&o.Tensor)
	c.dims(&o.Shape)
	c.float(&o.Scale)
	tail := int(o.Tail)
	c.int(&tail)
	if tail < 0 || tail > int(lastTail) {
		c.fail("tail %d", tail)
	}
	o.Tail = Tail(tail)
	c.int(&o.Axis)
	c.bool(&o.KeepDims)
	c.int64s(&o.Labels, maxLabels)
}

// Encode is the canonical encoding of the graph: equal graphs, equal bytes.
func (g *Graph) Encode() []byte {
	c := &codec{}
	g.fields(c)
	if c.err != nil {
		panic("BUG: graph does not fit its encoding: " + c.err.Error())
	}
	return c.out.Bytes()
}

// Decode reads an encoding whole. It does not check the graph: see Check.
func Decode(data []byte) (*Graph, error) {
	c := &codec{decoding: true, in: data}
	g := &Graph{}
	g.fields(c)
	if c.err == nil && len(c.in) > 0 {
		c.fail("bytes after the end")
	}
	if c.err != nil {
		return nil, c.err
	}
	return g, nil
}
