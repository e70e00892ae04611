package float

import (
	"errors"
	"fmt"

	"github.com/weisyn/wes/prover/model/onnx"
)

// errLost ends the import of a node that depends on something unsupported: that
// is reported already, this node is not at fault.
var errLost = errors.New("an operand is unsupported")

// call is one node being imported. Its methods read operands and attributes and
// return errors whose text becomes the reason in the list of unsupported parts.
type call struct {
	*importer
	n     *onnx.Node
	op    string // with the domain
	in    []*value
	read  map[string]bool // attributes asked for
	part  string          // of the node that nodes of the graph are named after, besides its label
	named int             // nodes of that part, at least
}

// run dispatches the node and checks what the operator's importer did not: that
// every attribute was understood and that no output is used that it did not make.
func (c *call) run() ([]*value, error) {
	if len(c.n.Outputs) == 0 {
		return nil, errors.New("no outputs")
	}
	rule, ok := rules[c.op]
	switch {
	case c.op == "DynamicQuantizeLinear":
		return nil, errors.New("its scale depends on the input: quantise the model statically")
	case !ok:
		return nil, errors.New("operator is not supported")
	}
	for i, v := range c.in {
		var err error
		if c.in[i], err = c.readable(v); err != nil {
			return nil, err
		}
	}
	out, err := rule(c)
	if err != nil {
		return nil, err
	}
	for _, a := range c.n.Attrs {
		if !c.read[a.Name] {
			return nil, fmt.Errorf("attribute %q is not supported", a.Name)
		}
	}
	for _, name := range c.n.Outputs[min(len(out), len(c.n.Outputs)):] {
		if len(c.readers[name]) > 0 && name != "" {
			return nil, fmt.Errorf("output %q is not supported", name)
		}
	}
	return out, nil
}

// readable returns an operand in the form that this operator reads.
func (c *call) readable(v *value) (*value, error) {
	switch {
	case v == nil || v.fixed:
		return v, nil
	case v.tail != nil && mayFollowTail(c.op):
		return v, nil
	case v.tail != nil:
		return c.inside(v)
	case v.grid != nil && !readsQuantized(c.op):
		return nil, errors.New("integers of a quantised activation are read as they are: dequantise them before")
	case !v.typ.IsFloat() && !acceptsIntegers(c.op) && !readsQuantized(c.op):
		return nil, fmt.Errorf("an activation of %v is not supported", v.typ)
	case v.mask != nil && !passesMask(c.op):
		return nil, errMasked
	}
	return v, nil
}

// operand returns operand i, nil if it is omitted.
func (c *call) operand(i int) *value {
	if i >= len(c.in) {
		return nil
	}
	return c.in[i]
}

// activation returns operand i, which must not be a constant and whose shape is
// known.
func (c *call) activation(i int) (*value, error) {
	v := c.operand(i)
	switch {
	case v == nil:
		return nil, fmt.Errorf("operand %d is missing", i)
	case v.fixed:
		return nil, fmt.Errorf("operand %d is constant", i)
	case !v.known:
		return nil, errLost
	}
	return v, nil
}

// constant returns operand i, which must be a constant without infinities.
func (c *call) constant(i int) (*constant, error) {
	k, err := c.foldable(i)
	if err != nil {
		return nil, err
	}
	return k, k.checkFinite()
}

// foldable returns operand i, which must be a constant.
func (c *call) foldable(i int) (*constant, error) {
	v := c.operand(i)
	switch {
	case v == nil:
		return nil, fmt.Errorf("operand %d is missing", i)
	case !v.fixed:
		return nil, fmt.Errorf("operand %d must be constant", i)
	case v.c == nil:
		return nil, errLost
	}
	return v.c, nil
}

// ints returns operand i, a constant list of integers; ok is false if it is
// omitted.
func (c *call) ints(i int) (v []int, ok bool, err error) {
	if c.operand(i) == nil {
		return nil, false, nil
	}
	k, err := c.constant(i)
	if err != nil {
		return nil, false, err
	}
	if v, err = k.smallInts(); err != nil {
		return nil, false, fmt.Errorf("operand %d: %w", i, err)
	}
	return v, true, nil
}

func (c *call) attr(name string, t onnx.AttrType) (*onnx.Attribute, error) {
	c.read[name] = true
	a := c.n.Attr(name)
	if a != nil && a.Type != t {
		return nil, fmt.Errorf("attribute %q has type %d instead of %d", name, a.Type, t)
	}
	return a, nil
}

func (c *call) attrInt(name string, def int) (int, error) {
	a, err := c.attr(name, onnx.AttrInt)
	if a == nil {
		return def, err
	}
	return saturate([]int64{a.Int})[0], nil
}

