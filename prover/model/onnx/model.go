package onnx

import "fmt"

// Opset versions of the default domain that Parse accepts.
const (
	MinOpset = 7
	MaxOpset = 21
)

// Domains of operators that Parse accepts. The default domain is written "" or
// "ai.onnx" in files and always "" in a parsed Model.
const (
	DomainDefault = ""
	DomainML      = "ai.onnx.ml"
)

// Model is a ModelProto.
type Model struct {
	IRVersion       int64
	ProducerName    string
	ProducerVersion string
	Domain          string
	ModelVersion    int64
	DocString       string
	Opsets          []Opset
	Graph           Graph
}

// Opset says which version of an operator domain the nodes mean.
type Opset struct {
	Domain  string
	Version int64
}

// Opset returns the version imported for domain, 0 if there is none.
func (m *Model) Opset(domain string) int {
	for _, o := range m.Opsets {
		if o.Domain == domain {
			return int(o.Version)
		}
	}
	return 0
}

// Graph is a GraphProto. Nodes are in topological order.
type Graph struct {
	Name         string
	Nodes        []Node
	Initializers []Tensor
	Inputs       []ValueInfo
	Outputs      []ValueInfo
}

// Node is a NodeProto. An empty string in Inputs or Outputs is an omitted
// optional operand.
type Node struct {
	Name    string
	Op      string
	Domain  string
	Inputs  []string
	Outputs []string
	Attrs   []Attribute
}

// Label names the node for a message: its name, or the first output of a node
// without one.
func (n *Node) Label() string {
	if n.Name != "" {
		return n.Name
	}
	for _, o := range n.Outputs {
		if o != "" {
			return o
		}
	}
	return "(unnamed)"
}

// Attr returns the attribute with that name, nil if the node has none.
func (n *Node) Attr(name string) *Attribute {
	for i := range n.Attrs {
		if n.Attrs[i].Name == name {
			return &n.Attrs[i]
		}
	}
	return nil
}

// AttrType is AttributeProto.AttributeType.
type AttrType int32

// The attribute types that a Model can hold.
const (
	AttrFloat   AttrType = 1
	AttrInt     AttrType = 2
	AttrString  AttrType = 3
	AttrTensor  AttrType = 4
	AttrFloats  AttrType = 6
	AttrInts    AttrType = 7
	AttrStrings AttrType = 8
)

// Attribute is an AttributeProto; Type says which field holds the value.
type Attribute struct {
	Name    string
	Type    AttrType
	Float   float32
	Int     int64
	String  string
	Tensor  *Tensor
	Floats  []float32
	Ints    []int64
	Strings []string
}

// DataType is TensorProto.DataType.
type DataType int32

// The element types that a Model can hold.
const (
	Float32 DataType = 1
	Uint8   DataType = 2
	Int8    DataType = 3
	Int32   DataType = 6
	Int64   DataType = 7
	Bool    DataType = 9
	Float16 DataType = 10
	Float64 DataType = 11
)

// String returns the lower-case name of the type.
func (d DataType) String() string {
	switch d {
	case Float32:
		return "float32"
	case Uint8:
		return "uint8"
	case Int8:
		return "int8"
	case Int32:
		return "int32"
	case Int64:
		return "int64"
	case Bool:
		return "bool"
	case Float16:
		return "float16"
	case Float64:
		return "float64"
	}
	return fmt.Sprintf("type %d", int32(d))
}

// Size returns the bytes of one element in raw data, 0 for a type that a Model
// cannot hold.
func (d DataType) Size() int {
	switch d {
	case Uint8, Int8, Bool:
		return 1
	case Float16:
		return 2
	case Float32, Int32:
		return 4
	case Int64, Float64:
		return 8
	}
	return 0
}

// IsFloat reports whether elements of the type are floating-point numbers.
func (d DataType) IsFloat() bool {
	return d == Float32 || d == Float16 || d == Float64
}

// Tensor is a TensorProto with decoded elements, row-major. Exactly one view is
// used: Floats for Float32 and Float16, Doubles for Float64, Ints for all
// others (Bool as 0 and 1). A tensor of rank 0 has one element.
type Tensor struct {
	Name    string
	Type    DataType
	Dims    []int64
	Floats  []float32
	Doubles []float64
	Ints    []int64
}

// Len returns the number of decoded elements.
func (t *Tensor) Len() int { return len(t.Floats) + len(t.Doubles) + len(t.Ints) }

// ValueInfo is the declared type of a graph input or output. HasShape is false
// when the file gives no shape at all, which is not rank 0.
type ValueInfo struct {
	Name     string
	Type     DataType
	HasShape bool
	Dims     []Dim
}

// Dim is one dimension: a value when Param is empty and Known is set, else
// symbolic (Param may be empty for an anonymous unknown).
type Dim struct {
	Value int64
	Known bool
	Param string
}
