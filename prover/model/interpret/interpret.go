// Package interpret executes integer graphs in plain Go. It is the oracle: the other
// executors must agree with it in every cell. Each operator is its definition written out,
// one file per operator, over 64-bit integers.
package interpret

import (
	"context"
	"errors"
	"fmt"

	"github.com/weisyn/wes/prover/graph"
)

// ErrInput is returned when an input does not fit the graph: count, size or domain.
var ErrInput = errors.New("input does not fit the graph")

// Options change an execution. The zero value executes the graph as it is.
type Options struct {
	// After is called with the cells of each committed tensor (inputs, Rescale, Max) once
	// they are computed and before anything reads them. What it writes there is what later
	// operators read: an execution consistent with a lie.
	After func(tensor int, values []int32)
}

// Run executes a checked graph with weights that fit it. inputs holds the cells of the
// graph's inputs in the order of g.Inputs().
func Run(ctx context.Context, g *graph.Graph, info *graph.Info, w graph.Weights, inputs [][]int32) (*graph.Trace, error) {
	return RunWith(ctx, g, info, w, inputs, Options{})
}

// RunWith is Run with options.
func RunWith(ctx context.Context, g *graph.Graph, info *graph.Info, w graph.Weights, inputs [][]int32, o Options) (*graph.Trace, error) {
	feeds := g.Inputs()
	if len(inputs) != len(feeds) {
		return nil, fmt.Errorf("%w: %d inputs, want %d", ErrInput, len(inputs), len(feeds))
	}
	e := &execution{
		graph: g, info: info, weights: w, virtual: make([][]int64, len(g.Nodes)), readers: make([]int, len(g.Nodes)),
		trace: &graph.Trace{Values: make([][]int32, len(g.Nodes)), Accs: make([][]int64, len(g.Nodes))},
	}
	for i := range g.Nodes {
		for _, t := range g.Nodes[i].Inputs {
			e.readers[t]++
		}
	}
	for k, t := range feeds {
		if err := checkInput(g.Nodes[t].Op.(*graph.Input), inputs[k]); err != nil {
			return nil, err
		}
		e.trace.Values[t] = append([]int32(nil), inputs[k]...)
	}
	for t := range g.Nodes {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := e.step(t); err != nil {
			return nil, fmt.Errorf("execute node %d %q: %w", t, g.Nodes[t].Name, err)
		}
		if o.After != nil && e.trace.Values[t] != nil {
			o.After(t, e.trace.Values[t])
		}
	}
	return e.trace, nil
}

// execution holds the committed tensors in trace and the cells of views that still have
// readers in virtual.
type execution struct {
	graph   *graph.Graph
	info    *graph.Info
	weights graph.Weights
	trace   *graph.Trace
	virtual [][]int64 // by tensor; nil for committed tensors and when nobody reads it any more
	readers []int     // by tensor: reads to come
}

func (e *execution) step(t int) error {
	n := &e.graph.Nodes[t]
	in := make([]tensor, len(n.Inputs))
	for k, i := range n.Inputs {
		in[k] = e.read(i)
	}
	var err error
	switch op := n.Op.(type) {
	case *graph.Input:
	case *graph.Rescale:
		acc := accumulate(&op.Acc, in, e.weights, e.info.Shapes[t])
		e.trace.Accs[t] = acc
		e.trace.Values[t], err = rescale(op, &e.graph.Tables[op.Table], e.info.Shapes[t], acc)
	case *graph.Reveal:
		e.trace.Accs[t] = accumulate(&op.Acc, in, e.weights, e.info.Shapes[t])
	case *graph.Max:
		e.trace.Values[t], err = maximum(in[0].cells, in[1].cells)
	default:
		e.virtual[t] = view(op, in, e.info.Shapes[t])
	}
	for _, i := range n.Inputs {
		if e.readers[i]--; e.readers[i] == 0 {
			e.virtual[i] = nil
		}
	}
	return err
}

func (e *execution) read(t int) tensor {
	if v := e.trace.Values[t]; v != nil {
		return tensor{e.info.Shapes[t], widen(v)}
	}
	return tensor{e.info.Shapes[t], e.virtual[t]}
}

// tensor is a shape with its cells in row-major order.
type tensor struct {
	shape []int
	cells []int64
}

// split views the cells as [outer][n][inner] around an axis.
func (x tensor) split(axis int) (outer, n, inner int) {
	return graph.Elements(x.shape[:axis]), x.shape[axis], graph.Elements(x.shape[axis+1:])
}

func widen(v []int32) []int64 {
	wide := make([]int64, len(v))
	for i, c := range v {
		wide[i] = int64(c)
	}
	return wide
}
