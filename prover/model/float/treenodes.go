package float

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/weisyn/wes/prover/model/onnx"
)

// treeTable holds the nodes of a tree ensemble as ONNX lists them, by their place in the lists.
type treeTable struct {
	nodes      []nodeID
	places     map[nodeID]int
	features   []int
	modes      []string
	thresholds []float32
	yes, no    []int // places of children, of branches
	parented   []bool
	votes      [][]Vote
	scaled     []scaling // by feature; nil: the features are those of the input

	featureCount, targets int
}

// nodeID is the name of a node.
type nodeID struct{ tree, node int }

// trees reads the trees of an ensemble whose leaves vote for targets; votes begins the names of the lists of
// their weights.
func (c *call) trees(votes string, features, targets int, scaled []scaling) ([]Tree, error) {
	t := &treeTable{places: map[nodeID]int{}, scaled: scaled, featureCount: features, targets: targets}
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
		if targets[i] < 0 || targets[i] >= t.targets {
			return fmt.Errorf("tree %d: node %d has a weight for %d of %d", id.tree, id.node, targets[i], t.targets)
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
