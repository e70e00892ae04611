package model

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
)

// mostVotes bounds the results of trees that only outputs read: their grid is as fine as float64 is.
const mostVotes = 1 << 52

// readsTrees tells whether trees read an input. They compare its numbers, so that it keeps every bit of
// them.
func (l *lowering) readsTrees(id float.ValueID) bool {
	return slices.ContainsFunc(l.net.Nodes, func(n float.Node) bool {
		_, trees := n.Op.(*float.Trees)
		return trees && n.Inputs[0] == id
	})
}

// keys is an input whose cells are keys of float32 numbers, in its declared range.
func (l *lowering) keys(in *float.Value) *graph.Input {
	top := int64(graph.MaxKey)
	if r, declared := l.options.InputRange[in.Name]; declared {
		top = int64(graph.Key(float32(r)))
	}
	return &graph.Input{Name: in.Name, Shape: in.Shape, Lo: -top, Hi: top, Keys: true, Scale: 1}
}

// trees lowers decision trees. Their result is public: with the input, whoever verifies has what it takes to
// compute it.
func (l *lowering) trees(n *float.Node, op *float.Trees) (value, error) {
	id := n.Inputs[0]
	for i := range l.net.Nodes {
		if _, trees := l.net.Nodes[i].Op.(*float.Trees); !trees && slices.Contains(l.net.Nodes[i].Inputs, id) {
			return value{}, fmt.Errorf("%q reads input %q too: what trees compare nothing else reads", l.net.Nodes[i].Name, nameOf(l.net, id))
		}
	}
	if slices.ContainsFunc(l.net.Outputs, func(o float.Output) bool { return o.Value == id }) {
		return value{}, errors.New("its input is an output of the model too")
	}
	if l.onlyShown(n.Output) {
		return l.forest(n, op, mostVotes)
	}
	if slices.ContainsFunc(l.net.Outputs, func(o float.Output) bool { return o.Value == n.Output }) {
		fine, err := l.forest(n, op, mostVotes)
		if err != nil {
			return value{}, err
		}
		l.votes[n.Output] = fine
	}
	v, err := l.forest(n, op, wideTop)
	if err != nil || l.onlyRevealed(n.Output) {
		return v, err
	}
	lin := plain(n.Name, &l.b, v.tensor, v.scale)
	lin.pooled = true
	return value{lin: lin}, nil
}

// forest adds trees whose results are at most limit.
func (l *lowering) forest(n *float.Node, op *float.Trees, limit float64) (value, error) {
	forest, scale := quantizeTrees(op, limit)
	bound, err := forest.Bound()
	if err != nil {
		return value{}, err
	}
	node := graph.Node{Name: n.Name, Op: forest, Inputs: []int{l.values[n.Inputs[0]].tensor}}
	return value{tensor: l.b.add(node, n.Shape, bound, 1), scale: scale}, nil
}

// onlyShown tells whether a value reaches outputs alone, moved or multiplied by one number at most.
func (l *lowering) onlyShown(id float.ValueID) bool {
	return !slices.ContainsFunc(l.net.Nodes, func(n float.Node) bool {
		if !slices.Contains(n.Inputs, id) {
			return false
		}
		switch op := n.Op.(type) {
		case *float.Reshape, *float.Transpose, *float.Slice, *float.Broadcast:
		case *float.MulConst:
			if len(op.C.Data) > 1 {
				return true
			}
		default:
			return true
		}
		return !l.onlyShown(n.Output)
	})
}

// onlyRevealed tells whether the nodes that read a value are products whose results are outputs as they are:
// wide cells cost them nothing.
func (l *lowering) onlyRevealed(id float.ValueID) bool {
	return !slices.ContainsFunc(l.net.Nodes, func(n float.Node) bool {
		_, product := n.Op.(*float.MatMul)
		return slices.Contains(n.Inputs, id) && !(product && l.onlyOutputs(n.Output))
	})
}

// quantizeTrees rounds votes and base values to multiples of the least power of two at which no result
// exceeds limit, or of a greater one that changes nothing; thresholds become keys.
func quantizeTrees(op *float.Trees, limit float64) (*graph.Trees, float64) {
	share := 1.0
	if op.Average {
		share /= float64(len(op.Trees))
	}
	scale := 1.0
	if most := largestVotes(op, share); most > 0 {
		_, exp := math.Frexp(limit / most)
		scale = math.Ldexp(1, 1-exp)
	}
	out := &graph.Trees{Targets: op.Targets, Trees: make([]graph.Tree, len(op.Trees))}
	for _, v := range op.Base {
		out.Base = append(out.Base, round(float64(v)/scale))
	}
	for i, t := range op.Trees {
		tree := make(graph.Tree, len(t))
		for k := range t {
			tree[k] = quantizeNode(&t[k], share/scale)
		}
		out.Trees[i] = tree
	}
	zeros := trailingZeros(out)
	for i := range out.Base {
		out.Base[i] >>= zeros
	}
	for _, t := range out.Trees {
		for i := range t {
			for k := range t[i].Votes {
				t[i].Votes[k].Weight >>= zeros
			}
		}
	}
	return out, math.Ldexp(scale, zeros)
}

// trailingZeros counts the low bits that no vote and no base value needs.
func trailingZeros(op *graph.Trees) int {
	var all int64
	for _, b := range op.Base {
		all |= b
	}
	for _, t := range op.Trees {
		for i := range t {
			for _, v := range t[i].Votes {
				all |= v.Weight
			}
		}
	}
	if all == 0 {
		return 0
	}
	return bits.TrailingZeros64(uint64(all))
}

func quantizeNode(n *float.TreeNode, unit float64) graph.TreeNode {
	if n.Test != float.NoTest {
		test := graph.AtMost
		if n.Test == float.EqualTo {
			test = graph.EqualTo
		}
		return graph.TreeNode{Test: test, Feature: n.Feature, Key: graph.Key(n.Threshold), Else: n.Else}
	}
	var leaf graph.TreeNode
	for _, v := range n.Votes {
		leaf.Votes = append(leaf.Votes, graph.Vote{Target: v.Target, Weight: round(float64(v.Weight) * unit)})
	}
	return leaf
}

// largestVotes bounds the results of trees whose votes count a share each.
func largestVotes(op *float.Trees, share float64) float64 {
	sums := make([]float64, op.Targets)
	for i, b := range op.Base {
		sums[i] = math.Abs(float64(b))
	}
	most := make([]float64, op.Targets) // of the tree
	for _, t := range op.Trees {
		for i := range t {
			for _, v := range t[i].Votes {
				most[v.Target] = max(most[v.Target], math.Abs(float64(v.Weight)))
			}
		}
		for i := range t {
			for _, v := range t[i].Votes {
				sums[v.Target] += float64(most[v.Target] * share)
				most[v.Target] = 0
			}
		}
	}
	return slices.Max(sums)
}
