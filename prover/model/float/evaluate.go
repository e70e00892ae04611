package float

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// Evaluate returns all values of the graph, indexed by ValueID, for inputs in
// the order of g.Inputs. It returns ErrShape or ErrDomain for wrong inputs and
// ctx's error when that ends first. The inputs are part of the result, not copied.
func Evaluate(ctx context.Context, g *Graph, inputs []Tensor) ([]Tensor, error) {
	all := make([]Tensor, g.Values())
	err := Walk(ctx, g, inputs, func(id ValueID, t Tensor) error {
		all[id] = t
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Walk calls visit with every value of the graph in order of ValueID and
// releases each after its last use, so that a large network needs little
// memory. An error from visit ends the walk and is returned.
func Walk(ctx context.Context, g *Graph, inputs []Tensor, visit func(ValueID, Tensor) error) error {
	if err := checkInputs(g, inputs); err != nil {
		return err
	}
	last := g.lastUses()
	live := make([]Tensor, g.Values())
	for i, t := range inputs {
		live[i] = t
		if err := visit(ValueID(i), t); err != nil {
			return err
		}
	}
	for i := range g.Nodes {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := &g.Nodes[i]
		in := make([]Tensor, len(n.Inputs))
		for k, id := range n.Inputs {
			in[k] = live[id]
		}
		out := NewTensor(n.Shape)
		n.Op.eval(in, out)
		live[n.Output] = out
		if err := visit(n.Output, out); err != nil {
			return err
		}
		for _, id := range n.Inputs {
			if last[id] == i {
				live[id] = Tensor{}
			}
		}
	}
	return nil
}

// Apply returns the output that o stands for, given its value: the tail applied,
// or the value itself. Indices of an ArgMax are exact.
func (o *Output) Apply(value Tensor) Tensor {
	if o.Tail == nil {
		return value
	}
	out := NewTensor(o.Shape)
	o.Tail.eval([]Tensor{value}, out)
	return out
}

// Outputs evaluates the graph and returns its outputs in order, tails applied.
func Outputs(ctx context.Context, g *Graph, inputs []Tensor) ([]Tensor, error) {
	out := make([]Tensor, len(g.Outputs))
	err := Walk(ctx, g, inputs, func(id ValueID, t Tensor) error {
		for i := range g.Outputs {
			if g.Outputs[i].Value == id {
				out[i] = g.Outputs[i].Apply(t)
			}
		}
		return nil
	})
	return out, err
}

func checkInputs(g *Graph, inputs []Tensor) error {
	if len(inputs) != len(g.Inputs) {
		return fmt.Errorf("%d inputs instead of %d: %w", len(inputs), len(g.Inputs), ErrShape)
	}
	for i, in := range inputs {
		want := g.Inputs[i]
		if !slices.Equal(in.Shape, want.Shape) || len(in.Data) != size(want.Shape) {
			return fmt.Errorf("input %q has shape %v and %d cells instead of %v: %w",
				want.Name, in.Shape, len(in.Data), want.Shape, ErrShape)
		}
		if err := want.checkCells(in.Data); err != nil {
			return fmt.Errorf("input %q: %w", want.Name, err)
		}
	}
	return nil
}

// exactInteger bounds the magnitude of integers that float32 holds exactly.
const exactInteger = 1 << 24

// checkCells refuses cells outside the domain of an integer input.
func (v *Value) checkCells(cells []float32) error {
	if !v.IsInteger() {
		return nil
	}
	lo, hi := float64(-exactInteger), float64(exactInteger)
	if from, to, ok := v.Domain(); ok {
		lo, hi = float64(from), float64(to)
	}
	for i, x := range cells {
		if f := float64(x); f != math.Trunc(f) || !(f >= lo && f <= hi) {
			return fmt.Errorf("cell %d is %v, not an integer of [%.0f, %.0f]: %w", i, x, lo, hi, ErrDomain)
		}
	}
	return nil
}

// lastUses returns the index of the last node that reads each value, −1 if none
// does.
func (g *Graph) lastUses() []int {
	last := make([]int, g.Values())
	for i := range last {
		last[i] = -1
	}
	for i := range g.Nodes {
		for _, id := range g.Nodes[i].Inputs {
			last[id] = i
		}
	}
	return last
}
