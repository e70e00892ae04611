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

// TestFactorsOfProductsAreFunctionals compares, for random products, what the prover sums
// with what the verifier weighs: the sum of L·R is the node's functional on the product, and
// each factor at a random point is the functional on its operand.
func TestFactorsOfProductsAreFunctionals(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	for seed := range uint64(60) {
		c := graphtest.RandomProduct(seed)
		s, err := NewSystem(c.Graph, c.Info)
		if err != nil {
			t.Fatal(err)
		}
		trace, err := interpret.Run(t.Context(), c.Graph, c.Info, c.Weights, c.Inputs)
		if err != nil {
			t.Fatal(err)
		}
		cells := func(tensor int) []int32 {
			wide, err := interpret.View(c.Graph, c.Info, trace.Values, tensor)
			if err != nil {
				t.Fatal(err)
			}
			narrow := make([]int32, len(wide))
			for i, v := range wide {
				narrow[i] = int32(v)
			}
			return narrow
		}
		point := randomVector(rng, s.PointVars())
		ch := &Challenges{Point: point, Gamma: randomVector(rng, 1)[0], Rho: randomVector(rng, 1)[0]}
		ch.Left.Point = point[len(point)-s.LeafVars:]
		claims := s.Claims(ch)
		if len(claims.Products) == 0 || s.InputCount() != len(claims.Convs)+2*len(claims.Products) {
			t.Fatalf("seed %d: %d claims on products, %d input factors", seed, len(claims.Products), s.InputCount())
		}
		for i := range claims.Products {
			p := &claims.Products[i]
			operands := p.Operands()
			left, right := cells(operands[0]), cells(operands[1])
			factors := p.Factors(left, right)
			r := randomVector(rng, s.Weights.ContractVars)
			for side, x := range [][]int32{left, right} {
				padded := make([]fr.Element, 1<<p.Vars())
				copy(padded, factors[side])
				got, want := poly.Evaluate(padded, r[len(r)-p.Vars():]), p.term(side, r, new(eqTables)).Apply(x)
				if !got.Equal(&want) {
					t.Errorf("seed %d, claim %d: factor %d is not its functional", seed, i, side)
				}
			}
			var got fr.Element
			for k := range factors[0] {
				var v fr.Element
				v.Mul(&factors[0][k], &factors[1][k])
				got.Add(&got, &v)
			}
			acc := graph.AccumulatorOf(c.Graph.Nodes[p.shape.node].Op)
			want := Separable(p.mult, p.out...).Apply64(naiveProduct(acc.Terms[p.shape.term].Product, c.Info.Shapes[p.shape.node], p.shape.operands, left, right))
			if !got.Equal(&want) {
				t.Errorf("seed %d, claim %d: the factors sum to something else than the product", seed, i)
			}
		}
	}
}

// naiveProduct is the product's definition, cell by cell.
func naiveProduct(p *graph.Product, shape []int, operands [2]operand, left, right []int32) []int64 {
	out := make([]int64, graph.Elements(shape))
	index := make([]int, len(shape))
	at := func(o *operand, k int) int {
		cell := 0
		for a, d := range o.shape {
			i := k
			if o.axes[a] != graph.Contracted {
				i = index[o.axes[a]]
			}
			cell = cell*d + i
		}
		return cell
	}
	for i := range out {
		for a, rest := len(shape)-1, i; a >= 0; a-- {
			index[a], rest = rest%shape[a], rest/shape[a]
		}
		for k := range p.Length {
			out[i] += int64(left[at(&operands[0], k)]) * int64(right[at(&operands[1], k)])
		}
	}
	return out
}