// attrBool reads a 0/1 flag.
func (c *call) attrBool(name string, def bool) (bool, error) {
	n := 0
	if def {
		n = 1
	}
	v, err := c.attrInt(name, n)
	if err == nil && v != 0 && v != 1 {
		err = fmt.Errorf("attribute %q is %d", name, v)
	}
	return v == 1, err
}

func (c *call) attrFloat(name string, def float32) (float32, error) {
	a, err := c.attr(name, onnx.AttrFloat)
	if a == nil {
		return def, err
	}
	if a.Float-a.Float != 0 {
		return 0, fmt.Errorf("attribute %q is %v: %w", name, a.Float, ErrNotFinite)
	}
	return a.Float, nil
}

func (c *call) attrString(name, def string) (string, error) {
	a, err := c.attr(name, onnx.AttrString)
	if a == nil {
		return def, err
	}
	return a.String, nil
}

// attrInts returns a list; ok is false if the attribute is absent.
func (c *call) attrInts(name string) (v []int, ok bool, err error) {
	a, err := c.attr(name, onnx.AttrInts)
	if a == nil {
		return nil, false, err
	}
	return saturate(a.Ints), true, nil
}

// attrFloats returns a list of finite numbers; nil if the attribute is absent.
func (c *call) attrFloats(name string) ([]float32, error) {
	a, err := c.attr(name, onnx.AttrFloats)
	if a == nil {
		return nil, err
	}
	if err := (&constant{floats: a.Floats}).checkFinite(); err != nil {
		return nil, fmt.Errorf("attribute %q: %w", name, err)
	}
	return a.Floats, nil
}

func (c *call) attrStrings(name string) ([]string, error) {
	a, err := c.attr(name, onnx.AttrStrings)
	if a == nil {
		return nil, err
	}
	return a.Strings, nil
}

// axes returns the axes from an attribute or, from the opset on that moved
// them, from operand 1.
func (c *call) axes(since int) (v []int, ok bool, err error) {
	return c.movedInts(1, "axes", since)
}

// movedInts returns a list from operand i or, before the opset since, from an attribute.
func (c *call) movedInts(i int, attr string, since int) (v []int, ok bool, err error) {
	if c.opset >= since {
		return c.ints(i)
	}
	return c.attrInts(attr)
}

// emit appends a node to the graph. The result is lost when an input is, but
// the shape rule is applied all the same.
func (c *call) emit(op Op, in ...*value) (*value, error) {
	shapes, ids, lost := make([][]int, len(in)), make([]ValueID, len(in)), false
	for i, v := range in {
		if !v.known {
			return nil, errLost
		}
		shapes[i], ids[i] = v.shape, v.id
		lost = lost || v.id == noID
	}
	shape, err := op.InferShape(shapes)
	if err != nil {
		return nil, err
	}
	if err := c.countActivation(shape); err != nil {
		return nil, err
	}
	if len(c.g.Nodes) >= c.limits.Nodes {
		return nil, fmt.Errorf("%d nodes: %w", len(c.g.Nodes), ErrLimit)
	}
	if err := c.countMACs(work(op, shape)); err != nil {
		return nil, err
	}
	joined, err := joinedGrid(in)
	if err != nil {
		return nil, err
	}
	out := &value{id: noID, typ: in[0].typ, shape: shape, known: true, grid: joined}
	if !lost {
		out.id = ValueID(c.g.Values())
		c.quantized = append(c.quantized, c.steps(op, ids))
		c.origins[out.id] = c.op
		c.g.Nodes = append(c.g.Nodes, Node{Name: c.name(), Op: op, Inputs: ids, Output: out.id, Shape: shape})
	}
	return out, nil
}

// one is emit for an importer's return value.
func (c *call) one(op Op, in ...*value) ([]*value, error) {
	v, err := c.emit(op, in...)
	return []*value{v}, err
}

// name returns an unused name for a graph node made from this ONNX node.
func (c *call) name() string {
	label := c.n.Label() + c.part
	name := label
	for c.names[name] {
		c.named++
		name = fmt.Sprintf("%s/%d", label, c.named)
	}
	c.names[name] = true
	return name
}

// begin names the graph nodes that follow after a part of the node.
func (c *call) begin(part string) { c.part, c.named = "/"+part, 0 }

// work is the cost of an operator in multiply-accumulates or comparisons.
func work(op Op, out []int) int64 {
	switch op := op.(type) {
	case Weighted:
		return op.MACs(out)
	case *MaxPool:
		return int64(size(out)) * int64(size(op.Kernel))
	case *AveragePool:
		return int64(size(out)) * int64(size(op.Kernel))
	}
	return int64(size(out))
}

// allFixed reports whether the node depends on constants only.
func (c *call) allFixed() bool {
	for _, v := range c.in {
		if v != nil && !v.fixed {
			return false
		}
	}
	return len(c.in) > 0
}
