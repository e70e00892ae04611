package layer

import (
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/interpret"
	"github.com/weisyn/wes/prover/model/interpret/graphtest"
	"github.com/weisyn/wes/prover/poly"
)

func randomVector(rng *rand.Rand, n int) []fr.Element {
	v := make([]fr.Element, n)
	for i := range v {
		v[i] = fr.Element{rng.Uint64(), rng.Uint64(), rng.Uint64(), rng.Uint64() >> 3}
	}
	return v
}

func randomTerm(rng *rand.Rand, shape []int) Term {
	vecs := make([][]fr.Element, len(shape))
	for a, d := range shape {
		vecs[a] = randomVector(rng, d)
	}
	return Separable(randomVector(rng, 1)[0], vecs...)
}

// ⟨view(x), t⟩ = Σ ⟨x_i, pull(t)_i⟩ for every view of random graphs, also for functionals
// that were pulled through another view before.
func TestPullIsTheAdjointOfTheView(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(300) {
		c := graphtest.Random(seed)
		trace, err := interpret.Run(t.Context(), c.Graph, c.Info, c.Weights, c.Inputs)
		if err != nil {
			t.Fatal(err)
		}
		cells := func(tensor int) []int64 {
			v, err := interpret.View(c.Graph, c.Info, trace.Values, tensor)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		rng := rand.New(rand.NewPCG(seed, 2))
		var check func(tensor int, term Term, want fr.Element)
		check = func(tensor int, term Term, want fr.Element) {
			n := &c.Graph.Nodes[tensor]
			if !IsView(n.Op) {
				return
			}
			seen[graph.KindName(n.Op)]++
			in := make([][]int, len(n.Inputs))
			for i, at := range n.Inputs {
				in[i] = c.Info.Shapes[at]
			}
			pulled, err := pull(n.Op, term, in, c.Info.Shapes[tensor])
			if err != nil {
				t.Fatalf("seed %d, node %d: %v", seed, tensor, err)
			}
			var sum fr.Element
			for i, at := range n.Inputs {
				v := pulled[i].Apply64(cells(at))
				sum.Add(&sum, &v)
				check(at, pulled[i], v)
			}
			if !sum.Equal(&want) {
				t.Fatalf("seed %d, node %d (%s)", seed, tensor, graph.KindName(n.Op))
			}
		}
		for i := range c.Graph.Nodes {
			if IsView(c.Graph.Nodes[i].Op) {
				term := randomTerm(rng, c.Info.Shapes[i])
				check(i, term, term.Apply64(cells(i)))
			}
		}
	}
	for _, kind := range []string{"Slice", "Pad", "Select", "Broadcast", "SumWindow", "Scale", "Transpose", "Reshape", "Concat"} {
		if seen[kind] == 0 {
			t.Errorf("no %s was met", kind)
		}
	}
}

func testColumns() []Column {
	var all []Column
	for _, shape := range [][]int{{1, 24, 5, 7}, {3, 1}, {1, 1}, {2, 100}, {2, 3, 17}, {1, 16, 4, 4}, {1, 1, 1, 1}} {
		for channel := range shape {
			all = append(all, columns(0, shape, channel, lowBits)...)
		}
	}
	return all
}

func TestColumnsCoverEveryCellOnce(t *testing.T) {
	for _, shape := range [][]int{{1, 24, 5, 7}, {3, 1}, {7, 100}, {1, 1}} {
		for channel := range shape {
			seen := make([]int, graph.Elements(shape))
			for _, c := range columns(0, shape, channel, lowBits) {
				stored := map[int]bool{}
				c.Runs(func(cell, store int) {
					for i := range 1 << c.Low {
						seen[cell+i*c.ChannelStride()]++
						if stored[store+i] || store+i >= 1<<c.Vars {
							t.Fatalf("%v: position %d is used twice or past the end", shape, store+i)
						}
						stored[store+i] = true
					}
				})
			}
			for cell, n := range seen {
				if n != 1 {
					t.Fatalf("%v by axis %d: cell %d is stored %d times", shape, channel, cell, n)
				}
			}
		}
	}
}

// What the prover adds to a column is what the verifier evaluates.
func TestAddTermAgreesWithEvalTerms(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range testColumns() {
		separable := randomTerm(rng, c.Shape)
		dense, err := randomTerm(rng, c.Shape).merge(0, len(c.Shape))
		if err != nil {
			t.Fatal(err)
		}
		cells := make([]fr.Element, 1<<c.Vars)
		c.AddTerm(cells, separable)
		c.AddTerm(cells, dense)
		p := randomVector(rng, c.Vars)
		got, want := c.evalTerms([]Term{separable, dense}, p, new(eqTables)), poly.Evaluate(cells, p)
		if !got.Equal(&want) {
			t.Errorf("column %+v", c)
		}
	}
}

// The weights eq(p, ·) of a column, as a term, are those of its stored cells.
func TestEqVectorsAreTheExtensionOfTheColumn(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, c := range testColumns() {
		p := randomVector(rng, c.Vars)
		term := Separable(c.lone(p), c.eqVectors(p, new(eqTables))...)
		c.Runs(func(cell, store int) {
			for i := range 1 << c.Low {
				got, want := term.weight(cell+i*c.ChannelStride(), c.Shape), poly.EqAt(p, uint64(store+i))
				if !got.Equal(&want) {
					t.Fatalf("column %+v: cell %d", c, cell)
				}
			}
		})
	}
}

func TestRowsEvalIsTheExtensionOfTheDenominators(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for seed := range uint64(40) {
		c := graphtest.Random(seed)
		s, err := NewSystem(c.Graph, c.Info)
		if err != nil {
			t.Fatal(err)
		}
		if s.RowCount == 0 || s.RowCount > 1<<16 {
			continue
		}
		v := randomVector(rng, 2)
		ch := &Challenges{Alpha: v[0], Beta: v[1]}
		var rows []fr.Element
		for i := range s.Tables {
			dens := make([]fr.Element, 1<<s.Tables[i].Vars)
			s.Denominators(ch, i, dens)
			rows = append(rows, dens...)
		}
		for len(rows) < 1<<s.RowVars {
			rows = append(rows, fr.One())
		}
		p := randomVector(rng, s.RowVars)
		if got, want := s.RowsEval(ch, p), poly.Evaluate(rows, p); !got.Equal(&want) {
			t.Errorf("seed %d", seed)
		}
	}
}

// TestAxesWeighedByEqSplitAtPowersOfTwo pulls terms through reshapes: where an axis weighed by eq
// splits evenly the parts stay apart, and everywhere the value is the same.
func TestAxesWeighedByEqSplitAtPowersOfTwo(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for _, test := range []struct {
		in     []int
		out    int
		groups int
	}{
		{[]int{12, 64}, 768, 2},
		{[]int{3, 4, 2}, 24, 3},
		{[]int{1, 8}, 8, 2},
		{[]int{8, 1}, 8, 2},
		{[]int{4, 6}, 24, 1},
		{[]int{5, 3}, 15, 1},
		{[]int{7}, 7, 1},
	} {
		point := randomVector(rng, log2Ceil(test.out))
		term := Term{Coef: randomVector(rng, 1)[0], Groups: []Group{eqGroup(point, test.out)}}
		cells := make([]int32, test.out)
		for i := range cells {
			cells[i] = int32(rng.IntN(1000))
		}
		pulled, err := pullReshape(term, test.in, []int{test.out})
		if err != nil {
			t.Fatal(err)
		}
		got, want := pulled[0].Apply(cells), term.Apply(cells)
		if !got.Equal(&want) || len(pulled[0].Groups) != test.groups {
			t.Errorf("%d cells as %v: %d groups, want %d; equal: %v", test.out, test.in, len(pulled[0].Groups), test.groups, got.Equal(&want))
		}
	}
}

// TestWideCellsAreWeighedLikeOneByOne compares tiles with cells, with zero weights at the
// ends and with cells that 32 bits do not hold.
func TestWideCellsAreWeighedLikeOneByOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for _, shape := range [][]int{{1, 1}, {1, 5}, {7, 1}, {3, 4, 5}, {40, 3}, {1, 3 * wideTile / wideRows}, {2*wideRows + 1, wideTile/wideRows + 3}, {wideTile + 7, 2}} {
		var vecs [][]fr.Element
		for _, d := range shape {
			vecs = append(vecs, randomVector(rng, d))
		}
		cells := make([]int64, graph.Elements(shape))
		for i := range cells {
			cells[i] = int64(int32(rng.Uint32()))
		}
		last := vecs[len(vecs)-1]
		for _, zeros := range []int{0, 1, len(last) / 2, len(last)} {
			clear(last[:zeros])
			clear(last[len(last)-zeros/2:])
			term := Separable(randomVector(rng, 1)[0], vecs...)
			for range 2 {
				want := term.Apply64(cells)
				for _, source := range []wideSource{constantCells(cells), graph.PackCells(cells, graph.Interval{})} {
					if got := term.applyWide(source); !got.Equal(&want) {
						t.Errorf("%T of shape %v, %d zeros", source, shape, zeros)
					}
				}
				cells[rng.IntN(len(cells))] = rng.Int64() - 1<<62
			}
		}
	}
}
