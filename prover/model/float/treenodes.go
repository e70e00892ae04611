package float

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/weisyn/wes/prover/model/onnx"
)

// treeTable holds the nodes of a tree ensemble as ONNX lists them, by their place in the lists.
type treeTable struct {
	nodes       []nodeID
	places      map[nodeID]int
	features    []int
	modes       []string
	thresholds  []float32
	yes, no     []int // places of children, of branches
	parented    []bool
	votes       [][]Vote
	scaled      []scaling // by feature; nil: the features are those of the input
	width, most int       // features, targets
}

// nodeID is the name of a node.
type nodeID struct{ tree, node int }

// trees reads the trees of an ensemble whose leaves vote for targets; votes begins the names of the lists of
// their weights.
func (c *call) trees(votes string, features, targets int, scaled []scaling) ([]Tree, error) {
	t := &treeTable{places: map[nodeID]int{}, scaled: scaled, width: features, most: targets}
	for _, step := range []func() error{
		func() error { return t.readNodes(c) },
		func() error { return t.readChildren(c) },
		func() error { return t.readVotes(c, votes) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return t.build()
}

// treeList reads a list of integers that must have n of them; n < 0: any number but zero.
func (c *call) treeList(name string, n int) ([]int, error) {
	v, _, err := c.attrInts(name)
	return v, cmp.Or(err, checkList(name, len(v), n))
}

func checkList(name string, got, want int) error {
	if got == want || want < 0 && got > 0 {
		return nil
	}
	if want < 0 {
		return fmt.Errorf("attribute %q is empty or missing", name)
	}
	return fmt.Errorf("attribute %q has %d entries, want %d", name, got, want)
}

// ids joins the names of n nodes, or of any number of them.
func (c *call) treeIDs(trees, nodes string, n int) ([]nodeID, error) {
	a, err := c.treeList(trees, n)
	if err != nil {
		return nil, err
	}
	b, err := c.treeList(nodes, len(a))
	if err != nil {
		return nil, err
	}
	ids := make([]nodeID, len(a))
	for i := range ids {
		ids[i] = nodeID{a[i], b[i]}
	}
	return ids, nil
}

func (t *treeTable) readNodes(c *call) error {
	var err error
	if t.nodes, err = c.treeIDs("nodes_treeids", "nodes_nodeids", -1); err != nil {
		return err
	}
	n := len(t.nodes)
	if err := c.countParams(int64(n)); err != nil {
		return err
	}
	for i, id := range t.nodes {
		if _, twice := t.places[id]; twice {
			return fmt.Errorf("tree %d has node %d twice", id.tree, id.node)
		}
		t.places[id] = i
	}
	modes, err := c.attr("nodes_modes", onnx.AttrStrings)
	if err != nil {
		return err
	}
	if modes != nil {
		t.modes = modes.Strings
	}
	if t.thresholds, err = c.attrFloats("nodes_values"); err != nil {
		return err
	}
	if err := cmp.Or(checkList("nodes_modes", len(t.modes), n), checkList("nodes_values", len(t.thresholds), n)); err != nil {
		return err
	}
	if t.features, err = c.treeList("nodes_featureids", n); err != nil {
		return err
	}
	return c.skipNodeLists(n)
}

// skipNodeLists accepts what changes no result: where missing numbers go, of which there are none.
func (c *call) skipNodeLists(n int) error {
	rates, err := c.attrFloats("nodes_hitrates")
	if err != nil {
		return err
	}
	tracks, _, err := c.attrInts("nodes_missing_value_tracks_true")
	if err != nil {
		return err
	}
	if len(rates) > 0 {
		err = checkList("nodes_hitrates", len(rates), n)
	}
	if len(tracks) > 0 {
		err = cmp.Or(err, checkList("nodes_missing_value_tracks_true", len(tracks), n))
	}
	return err
}

func (t *treeTable) readChildren(c *call) error {
	n := len(t.nodes)
	t.parented = make([]bool, n)
	for _, list := range []struct {
		name   string
		places *[]int
	}{{"nodes_truenodeids", &t.yes}, {"nodes_falsenodeids", &t.no}} {
		children, err := c.treeList(list.name, n)
		if err != nil {
			return err
		}
		*list.places = make([]int, n)
		for i, child := range children {
			if t.modes[i] == "LEAF" {
				continue
			}
			if (*list.places)[i], err = t.adopt(t.nodes[i], child); err != nil {
				return err
			}
		}
	}
	return nil
}

// adopt finds a child of a node, which no other node may have.
func (t *treeTable) adopt(parent nodeID, child int) (int, error) {
	place, ok := t.places[nodeID{parent.tree, child}]
	switch {
	case !ok:
		return 0, fmt.Errorf("tree %d: node %d leads to node %d, which there is not", parent.tree, parent.node, child)
	case t.parented[place]:
		return 0, fmt.Errorf("tree %d: two branches lead to node %d", parent.tree, child)
	}
	t.parented[place] = true
	return place, nil
}

func (t *treeTable) readVotes(c *call, prefix string) error {
	leaves, err := c.treeIDs(prefix+"_treeids", prefix+"_nodeids", -1)
	if err != nil {
		return err
	}
	targets, err := c.treeList(prefix+"_ids", len(leaves))
	if err != nil {
		return err
	}
	weights, err := c.attrFloats(prefix + "_weights")
	if err != nil {
		return err
	}
	if err := checkList(prefix+"_weights", len(weights), len(leaves)); err != nil {
		return err
	}
	if err := c.countParams(int64(len(weights))); err != nil {
		return err
	}
	t.votes = make([][]Vote, len(t.nodes))
	for i, id := range leaves {
		place, ok := t.places[id]
		if !ok || t.modes[place] != "LEAF" {
			return fmt.Errorf("tree %d: weight of node %d, which is no leaf", id.tree, id.node)
		}
		if targets[i] < 0 || targets[i] >= t.most {
			return fmt.Errorf("tree %d: node %d has a weight for %d of %d", id.tree, id.node, targets[i], t.most)
		}
		t.votes[place] = append(t.votes[place], Vote{targets[i], weights[i]})
	}
	return t.sortVotes()
}

func (t *treeTable) sortVotes() error {
	for i, votes := range t.votes {
		slices.SortFunc(votes, func(a, b Vote) int { return a.Target - b.Target })
		for k := 1; k < len(votes); k++ {
			if votes[k].Target == votes[k-1].Target {
				return fmt.Errorf("tree %d: node %d has two weights for %d", t.nodes[i].tree, t.nodes[i].node, votes[k].Target)
			}
		}
	}
	return nil
}

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
	if n.Feature < 0 || n.Feature >= t.width {
		return n, false, fmt.Errorf("feature %d of %d", n.Feature, t.width)
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
