package float

import (
	"fmt"
	"math"
)

// build puts the nodes in preorder, the trees in the order in which their first nodes are listed.
func (t *treeTable) build() ([]Tree, error) {
	var order []int
	roots, sizes := map[int]int{}, map[int]int{}
	for i, id := range t.nodes {
		if sizes[id.tree]++; sizes[id.tree] == 1 {
			order = append(order, id.tree)
		}
		if t.parented[i] {
			continue
		}
		if _, twice := roots[id.tree]; twice {
			return nil, fmt.Errorf("tree %d: no branch leads to node %d, nor to the root", id.tree, id.node)
		}
		roots[id.tree] = i
	}
	var trees []Tree
	for _, id := range order {
		root, ok := roots[id]
		if !ok {
			return nil, fmt.Errorf("tree %d has no root: its branches lead round in a circle", id)
		}
		tree, err := t.preorder(make(Tree, 0, sizes[id]), root, 0)
		if err != nil {
			return nil, fmt.Errorf("tree %d: %w", id, err)
		}
		if len(tree) < sizes[id] {
			return nil, fmt.Errorf("tree %d: %d nodes lead round in a circle", id, sizes[id]-len(tree))
		}
		trees = append(trees, tree)
	}
	return trees, nil
}

// preorder appends the node at a place and what is behind it.
func (t *treeTable) preorder(tree Tree, place, depth int) (Tree, error) {
	if t.modes[place] == "LEAF" {
		return append(tree, TreeNode{Votes: t.votes[place]}), nil
	}
	if depth == maxTreeDepth {
		return nil, fmt.Errorf("more than %d branches one after the other", maxTreeDepth)
	}
	n, swapped, err := t.branch(place)
	if err != nil {
		return nil, fmt.Errorf("node %d: %w", t.nodes[place].node, err)
	}
	first, second := t.yes[place], t.no[place]
	if swapped {
		first, second = second, first
	}
	at := len(tree)
	if tree, err = t.preorder(append(tree, n), first, depth+1); err != nil {
		return nil, err
	}
	tree[at].Else = len(tree)
	return t.preorder(tree, second, depth+1)
}

// branch is the test of a node; swapped tells that the rows that pass it are those that the node's own test
// fails.
func (t *treeTable) branch(place int) (n TreeNode, swapped bool, err error) {
	n = TreeNode{Test: AtMost, Feature: t.features[place], Threshold: t.thresholds[place]}
	if n.Feature < 0 || n.Feature >= t.featureCount {
		return n, false, fmt.Errorf("feature %d of %d", n.Feature, t.featureCount)
	}
	switch mode := t.modes[place]; mode {
	case "BRANCH_LEQ":
	case "BRANCH_GT":
		swapped = true
	case "BRANCH_LT":
		n.Threshold = below(n.Threshold)
	case "BRANCH_GTE":
		n.Threshold, swapped = below(n.Threshold), true
	case "BRANCH_EQ":
		n.Test = EqualTo
	case "BRANCH_NEQ":
		n.Test, swapped = EqualTo, true
	default:
		return n, false, fmt.Errorf("mode %q is not supported", mode)
	}
	if t.scaled == nil {
		return n, swapped, nil
	}
	turned, err := t.scaled[n.Feature].unscale(&n)
	return n, swapped != turned, err
}

// below is the largest number less than x.
func below(x float32) float32 { return math.Nextafter32(x, float32(math.Inf(-1))) }
