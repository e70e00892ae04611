package graph

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// forest has every kind of test, a leaf without votes, base values, and a tree that is a leaf.
func forest() *Graph {
	return &Graph{
		Nodes: []Node{
			{Name: "x", Op: &Input{Name: "x", Shape: []int{2, 3}, Lo: -MaxKey, Hi: MaxKey, Keys: true, Scale: 1}},
			{Name: "t", Inputs: []int{0}, Op: &Trees{Targets: 2, Base: []int64{10, -10}, Trees: []Tree{
				{
					{Test: AtMost, Feature: 2, Key: 7, Else: 4},
					{Test: EqualTo, Feature: 1, Key: -3, Else: 3},
					{Votes: []Vote{{0, 100}}},
					{Votes: []Vote{{0, -1}, {1, 2}}},
					{},
				},
				{{Votes: []Vote{{1, 1000}}}},
			}}},
		},
		Outputs: []Output{{Name: "y", Tensor: 1, Shape: []int{2, 2}, Scale: 0.5}},
	}
}

func TestTreesAddUpTheVotesOfTheirLeaves(t *testing.T) {
	op := forest().Nodes[1].Op.(*Trees)
	got := op.Apply([]int64{0, -3, 7, 0, -2, 7, 0, -3, 8}, 3)
	for i, want := range []int64{110, 990, 9, 992, 10, 990} {
		if got[i] != want {
			t.Errorf("cells %v: cell %d is not %d", got, i, want)
		}
	}
}

func TestBoundOfTreesHoldsEveryPartialSum(t *testing.T) {
	info, err := forest().Check()
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Bounds[1]; got != (Interval{-10, 1002}) {
		t.Errorf("votes in %v", got)
	}
	if got := forest().Nodes[1].Op.(*Trees).Steps(3); got != 2+1+2+1+1 {
		t.Errorf("%d steps", got)
	}
}

// TestBoundOfRandomTreesIsKept: of every result, whatever the rows.
func TestBoundOfRandomTreesIsKept(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		g := forest()
		op := g.Nodes[1].Op.(*Trees)
		op.Trees = nil
		for range 1 + r.IntN(4) {
			op.Trees = append(op.Trees, grow(r, nil, 3))
		}
		info, err := g.Check()
		if err != nil {
			t.Fatal(err)
		}
		cells := make([]int64, 6)
		for i := range cells {
			cells[i] = int64(r.IntN(5) - 2)
		}
		for _, v := range op.Apply(cells, 3) {
			if b := info.Bounds[1]; v < b.Lo || v > b.Hi {
				t.Fatalf("%d is not in %v", v, b)
			}
		}
	}
}

// grow appends a random tree of three features and two targets to nodes.
func grow(r *rand.Rand, nodes Tree, depth int) Tree {
	if depth == 0 || r.IntN(4) == 0 {
		var n TreeNode
		for k := range 2 {
			if r.IntN(3) > 0 {
				n.Votes = append(n.Votes, Vote{k, int64(r.IntN(201) - 100)})
			}
		}
		return append(nodes, n)
	}
	at := len(nodes)
	nodes = append(nodes, TreeNode{Test: AtMost + Test(r.IntN(2)), Feature: r.IntN(3), Key: int32(r.IntN(5) - 2)})
	nodes = grow(r, nodes, depth-1)
	nodes[at].Else = len(nodes)
	return grow(r, nodes, depth-1)
}

