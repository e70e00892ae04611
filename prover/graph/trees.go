package graph

// Limits of decision trees.
const (
	MaxTreeDepth = 64      // branches on the way to a leaf
	MaxTreeNodes = 1 << 22 // of a graph
	maxTargets   = 1 << 16 // of a graph
)

// Trees adds up decision trees over the rows of a public input of shape [rows, features]: the cell of a row
// and a target is Base, if there is any, plus the votes for that target of the leaves that the row ends at,
// one in each tree. As the trees and the input are public, so is the result: whoever knows the input
// computes it.
type Trees struct {
	Targets int
	Base    []int64 // by target; none: zeros
	Trees   []Tree
}

// Tree is a decision tree, its nodes in preorder: a branch comes before what is behind it, first what is
// behind it for rows that pass its test.
type Tree []TreeNode

// TreeNode is a branch, or a leaf, which has votes.
type TreeNode struct {
	Test    Test
	Feature int   // of a branch: the cell of the row that is compared with Key
	Key     int32 // of a branch
	Else    int   // of a branch: the node for rows that fail; the next one is for those that pass
	Votes   []Vote
}

// Vote is what a leaf adds to a target.
type Vote struct {
	Target int
	Weight int64
}

// Test is what a branch asks of a cell.
type Test uint8

// The tests. A leaf asks nothing.
const (
	NoTest  Test = iota
	AtMost       // cell ≤ Key
	EqualTo      // cell = Key
)

func (*Trees) kind() kind { return kindTrees }

// Apply computes the result from the cells of the input, which Check has accepted.
func (op *Trees) Apply(cells []int64, features int) []int64 {
	rows := len(cells) / features
	out := make([]int64, rows*op.Targets)
	for r := range rows {
		copy(out[r*op.Targets:][:op.Targets], op.Base)
	}
	for _, t := range op.Trees { // one tree stays in the cache for all rows
		for r := range rows {
			sums := out[r*op.Targets:][:op.Targets]
			for _, v := range t.leaf(cells[r*features:][:features]).Votes {
				sums[v.Target] += v.Weight
			}
		}
	}
	return out
}

// leaf is where a row ends.
func (t Tree) leaf(row []int64) *TreeNode {
	i := 0
	for {
		n := &t[i]
		var pass bool
		switch n.Test {
		case AtMost:
			pass = row[n.Feature] <= int64(n.Key)
		case EqualTo:
			pass = row[n.Feature] == int64(n.Key)
		default:
			return n
		}
		if i++; !pass {
			i = n.Else
		}
	}
}

// Steps bounds what Apply does for one row: the nodes on the longest way through every tree that Check has
// accepted, and the votes at its end.
func (op *Trees) Steps(features int) int {
	sum := 0
	for _, t := range op.Trees {
		depth, _ := t.check(features, op.Targets)
		votes := 0
		for i := range t {
			votes = max(votes, len(t[i].Votes))
		}
		sum += depth + 1 + votes
	}
	return sum
}

func (op *Trees) fields(c *codec) {
	c.int(&op.Targets)
	c.int64s(&op.Base, maxTargets)
	n := len(op.Trees)
	c.length(&n, MaxTreeNodes)
	if c.decoding && n > 0 {
		op.Trees = make([]Tree, n)
	}
	for i := range op.Trees {
		op.Trees[i].fields(c)
	}
}

func (t *Tree) fields(c *codec) {
	n := len(*t)
	c.length(&n, MaxTreeNodes-c.trees)
	c.trees += n
	if c.decoding && n > 0 {
		*t = make(Tree, n)
	}
	for i := range *t {
		(*t)[i].fields(c)
	}
}

func (n *TreeNode) fields(c *codec) {
	test := int(n.Test)
	c.int(&test)
	if test < 0 || test > int(EqualTo) {
		c.fail("test %d", test)
		test = int(NoTest)
	}
	if n.Test = Test(test); n.Test == NoTest {
		n.voteFields(c)
		return
	}
	c.int(&n.Feature)
	key := int64(n.Key)
	c.int64(&key)
	if n.Key = int32(key); int64(n.Key) != key {
		c.fail("key %d", key)
	}
	c.int(&n.Else)
}

func (n *TreeNode) voteFields(c *codec) {
	votes := len(n.Votes)
	c.length(&votes, maxTargets)
	if c.decoding && votes > 0 {
		n.Votes = make([]Vote, votes)
	}
	for i := range n.Votes {
		c.int(&n.Votes[i].Target)
		c.int64(&n.Votes[i].Weight)
	}
}
