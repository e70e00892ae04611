package graph

import "fmt"

func (op *Trees) shape(in [][]int) ([]int, error) {
	if len(in) != 1 || len(in[0]) != 2 {
		return nil, fmt.Errorf("trees over %v, want one table", in)
	}
	if len(op.Base) != 0 && len(op.Base) != op.Targets {
		return nil, fmt.Errorf("%d base values for %d targets", len(op.Base), op.Targets)
	}
	if len(op.Trees) == 0 {
		return nil, fmt.Errorf("no trees")
	}
	for i, t := range op.Trees {
		if _, err := t.check(in[0][1], op.Targets); err != nil {
			return nil, fmt.Errorf("tree %d: %v", i, err)
		}
	}
	return []int{in[0][0], op.Targets}, nil
}

// check requires that the nodes are one tree, and returns its depth.
func (t Tree) check(features, targets int) (depth int, err error) {
	type open struct{ node, depth int } // what is behind a branch for rows that fail
	var rest []open
	at := 0 // branches in front of the node
	for i := range t {
		n := &t[i]
		if n.Test != NoTest {
			if n.Test > EqualTo || n.Feature < 0 || n.Feature >= features || len(n.Votes) > 0 || at == MaxTreeDepth {
				return 0, fmt.Errorf("node %d: branch %d at depth %d, test %d of feature %d of %d", i, n.Else, at, n.Test, n.Feature, features)
			}
			at++
			rest = append(rest, open{n.Else, at})
			continue
		}
		if err := n.checkLeaf(targets); err != nil {
			return 0, fmt.Errorf("node %d: %v", i, err)
		}
		depth = max(depth, at)
		if len(rest) == 0 {
			if i+1 < len(t) {
				return 0, fmt.Errorf("node %d behind the last leaf", i+1)
			}
			return depth, nil
		}
		next := rest[len(rest)-1]
		if next.node != i+1 {
			return 0, fmt.Errorf("node %d follows a leaf, want %d", i+1, next.node)
		}
		rest, at = rest[:len(rest)-1], next.depth
	}
	return 0, fmt.Errorf("it ends after %d nodes", len(t))
}

// checkLeaf requires votes in the order of their targets.
func (n *TreeNode) checkLeaf(targets int) error {
	if n.Feature != 0 || n.Key != 0 || n.Else != 0 {
		return fmt.Errorf("a leaf with a test")
	}
	last := -1
	for _, v := range n.Votes {
		if v.Target <= last || v.Target >= targets || v.Weight <= -MaxExact || v.Weight >= MaxExact {
			return fmt.Errorf("vote of %d for target %d after one for %d, of %d", v.Weight, v.Target, last, targets)
		}
		last = v.Target
	}
	return nil
}

func (op *Trees) bound(*Graph, []Interval) (Interval, error) { return op.Bound() }

// Bound adds up what the leaves of each tree can give to each target. Every partial sum is in it too.
func (op *Trees) Bound() (Interval, error) {
	sums := make([]Interval, op.Targets)
	for i, b := range op.Base {
		if b <= -MaxExact || b >= MaxExact {
			return Interval{}, fmt.Errorf("base value %d", b)
		}
		sums[i] = Interval{min(b, 0), max(b, 0)}
	}
	most := make([]Interval, op.Targets) // of the tree, hulls with zero
	for _, t := range op.Trees {
		for i := range t {
			for _, v := range t[i].Votes {
				m := &most[v.Target]
				m.Lo, m.Hi = min(m.Lo, v.Weight), max(m.Hi, v.Weight)
			}
		}
		for i := range t {
			for _, v := range t[i].Votes {
				m, s := &most[v.Target], &sums[v.Target]
				if s.Lo, s.Hi = s.Lo+m.Lo, s.Hi+m.Hi; s.Lo <= -MaxExact || s.Hi >= MaxExact {
					return Interval{}, fmt.Errorf("votes for target %d reach 2^53", v.Target)
				}
				*m = Interval{}
			}
		}
	}
	all := sums[0]
	for _, s := range sums {
		all.Lo, all.Hi = min(all.Lo, s.Lo), max(all.Hi, s.Hi)
	}
	return all, nil
}

// checkForest bounds what the checks of all trees of the graph take.
func (g *Graph) checkForest() error {
	nodes, targets := 0, 0
	for i := range g.Nodes {
		op, ok := g.Nodes[i].Op.(*Trees)
		if !ok {
			continue
		}
		if op.Targets < 1 || op.Targets > maxTargets-targets {
			return fmt.Errorf("%w: node %d: %d targets of trees, more than %d in all", ErrInvalid, i, op.Targets, maxTargets)
		}
		targets += op.Targets
		for _, t := range op.Trees {
			nodes += len(t)
		}
	}
	if nodes > MaxTreeNodes {
		return fmt.Errorf("%w: %d nodes of trees, more than %d", ErrInvalid, nodes, MaxTreeNodes)
	}
	return nil
}

// checkTrees requires that trees read a public input.
func (g *Graph) checkTrees(n *Node) error {
	if _, ok := n.Op.(*Trees); !ok {
		return nil
	}
	if _, public := g.Nodes[n.Inputs[0]].Op.(*Input); !public {
		return fmt.Errorf("trees over tensor %d, which is no input of the graph", n.Inputs[0])
	}
	return nil
}