func TestTreesThatAreRefused(t *testing.T) {
	type trees = Trees
	deep := Tree{}
	for range MaxTreeDepth + 1 {
		deep = append(deep, TreeNode{Test: AtMost})
	}
	for i := range deep {
		deep[i].Else = 2*len(deep) - i
	}
	for range len(deep) + 1 {
		deep = append(deep, TreeNode{})
	}
	tree := func(f func(Tree)) func(*trees) { return func(op *trees) { f(op.Trees[0]) } }
	for name, spoil := range map[string]func(*trees){
		"no trees":                 func(op *trees) { op.Trees = nil },
		"an empty tree":            func(op *trees) { op.Trees[1] = nil },
		"no targets":               func(op *trees) { op.Targets = 0 },
		"targets past the limit":   func(op *trees) { op.Targets, op.Base = maxTargets+1, nil },
		"base values of others":    func(op *trees) { op.Base = op.Base[:1] },
		"base value past 2^53":     func(op *trees) { op.Base[0] = MaxExact },
		"unknown test":             tree(func(t Tree) { t[0].Test = EqualTo + 1 }),
		"feature past the row":     tree(func(t Tree) { t[0].Feature = 3 }),
		"negative feature":         tree(func(t Tree) { t[0].Feature = -1 }),
		"branch with votes":        tree(func(t Tree) { t[0].Votes = []Vote{{0, 1}} }),
		"child that is its branch": tree(func(t Tree) { t[0].Else = 0 }),
		"shared child":             tree(func(t Tree) { t[0].Else = 3 }),
		"child past the end":       tree(func(t Tree) { t[0].Else = 5 }),
		"child in the next tree":   tree(func(t Tree) { t[1].Else = 4 }),
		"leaf with a test":         tree(func(t Tree) { t[4].Key = 1 }),
		"nodes after the tree":     func(op *trees) { op.Trees[1] = append(op.Trees[1], TreeNode{}) },
		"branch without children":  func(op *trees) { op.Trees[1] = Tree{{Test: AtMost, Else: 1}} },
		"missing child":            func(op *trees) { op.Trees[0] = op.Trees[0][:4] },
		"vote past the targets":    tree(func(t Tree) { t[2].Votes[0].Target = 2 }),
		"vote for no target":       tree(func(t Tree) { t[2].Votes[0].Target = -1 }),
		"two votes for a target":   tree(func(t Tree) { t[3].Votes[1].Target = 0 }),
		"vote past 2^53":           tree(func(t Tree) { t[2].Votes[0].Weight = -MaxExact }),
		"votes past 2^53 in all":   func(op *trees) { op.Trees[0][2].Votes[0].Weight = MaxExact - 5 },
		"too deep":                 func(op *trees) { op.Trees[1] = deep },
	} {
		g := forest()
		spoil(g.Nodes[1].Op.(*Trees))
		if _, err := g.Check(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for name, spoil := range map[string]func(*Graph){
		"a table that is no input": func(g *Graph) {
			g.Nodes[1] = Node{Inputs: []int{0}, Op: &Reshape{Shape: []int{2, 3}}}
			g.Nodes = append(g.Nodes, Node{Inputs: []int{1}, Op: forest().Nodes[1].Op})
			g.Outputs[0].Tensor = 2
		},
		"an input that is no table": func(g *Graph) { g.Nodes[0].Op.(*Input).Shape = []int{6} },
		"targets past the limit in all": func(g *Graph) {
			g.Nodes[1].Op.(*Trees).Targets, g.Nodes[1].Op.(*Trees).Base = maxTargets-1, nil
			g.Nodes = append(g.Nodes, Node{Inputs: []int{0}, Op: forest().Nodes[1].Op})
		},
		"keys that are no numbers": func(g *Graph) { g.Nodes[0].Op.(*Input).Hi = MaxKey + 1 },
		"keys with a scale":        func(g *Graph) { g.Nodes[0].Op.(*Input).Scale = 2 },
		"keys with steps":          func(g *Graph) { g.Nodes[0].Op.(*Input).Steps = []float64{1, 1, 1} },
	} {
		g := forest()
		spoil(g)
		if _, err := g.Check(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestTreesBelongToAGraph: whatever of them changes, the encoding does.
func TestTreesBelongToAGraph(t *testing.T) {
	data := forest().Encode()
	for name, change := range map[string]func(*Trees){
		"a weight":    func(op *Trees) { op.Trees[0][2].Votes[0].Weight++ },
		"a threshold": func(op *Trees) { op.Trees[0][0].Key-- },
		"a test":      func(op *Trees) { op.Trees[0][0].Test = EqualTo },
		"a feature":   func(op *Trees) { op.Trees[0][0].Feature = 0 },
		"a base":      func(op *Trees) { op.Base[1]++ },
		"children":    func(op *Trees) { op.Trees[0][2], op.Trees[0][3] = op.Trees[0][3], op.Trees[0][2] },
	} {
		g := forest()
		change(g.Nodes[1].Op.(*Trees))
		if _, err := g.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if bytes.Equal(g.Encode(), data) {
			t.Errorf("%s is not encoded", name)
		}
	}
	g := forest()
	g.Nodes[0].Op.(*Input).Keys = false
	if bytes.Equal(g.Encode(), data) {
		t.Error("keys are not encoded")
	}
}

func TestKeysOrderNumbers(t *testing.T) {
	inf := float32(math.Inf(1))
	numbers := []float32{-inf, -math.MaxFloat32, -1.5, -1, -math.SmallestNonzeroFloat32, 0, math.SmallestNonzeroFloat32, 1e-40, 1, 1.0000001, math.MaxFloat32, inf}
	for i, x := range numbers {
		if k := Key(x); KeyValue(k) != x || i > 0 && k <= Key(numbers[i-1]) {
			t.Errorf("key of %g is %d", x, k)
		}
	}
	if k := Key(float32(math.Copysign(0, -1))); k != 0 {
		t.Errorf("key of −0 is %d", k)
	}
	if Key(math.MaxFloat32) != MaxKey || Key(-math.MaxFloat32) != -MaxKey {
		t.Error("MaxKey is not the largest key")
	}
}
