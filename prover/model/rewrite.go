package model

import (
	"slices"

	"github.com/weisyn/wes/prover/model/float"
)

// hoist returns the network with functions moved ahead of the operators that only move
// cells, or take maxima when the function is monotone, so that they follow the linear
// operator that they will be fused with. Values keep their numbers: a function and the
// operator before it change places.
func hoist(g *float.Graph) *float.Graph {
	out := *g
	out.Nodes = slices.Clone(g.Nodes)
	uses := countUses(&out)
	for i := range out.Nodes {
		for j := i; ; {
			n := &out.Nodes[j]
			f, ok := n.Op.(float.Scalar)
			if !ok {
				break
			}
			before := producer(&out, n.Inputs[0])
			if before < 0 || uses[n.Inputs[0]] != 1 || !commutes(f, out.Nodes[before].Op) || !fusable(&out, before, uses, f) {
				break
			}
			p := &out.Nodes[before]
			n.Op, p.Op = p.Op, n.Op
			n.Name, p.Name = p.Name, n.Name
			n.Role, p.Role = p.Role, n.Role
			p.Shape = out.ShapeOf(p.Inputs[0])
			j = before
		}
	}
	return &out
}

// producer is the index of the node that makes a value, −1 for an input.
func producer(g *float.Graph, id float.ValueID) int { return int(id) - len(g.Inputs) }

// countUses counts, by value, the reads of nodes and outputs.
func countUses(g *float.Graph) []int {
	uses := make([]int, g.Values())
	for i := range g.Nodes {
		for _, id := range g.Nodes[i].Inputs {
			uses[id]++
		}
	}
	for i := range g.Outputs {
		uses[g.Outputs[i].Value]++
	}
	return uses
}

// commutes tells whether f after op is op after f.
func commutes(f float.Scalar, op float.Op) bool {
	switch op.(type) {
	case *float.Reshape, *float.Transpose, *float.Slice, *float.Broadcast:
		return true
	case *float.Pad:
		return f.Apply(0) == 0
	case *float.MaxPool:
		l, leaky := f.(*float.LeakyRelu)
		return !leaky || l.Alpha >= 0
	}
	return false
}

// fusable tells whether the operators behind a node end, each with one reader, at one that
// a function can be fused with; the rounding of an input can be with the input.
func fusable(g *float.Graph, node int, uses []int, f float.Scalar) bool {
	_, rounds := f.(*float.Quantized)
	for {
		id := g.Nodes[node].Inputs[0]
		if node = producer(g, id); node < 0 || uses[id] != 1 {
			return rounds && node < 0 && uses[id] == 1
		}
		switch g.Nodes[node].Op.(type) {
		case *float.Reshape, *float.Transpose, *float.Slice, *float.Pad, *float.Broadcast, *float.MaxPool:
		case *float.Concat, *float.Quantized:
			return false
		default:
			return true
		}
	}
}
