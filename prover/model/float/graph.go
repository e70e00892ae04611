package float

import (
	"slices"

	"github.com/weisyn/wes/prover/model/onnx"
)

// ValueID names an activation of a Graph: the inputs come first, then the
// output of node j is len(Inputs)+j.
type ValueID int

// Graph is a normalised network. Nodes are in topological order and every node
// is needed by some output.
type Graph struct {
	Name    string
	Inputs  []Value
	Nodes   []Node
	Outputs []Output
}

// Value is a graph input. All dimensions are positive. Values are float32
// inside the graph whatever Type is; those of an integer type are integers, of
// magnitude below 2^24, so that they are exact.
type Value struct {
	Name  string
	Shape []int
	Type  onnx.DataType
	// Limit bounds the cells of an integer type: all are in [0, Limit). 0 bounds nothing.
	Limit int64
}

// IsInteger reports whether the input's cells are integers; a graph that was
// not imported may leave its types out.
func (v *Value) IsInteger() bool { return v.Type != 0 && !v.Type.IsFloat() }

// Domain is the interval of the cells of an input of integers that is known: from its limit, or
// its type of eight bits.
func (v *Value) Domain() (lo, hi int64, ok bool) {
	if v.Limit > 0 {
		return 0, v.Limit - 1, true
	}
	return integerRange(v.Type)
}

// Node applies Op to Inputs. Output is always len(Graph.Inputs) plus the
// node's index, Shape is the shape of that value.
type Node struct {
	Name   string // of the ONNX node it came from, unique in the graph
	Op     Op
	Inputs []ValueID
	Output ValueID
	Shape  []int
	// Role is equal, and not 0, for nodes that compute the same at different steps of a sequence.
	Role int
}

// Output is a graph output: Value, then Tail when it is not nil. Shape and Type
// are those after the tail.
type Output struct {
	Name  string
	Value ValueID
	Tail  Op // nil, *Softmax, *ArgMax, *Logistic or *OneVsRest
	Shape []int
	Type  onnx.DataType
}

// Op is one normalised operator. Implementations are pointers to the structs
// of this package.
type Op interface {
	// Kind is the operator's name, equal to the name of its struct.
	Kind() string
	// InferShape returns the output shape for input shapes, or an error when the operator
	// does not accept them.
	InferShape(in [][]int) ([]int, error)
	// eval writes the output, whose shape is InferShape of the inputs' shapes.
	eval(in []Tensor, out Tensor)
}

// Weighted is implemented by operators with constants or contractions.
type Weighted interface {
	// MACs is the number of multiply-accumulates for an output of that shape.
	MACs(out []int) int64
	// Params is the number of constants.
	Params() int64
}

// Tensor is a row-major float32 tensor.
type Tensor struct {
	Shape []int
	Data  []float32
}

// NewTensor allocates a zero tensor.
func NewTensor(shape []int) Tensor {
	return Tensor{Shape: shape, Data: make([]float32, size(shape))}
}

// ShapeOf returns the shape of a value.
func (g *Graph) ShapeOf(id ValueID) []int {
	if int(id) < len(g.Inputs) {
		return g.Inputs[id].Shape
	}
	return g.Nodes[int(id)-len(g.Inputs)].Shape
}

// Values returns the number of values: inputs and node outputs.
func (g *Graph) Values() int { return len(g.Inputs) + len(g.Nodes) }

// MACs returns the multiply-accumulates of one evaluation.
func (g *Graph) MACs() int64 {
	var sum int64
	for i := range g.Nodes {
		sum += nodeMACs(&g.Nodes[i])
	}
	return sum
}

// Params returns the number of constants in all operators. A matrix that several read, as the
// steps of a recurrent network do, counts once, and so do equal biases behind it.
func (g *Graph) Params() int64 {
	var sum int64
	seen := map[*float32]*MatMul{}
	for i := range g.Nodes {
		w, ok := g.Nodes[i].Op.(Weighted)
		if !ok {
			continue
		}
		sum += w.Params()
		if m, ok := w.(*MatMul); ok && len(m.W) > 0 {
			first := seen[&m.W[0]]
			switch {
			case first == nil:
				seen[&m.W[0]] = m
			case slices.Equal(first.B, m.B):
				sum -= m.Params()
			default:
				sum -= int64(len(m.W))
			}
		}
	}
	return sum
}

func nodeMACs(n *Node) int64 {
	if w, ok := n.Op.(Weighted); ok {
		return w.MACs(n.Shape)
	}
	return 0
}
