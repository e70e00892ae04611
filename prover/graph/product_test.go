package graph

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// attention is the scores of two heads, Q·Kᵀ over five cells, times the values.
func attention() *Graph {
	input := func(lo, hi int64, shape ...int) Node {
		return Node{Name: "x", Op: &Input{Name: "x", Shape: shape, Lo: lo, Hi: hi, Scale: 1}}
	}
	scores := &Product{Left: []int{0, 2, 1, Contracted}, Right: []int{0, 1, 3, Contracted}, Length: 5}
	mixed := &Product{Left: []int{0, 1, 2, Contracted}, Right: []int{0, 1, Contracted, 3}, Length: 3}
	return &Graph{
		Tables: []Table{NewTable(-1000, clampValues(-1000, 1000, -127, 127))},
		Nodes: []Node{
			input(-10, 20, 1, 4, 2, 5), // rows before heads
			input(-3, 2, 1, 2, 3, 5),
			input(0, 7, 1, 2, 3, 6),
			{Name: "s", Inputs: []int{0, 1}, Op: &Rescale{Shift: []int{1}, Acc: Accumulator{
				Channel: 3, Lo: -600, Hi: 400, Terms: []Term{{Product: scores, Mult: 2}},
			}}},
			{Name: "y", Inputs: []int{3, 2}, Op: &Reveal{Acc: Accumulator{
				Channel: 1, Lo: -3000, Hi: 3000, Terms: []Term{{Product: mixed, Mult: 1}},
			}}},
		},
		Outputs: []Output{{Name: "y", Tensor: 4, Shape: []int{1, 2, 4, 6}, Scale: 1}},
	}
}

func TestProductHasTheAxesOfItsOperands(t *testing.T) {
	info, err := attention().Check()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := info.Shapes[3], []int{1, 2, 4, 3}; !slices.Equal(got, want) {
		t.Errorf("scores of shape %v, want %v", got, want)
	}
}

func TestProductBoundHoldsEveryPartialSum(t *testing.T) {
	g := attention()
	info, err := g.Check()
	if err != nil {
		t.Fatal(err)
	}
	if err := g.CheckWeights(info, nil); err != nil {
		t.Error(err)
	}
	acc := &g.Nodes[3].Op.(*Rescale).Acc
	got, err := acc.Bound(info.Bounds[:2], nil, 3)
	if want := (Interval{-2 * 5 * 60, 2 * 5 * 40}); err != nil || got != want {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	acc.Terms[0].Mult = -2
	got, err = acc.Bound(info.Bounds[:2], nil, 3)
	if want := (Interval{-2 * 5 * 40, 2 * 5 * 60}); err != nil || got != want {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	if err := g.CheckWeights(info, nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("stated bounds that the product leaves: %v", err)
	}
	for _, wide := range [][2]Interval{
		{{-1 << 31, 1<<31 - 1}, {-1 << 31, 1<<31 - 1}},
		{{-1 << 40, 0}, {-1 << 40, 0}},
		{{0, 0}, {0, 1 << 31}},
	} {
		if b, err := acc.Bound(wide[:], nil, 3); err == nil {
			t.Errorf("product of %v within %v", wide, b)
		}
	}
}

func TestCheckRefusesBrokenProducts(t *testing.T) {
	scores := func(g *Graph) *Product { return g.Nodes[3].Op.(*Rescale).Acc.Terms[0].Product }
	for name, breakIt := range map[string]func(*Graph){
		"left of another rank":       func(g *Graph) { scores(g).Left = []int{0, 2, Contracted} },
		"right of another rank":      func(g *Graph) { scores(g).Right = nil },
		"nothing contracted":         func(g *Graph) { scores(g).Left[3] = 4 },
		"two axes contracted":        func(g *Graph) { scores(g).Left[1] = Contracted },
		"another length":             func(g *Graph) { scores(g).Length = 4 },
		"operands of unlike lengths": func(g *Graph) { g.Nodes[1].Op.(*Input).Shape[3] = 6 },
		"batches of unlike lengths":  func(g *Graph) { g.Nodes[1].Op.(*Input).Shape[1] = 3 },
		"one axis twice":             func(g *Graph) { scores(g).Left[0] = 2 },
		"axis below -1":              func(g *Graph) { scores(g).Left[0] = -2 },
		"axis beyond the rank":       func(g *Graph) { scores(g).Left[0] = MaxRank },
		"a hole among the axes":      func(g *Graph) { scores(g).Right[2] = 4 },
		"no second input":            func(g *Graph) { g.Nodes[3].Inputs = []int{0} },
		"an input too many":          func(g *Graph) { g.Nodes[3].Inputs = []int{0, 1, 1} },
		"channel beyond the rank":    func(g *Graph) { g.Nodes[4].Op.(*Reveal).Acc.Channel = 4 },
		"both kinds of term":         func(g *Graph) { g.Nodes[3].Op.(*Rescale).Acc.Terms[0].Conv = &Conv{} },
		"wide multiplier":            func(g *Graph) { g.Nodes[3].Op.(*Rescale).Acc.Terms[0].Mult = 1 << 31 },
		"wide left operand": func(g *Graph) {
			g.Nodes[2] = Node{Inputs: []int{0}, Op: &Scale{Constant{[]int{1, 1, 1, 1}, []int64{1 << 30}}}}
			g.Nodes[3].Inputs[0] = 2
		},
		"wide right operand": func(g *Graph) {
			g.Nodes[2] = Node{Inputs: []int{1}, Op: &Scale{Constant{[]int{1, 1, 1, 1}, []int64{1 << 30}}}}
			g.Nodes[3].Inputs[1] = 2
		},
		"product of no axes": func(g *Graph) {
			g.Nodes[0].Op.(*Input).Shape, g.Nodes[1].Op.(*Input).Shape = []int{5}, []int{5}
			*scores(g) = Product{Left: []int{Contracted}, Right: []int{Contracted}, Length: 5}
		},
		"product that is too large": func(g *Graph) {
			g.Nodes[0].Op.(*Input).Shape, g.Nodes[1].Op.(*Input).Shape = []int{1 << 20, 5}, []int{5, 1 << 20}
			*scores(g) = Product{Left: []int{0, Contracted}, Right: []int{Contracted, 1}, Length: 5}
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := attention()
			breakIt(g)
			if _, err := g.Check(); !errors.Is(err, ErrInvalid) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestProductsKeepTheirEncoding(t *testing.T) {
	data := attention().Encode()
	g, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(g.Encode(), data) {
		t.Error("decoding and encoding changed the bytes")
	}
	if _, err := g.Check(); err != nil {
		t.Error(err)
	}
	for n := range data {
		if _, err := Decode(data[:n]); !errors.Is(err, ErrEncoding) {
			t.Fatalf("prefix of %d bytes: %v", n, err)
		}
	}
}
