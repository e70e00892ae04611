package float

// Trees adds up decision trees over the rows of a table: the cell of a row and a target is the sum of the
// votes for it of the leaves that the row ends at, in the order of the trees, over their number if Average
// is set, plus Base, if there is any.
type Trees struct {
	Features, Targets int
	Base              []float32 // by target; none: zeros
	Average           bool
	Trees             []Tree
}

// Tree is a decision tree, its nodes in preorder: first what is behind a branch for rows that pass its test.
type Tree []TreeNode

// TreeNode is a branch, or a leaf, which has votes.
type TreeNode struct {
	Test      Test
	Feature   int
	Threshold float32 // −∞ for a branch that no row passes
	Else      int     // the node for rows that fail; the next one is for those that pass
	Votes     []Vote  // in the order of their targets, one for each at most
}

// Vote is what a leaf adds to a target.
type Vote struct {
	Target int
	Weight float32
}

// Test is what a branch asks of a feature.
type Test uint8

// The tests. A leaf asks nothing.
const (
	NoTest  Test = iota
	AtMost       // feature ≤ Threshold
	EqualTo      // feature = Threshold
)

// maxTreeDepth bounds the branches on the way to a leaf.
const maxTreeDepth = 64

var (
	_ Op       = (*Trees)(nil)
	_ Weighted = (*Trees)(nil)
)

// Kind returns "Trees".
func (*Trees) Kind() string { return "Trees" }

// InferShape returns [rows, targets].
func (op *Trees) InferShape(in [][]int) ([]int, error) {
	if err := wantInputs(in, 1); err != nil {
		return nil, err
	}
	if err := wantRank(in[0], 2); err != nil {
		return nil, err
	}
	return []int{in[0][0], op.Targets}, nil
}

// MACs counts a comparison for each branch on the longest way through every tree, for each row.
func (op *Trees) MACs(out []int) int64 {
	var sum int64
	for _, t := range op.Trees {
		sum += int64(t.depth())
	}
	return sum * int64(out[0])
}

// Params counts the thresholds and the weights.
func (op *Trees) Params() int64 {
	sum := int64(len(op.Base))
	for _, t := range op.Trees {
		for i := range t {
			if t[i].Test != NoTest {
				sum++
			}
			sum += int64(len(t[i].Votes))
		}
	}
	return sum
}

func (op *Trees) eval(in []Tensor, out Tensor) {
	for r := range in[0].Shape[0] {
		row, sums := in[0].Data[r*op.Features:][:op.Features], out.Data[r*op.Targets:][:op.Targets]
		for _, t := range op.Trees {
			for _, v := range t.leaf(row).Votes {
				sums[v.Target] += v.Weight
			}
		}
		for i := range sums {
			if op.Average {
				sums[i] /= float32(len(op.Trees))
			}
			if len(op.Base) > 0 {
				sums[i] += op.Base[i]
			}
		}
	}
}

// leaf is where a row ends.
func (t Tree) leaf(row []float32) *TreeNode {
	i := 0
	for {
		n := &t[i]
		var pass bool
		switch n.Test {
		case AtMost:
			pass = row[n.Feature] <= n.Threshold
		case EqualTo:
			pass = row[n.Feature] == n.Threshold
		default:
			return n
		}
		if i++; !pass {
			i = n.Else
		}
	}
}

// depth is the number of branches on the longest way to a leaf.
func (t Tree) depth() int {
	most := 0
	depths := make([]int, len(t))
	for i := range t {
		most = max(most, depths[i])
		if t[i].Test != NoTest {
			depths[i+1], depths[t[i].Else] = depths[i]+1, depths[i]+1
		}
	}
	return most
}
