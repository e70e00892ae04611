// Package emit turns an integer graph into an ONNX graph that computes the same integers,
// bit for bit, on any conforming runtime, and reads its outputs back.
//
// Tensors are float32 that hold integers, or float64 where values can reach 2^24. Every sum
// stays exact because a static bound, over every partial sum in any order, keeps it below
// 2^24 in float32 and 2^53 in float64; a sum that does not fit is split along its input
// channels and added in float64. Divisions are multiplications by powers of two.
package emit

import (
	"errors"
	"fmt"
	"hash/maphash"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/onnx"
)

// ErrTooLarge is returned for graphs whose ONNX file would exceed what protobuf can hold.
var ErrTooLarge = errors.New("ONNX file exceeds 2 GiB")

// Mode says which operators a runtime computes exactly.
type Mode uint8

const (
	// NativeConv uses Conv: ONNX Runtime's CPU provider adds the products as they are.
	NativeConv Mode = iota
	// PatchConv builds convolutions from Slice, Concat and MatMul, for providers that may
	// choose Winograd or FFT kernels, which round.
	PatchConv
)

// exact is the bound below which float32 holds every integer and its sums.
const exact = 1 << 24

// Program is an ONNX file with the meaning of its inputs and outputs.
type Program struct {
	Model   []byte
	Inputs  []Value // the graph's inputs in the order of graph.Graph.Inputs, and what trees make of them
	Outputs []Value // every value and accumulator of a graph.Trace that is not an input
	tensors int     // of the graph
}

// Value is an input or output of a Program.
type Value struct {
	Name   string
	Double bool // float64, else float32
	Shape  []int
	Tensor int  // of the integer graph
	Acc    bool // the accumulator of Tensor, not its value
	Lo, Hi int64
	forest *forest // what makes an input that the graph has not
}

// Emit translates a checked graph with weights that fit it.
func Emit(g *graph.Graph, info *graph.Info, w graph.Weights, mode Mode) (*Program, error) {
	e := &emitter{
		graph: g, info: info, weights: w, mode: mode, values: make([]value, len(g.Nodes)),
		named: map[string]bool{}, program: &Program{tensors: len(g.Nodes)}, constants: map[uint64][]int{}, seed: maphash.MakeSeed(),
	}
	for t := range g.Nodes {
		if err := e.tensor(t); err != nil {
			return nil, fmt.Errorf("emit node %d %q: %w", t, g.Nodes[t].Name, err)
		}
	}
	if e.size >= 1<<31-1<<20 {
		return nil, fmt.Errorf("emit: %w", ErrTooLarge)
	}
	m := onnx.Model{IRVersion: 8, ProducerName: "wes", Opsets: []onnx.Opset{{Version: 13}}, Graph: e.model}
	data, err := m.Marshal()
	if err != nil {
		return nil, fmt.Errorf("emit: %w", err)
	}
	e.program.Model = data
	return e.program, nil
}

// emitter holds the ONNX graph under construction.
type emitter struct {
	graph   *graph.Graph
	info    *graph.Info
	weights graph.Weights
	mode    Mode
	model   onnx.Graph
	values  []value         // by tensor
	named   map[string]bool // values that are inputs or outputs of the ONNX graph already
	size    int             // bytes of initializers
	program *Program

	constants map[uint64][]int // initializers, by hash
	seed      maphash.Seed
}

// tensor emits one node of the integer graph.
func (e *emitter) tensor(t int) error {
	n := &e.graph.Nodes[t]
	in := make([]value, len(n.Inputs))
	for k, i := range n.Inputs {
		in[k] = e.values[i]
	}
	double := wide(e.info.Bounds[t])
	switch op := n.Op.(type) {
	case *graph.Input:
		e.values[t] = e.input(t, nil)
	case *graph.Trees:
		e.values[t] = e.input(t, e.forest(op, n.Inputs[0]))
	case *graph.Rescale:
		acc, err := e.accumulator(t, &op.Acc, in)
		if err != nil {
			return err
		}
		e.output(t, acc, true, graph.Interval{Lo: op.Acc.Lo, Hi: op.Acc.Hi})
		e.values[t] = e.cast(e.rescale(op, acc), double)
		e.output(t, e.values[t], false, e.info.Bounds[t])
	case *graph.Reveal:
		acc, err := e.accumulator(t, &op.Acc, in)
		if err != nil {
			return err
		}
		e.output(t, acc, true, e.info.Bounds[t])
	case *graph.Max:
		a, b := e.cast(in[0], double), e.cast(in[1], double)
		e.values[t] = e.op("Max", double, a.shape, []string{a.name, b.name})
		e.output(t, e.values[t], false, e.info.Bounds[t])
	default:
		e.values[t] = e.view(op, in, double, e.info.Shapes[t])
	}
	return nil
}

// wide says that values in the interval may not fit float32.
func wide(b graph.Interval) bool { return magnitude(b) >= exact }

func magnitude(b graph.Interval) int64 { return max(b.Hi, -b.Hi, b.Lo, -b.Lo) }

func (e *emitter) input(t int, f *forest) value {
	v := value{fmt.Sprintf("x%d", t), wide(e.info.Bounds[t]), e.info.Shapes[t]}
	e.named[v.name] = true
	e.model.Inputs = append(e.model.Inputs, v.info())
	b := e.info.Bounds[t]
	e.program.Inputs = append(e.program.Inputs, Value{v.name, v.double, v.shape, t, false, b.Lo, b.Hi, f})
	return v
}

// output makes a value an output of the ONNX graph, under a name of its own.
func (e *emitter) output(t int, v value, acc bool, b graph.Interval) {
	if e.named[v.name] {
		v = e.op("Identity", v.double, v.shape, []string{v.name})
	}
	e.named[v.name] = true
	e.model.Outputs = append(e.model.Outputs, v.info())
	e.program.Outputs = append(e.program.Outputs, Value{v.name, v.double, v.shape, t, acc, b.Lo, b.Hi, nil})
}
