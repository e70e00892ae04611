// Package graph holds the integer graph: the program that the network runs and
// proves. Tensors are signed integers; every operator has exactly one result,
// bit for bit, on every device. The package knows neither ONNX nor the proof.
//
// A tensor is named by the index of the node that makes it. Shapes are logical
// (the axis order of the model); how a proof stores a tensor is not decided here,
// except that Channel axes name the axis that a proof stores lowest.
package graph

import (
	"errors"
	"fmt"
	"math"
)

// Limits of a graph from outside. They bound what a decoder allocates and what
// the arithmetic of bounds can reach.
const (
	MaxNodes    = 1 << 16
	MaxRank     = 8
	MaxInputs   = 1 << 10 // of one node
	MaxElements = 1 << 28
	MaxDomain   = 1 << 20 // rows of one function table
	MaxShift    = 28
	// MaxExact bounds every accumulator, so that float64 executes it exactly.
	MaxExact = 1 << 53
)

// ErrInvalid marks a graph that breaks a rule of this package; the error that
// wraps it names the node and the rule.
var ErrInvalid = errors.New("invalid integer graph")

// Graph is a program over integer tensors, in topological order.
type Graph struct {
	Tables  []Table
	Nodes   []Node
	Outputs []Output
}

// Node is one operator. Name is the name of the model's node it came from.
type Node struct {
	Name   string
	Op     Op
	Inputs []int // tensor numbers, each smaller than the node's own
}

// Op is an operator of the integer graph. The implementations in this package
// are all there are; kinds lists them.
type Op interface {
	kind() kind
	// shape derives the output shape; it rejects inputs the operator is not defined on.
	shape(in [][]int) ([]int, error)
	// bound derives the interval that holds every output value.
	bound(g *Graph, in []Interval) (Interval, error)
	fields(c *codec)
}

// Tail is what a client computes in the clear from a proven output.
type Tail uint8

// The tails. All but Logistic act on Output.Axis of Output.Shape, dequantised. OneVsRest divides the
// logistic functions of a line by their sum.
const (
	TailNone Tail = iota
	TailSoftmax
	TailArgMax
	TailLogistic
	TailOneVsRest
	lastTail = TailOneVsRest
)

// maxLabels bounds the classes of an ArgMax that have labels.
const maxLabels = 1 << 16

// Output is a tensor revealed to the client. A value v stands for v*Scale.
type Output struct {
	Name     string
	Tensor   int
	Shape    []int // what the client sees: the cells of the tensor in row-major order
	Scale    float64
	Tail     Tail
	Axis     int
	KeepDims bool
	Labels   []int64 // of an ArgMax's classes; none: their indices
}

// Interval is a closed range of integers.
type Interval struct{ Lo, Hi int64 }

// Info holds what Check derives for each tensor.
type Info struct {
	Shapes [][]int
	Bounds []Interval
}

