package graph

import (
	"slices"
	"strings"
	"testing"
)

// embedding is the sum of two embeddings of six ids, with a bias for each position.
func embedding() *Graph {
	ids := func(n int64) Node {
		return Node{Name: "ids", Op: &Input{Name: "ids", Shape: []int{2, 3}, Lo: 0, Hi: n - 1, Scale: 1}}
	}
	conv := func(weight, rows int) Term {
		return Term{Conv: &Conv{Weight: weight, Channel: 2, Ids: true, InChannels: rows, OutChannels: 4, Groups: 1}}
	}
	return &Graph{
		Nodes: []Node{ids(5), ids(2), {Name: "y", Inputs: []int{0, 1}, Op: &Reveal{Acc: Accumulator{
			Channel: 2, Lo: -100, Hi: 100, Terms: []Term{conv(0, 5), conv(1, 2)},
			Bias: Constant{Shape: []int{1, 3, 1}, Data: []int64{1, 2, 3}},
		}}}},
		Outputs: []Output{{Name: "y", Tensor: 2, Shape: []int{2, 3, 4}, Scale: 1}},
	}
}

func TestEmbeddingAddsAnAxisOfChannels(t *testing.T) {
	g := embedding()
	info, err := g.Check()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := info.Shapes[2], []int{2, 3, 4}; !slices.Equal(got, want) {
		t.Errorf("shape %v, want %v", got, want)
	}
	w := Weights{make([]int32, 20), make([]int32, 8)}
	w[0][7], w[0][8], w[1][3] = 9, -4, 5 // channel 1: rows 2 and 3, row 1
	b, err := g.Nodes[2].Op.(*Reveal).Acc.Bound(info.Bounds[:2], w, 4)
	if want := (Interval{-4, 3 + 9 + 5}); err != nil || b != want {
		t.Errorf("bound %v, %v, want %v: one row counts, not their sum", b, err, want)
	}
}

func TestInputsOfEmbeddingsHoldIds(t *testing.T) {
	g := embedding()
	if !g.HoldsIds(0) || !g.HoldsIds(1) || g.HoldsIds(2) || attention().HoldsIds(0) {
		t.Error("ids are not where convolutions read them")
	}
}

func TestEmbeddingOfOtherThanPublicIdsIsInvalid(t *testing.T) {
	conv := func(g *Graph) *Conv { return g.Nodes[2].Op.(*Reveal).Acc.Terms[0].Conv }
	for name, test := range map[string]struct {
		change func(g *Graph)
		want   string
	}{
		"an id beyond the rows": {func(g *Graph) { g.Nodes[0].Op.(*Input).Hi = 5 }, "ids in [0, 5] of 5 channels"},
		"a negative id":         {func(g *Graph) { g.Nodes[0].Op.(*Input).Lo = -1 }, "ids in [-1, 4]"},
		"a view of ids": {func(g *Graph) {
			g.Nodes[1] = Node{Name: "v", Op: &Reshape{Shape: []int{2, 3}}, Inputs: []int{0}}
			g.Nodes[2].Inputs = []int{1, 1}
		}, "no public input"},
		"groups":              {func(g *Graph) { conv(g).Groups = 5 }, "over ids"},
		"a window":            {func(g *Graph) { conv(g).Spatial = []Window{{Axis: 0, Kernel: 1, Stride: 1, Dilation: 1, Out: 2}} }, "over ids"},
		"channels far behind": {func(g *Graph) { conv(g).Channel = 3 }, "writes axis 3"},
		"too many weights":    {func(g *Graph) { conv(g).InChannels = MaxElements }, "over ids"},
	} {
		t.Run(name, func(t *testing.T) {
			g := embedding()
			test.change(g)
			if _, err := g.Check(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}