// Elements is the number of cells of a shape; shapes of a checked graph never overflow.
func Elements(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// Check derives shapes and bounds of every tensor and enforces every rule of the
// graph. Bounds of convolutions are those stated in the graph: CheckWeights ties
// them to weights.
func (g *Graph) Check() (*Info, error) {
	if len(g.Nodes) == 0 || max(len(g.Nodes), len(g.Tables), len(g.Outputs)) > MaxNodes {
		return nil, fmt.Errorf("%w: %d nodes, %d tables, %d outputs", ErrInvalid, len(g.Nodes), len(g.Tables), len(g.Outputs))
	}
	for i := range g.Tables {
		if err := g.Tables[i].check(); err != nil {
			return nil, fmt.Errorf("%w: table %d: %v", ErrInvalid, i, err)
		}
	}
	if err := g.checkForest(); err != nil {
		return nil, err
	}
	info := &Info{Shapes: make([][]int, len(g.Nodes)), Bounds: make([]Interval, len(g.Nodes))}
	var weights []*Conv
	for i := range g.Nodes {
		if err := g.checkNode(i, info); err != nil {
			return nil, fmt.Errorf("%w: node %d %q (%s): %v", ErrInvalid, i, g.Nodes[i].Name, KindName(g.Nodes[i].Op), err)
		}
		var err error
		if weights, err = checkWeightNumbers(g.Nodes[i].Op, weights); err != nil {
			return nil, fmt.Errorf("%w: node %d %q: %v", ErrInvalid, i, g.Nodes[i].Name, err)
		}
	}
	return info, g.checkOutputs(info)
}

func (g *Graph) checkNode(i int, info *Info) error {
	n := &g.Nodes[i]
	if len(n.Inputs) > MaxInputs || len(n.Name) > maxText {
		return fmt.Errorf("%d inputs and a name of %d bytes, at most %d and %d", len(n.Inputs), len(n.Name), MaxInputs, maxText)
	}
	shapes := make([][]int, len(n.Inputs))
	bounds := make([]Interval, len(n.Inputs))
	for k, t := range n.Inputs {
		if t < 0 || t >= i {
			return fmt.Errorf("input %d is not an earlier tensor", t)
		}
		if _, revealed := g.Nodes[t].Op.(*Reveal); revealed {
			return fmt.Errorf("input %d is a revealed accumulator", t)
		}
		shapes[k], bounds[k] = info.Shapes[t], info.Bounds[t]
	}
	shape, err := n.Op.shape(shapes)
	if err != nil {
		return err
	}
	if err := checkShape(shape); err != nil {
		return err
	}
	if err := g.checkIds(n, bounds); err != nil {
		return err
	}
	if err := g.checkTrees(n); err != nil {
		return err
	}
	info.Shapes[i] = shape
	info.Bounds[i], err = n.Op.bound(g, bounds)
	if err != nil {
		return err
	}
	if b := info.Bounds[i]; b.Lo > b.Hi || b.Lo <= -MaxExact || b.Hi >= MaxExact {
		return fmt.Errorf("values in [%d, %d] reach 2^53", b.Lo, b.Hi)
	}
	return nil
}

// checkWeightNumbers requires that weights are numbered in the order in which they are first read.
// first holds the first reader of each; others must read them in the same shape.
func checkWeightNumbers(op Op, first []*Conv) ([]*Conv, error) {
	for _, c := range Convs(op) {
		switch {
		case c.Weight == len(first):
			first = append(first, c)
		case c.Weight < 0 || c.Weight > len(first):
			return nil, fmt.Errorf("weight %d, want at most %d", c.Weight, len(first))
		case !c.FitsWeightsOf(first[c.Weight]):
			return nil, fmt.Errorf("weight %d is of another shape", c.Weight)
		}
	}
	return first, nil
}

func checkShape(shape []int) error {
	if len(shape) == 0 || len(shape) > MaxRank {
		return fmt.Errorf("rank %d is not in 1..%d", len(shape), MaxRank)
	}
	n := 1
	for _, d := range shape {
		if d <= 0 || d > MaxElements/n {
			return fmt.Errorf("shape %v is empty or exceeds %d cells", shape, MaxElements)
		}
		n *= d
	}
	return nil
}

func (g *Graph) checkOutputs(info *Info) error {
	if len(g.Outputs) == 0 {
		return fmt.Errorf("%w: no outputs", ErrInvalid)
	}
	revealed := map[int]bool{}
	for i, o := range g.Outputs {
		if o.Tensor < 0 || o.Tensor >= len(g.Nodes) {
			return fmt.Errorf("%w: output %d: no tensor %d", ErrInvalid, i, o.Tensor)
		}
		if checkShape(o.Shape) != nil || Elements(o.Shape) != Elements(info.Shapes[o.Tensor]) {
			return fmt.Errorf("%w: output %d: shape %v for a tensor of %v", ErrInvalid, i, o.Shape, info.Shapes[o.Tensor])
		}
		if len(o.Name) > maxText {
			return fmt.Errorf("%w: output %d: name of %d bytes, at most %d", ErrInvalid, i, len(o.Name), maxText)
		}
		for _, v := range o.Labels {
			if v <= -MaxExact || v >= MaxExact {
				return fmt.Errorf("%w: output %d: label %d", ErrInvalid, i, v)
			}
		}
		if n := len(o.Labels); n > 0 && (o.Tail != TailArgMax || o.Axis < 0 || o.Axis >= len(o.Shape) || n != o.Shape[o.Axis]) {
			return fmt.Errorf("%w: output %d: %d labels", ErrInvalid, i, n)
		}
		if o.Tail > lastTail || o.Axis < 0 || o.Axis >= len(o.Shape) {
			return fmt.Errorf("%w: output %d: tail %d on axis %d", ErrInvalid, i, o.Tail, o.Axis)
		}
		if !(o.Scale > 0) || math.IsInf(o.Scale, 1) {
			return fmt.Errorf("%w: output %d: scale %v", ErrInvalid, i, o.Scale)
		}
		revealed[o.Tensor] = true
	}
	for i := range g.Nodes {
		if _, ok := g.Nodes[i].Op.(*Reveal); ok && !revealed[i] {
			return fmt.Errorf("%w: node %d %q: revealed but not an output", ErrInvalid, i, g.Nodes[i].Name)
		}
	}
	return nil
}

// Inputs lists the tensors of the graph's inputs, in order.
func (g *Graph) Inputs() []int {
	var in []int
	for i := range g.Nodes {
		if _, ok := g.Nodes[i].Op.(*Input); ok {
			in = append(in, i)
		}
	}
	return in
}

// HoldsIds tells whether some convolution reads the cells of an input as ids.
func (g *Graph) HoldsIds(input int) bool {
	for i := range g.Nodes {
		acc := AccumulatorOf(g.Nodes[i].Op)
		if acc == nil {
			continue
		}
		for k, t := range acc.Terms {
			if t.Conv != nil && t.Conv.Ids && g.Nodes[i].Inputs[k] == input {
				return true
			}
		}
	}
	return false
}

// Convs lists the convolutions of an operator, in the order of its terms.
func Convs(op Op) []*Conv {
	var convs []*Conv
	acc := AccumulatorOf(op)
	if acc == nil {
		return nil
	}
	for i := range acc.Terms {
		if acc.Terms[i].Conv != nil {
			convs = append(convs, acc.Terms[i].Conv)
		}
	}
	return convs
}

// AccumulatorOf is the accumulator of a Rescale or Reveal, nil for other operators.
func AccumulatorOf(op Op) *Accumulator {
	switch op := op.(type) {
	case *Rescale:
		return &op.Acc
	case *Reveal:
		return &op.Acc
	}
	return nil
}
