package prover

import (
	"fmt"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/layer"
	"github.com/weisyn/wes/prover/model/interpret/graphtest"
	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/verify"
)

const contracted = graph.Contracted

// productScenes are products of two committed tensors.
func productScenes() []scene {
	offset := func(q int64) int64 { return clamp(q + 9) } // padding holds 9, not 0
	operand := func(n *net, shape ...int) int {
		x := n.input(shape...)
		acc := n.accumulator([]graph.Term{{Mult: 5}}, graph.Constant{}, len(shape)-1, []int{x})
		return n.rescale(acc, []int{2}, offset, x)
	}
	product := func(name string, a, b []int, left, right []int, channel int, shift ...int) scene {
		return scene{name, func(n *net) int {
			return n.product(left, right, channel, shift, operand(n, a...), operand(n, b...))
		}}
	}
	return []scene{
		product("product", []int{3, 5}, []int{5, 2}, []int{0, contracted}, []int{contracted, 1}, 1, 9),
		product("product by a transpose", []int{3, 5}, []int{2, 5}, []int{0, contracted}, []int{1, contracted}, 0, 9),
		product("product of transposes", []int{7, 3}, []int{2, 7}, []int{contracted, 0}, []int{1, contracted}, 1, 9),
		product("batched product", []int{3, 2, 5}, []int{3, 5, 4}, []int{0, 1, contracted}, []int{0, contracted, 2}, 2, 9),
		product("product of heads", []int{3, 2, 5}, []int{4, 2, 5}, []int{1, 0, contracted}, []int{2, 0, contracted}, 1, 9),
		product("product with channels of batches", []int{3, 2, 5}, []int{3, 5, 2}, []int{0, 1, contracted}, []int{0, contracted, 2}, 0, 7, 9, 8),
		product("product with channels of rows", []int{1, 3, 5}, []int{1, 2, 5}, []int{0, 1, contracted}, []int{0, 2, contracted}, 1, 9, 7, 8),
		product("product with channels of columns", []int{1, 3, 5}, []int{1, 5, 3}, []int{0, 1, contracted}, []int{0, contracted, 2}, 2, 9, 7, 8),
		product("product of one cell", []int{1, 1}, []int{1, 1}, []int{0, contracted}, []int{contracted, 1}, 1, 3),
		product("product of two shapes of columns", []int{2, 3}, []int{3, 21}, []int{0, contracted}, []int{contracted, 1}, 1, 9),
		{"product with itself", func(n *net) int {
			a := operand(n, 3, 5)
			return n.product([]int{0, contracted}, []int{1, contracted}, 1, []int{9}, a, a)
		}},
		{"product of views", func(n *net) int {
			a, b := operand(n, 2, 6), operand(n, 3, 2)
			split := n.add(&graph.Reshape{Shape: []int{2, 2, 3}}, a)
			return n.product([]int{0, 1, contracted}, []int{contracted, 2}, 2, []int{9}, split, n.add(&graph.Pad{Axis: 1, After: 1}, b))
		}},
		{"sum of products", func(n *net) int {
			a, b, c := operand(n, 3, 5), operand(n, 5, 3), operand(n, 3, 3)
			left, right := []int{0, contracted}, []int{contracted, 1}
			in := []int{a, c, c, a, b, a}
			terms := []graph.Term{n.times(left, right, 1, a), {Mult: 3}, n.matmul(c, 3), n.times(left, []int{1, contracted}, -2, a)}
			return n.rescale(n.accumulator(terms, graph.Constant{}, 1, in), []int{9}, nil, in...)
		}},
	}
}

// products is a chain of three products, the last of which is revealed.
func products(tb testing.TB) (c *graphtest.Case, a, b int) {
	n := newNet(tb)
	a, b = n.commit(n.input(3, 2, 5)), n.commit(n.input(3, 5, 4))
	left, right := []int{0, 1, contracted}, []int{0, contracted, 2}
	first := n.product(left, right, 2, []int{9}, a, b)
	second := n.product(left, []int{0, 2, contracted}, 1, []int{9}, first, n.commit(n.input(3, 3, 4)))
	acc := graph.Accumulator{Channel: 2, Lo: -1 << 45, Hi: 1 << 45, Terms: []graph.Term{n.times(left, right, 1, second)}}
	return n.outputs(n.add(&graph.Reveal{Acc: acc}, second, n.commit(n.input(3, 3, 5)))), a, b
}

func toldProducts(t *testing.T) *liar {
	c, _, _ := products(t)
	p, trace := prepare(t, c, transcript.SHA256), execute(t, c)
	return newLiar(t, p, statementOf(t, p, trace), trace, false)
}

// TestFactorsOfProductsCannotBeTraded guards rule 9: both factors of a product are values of
// the operands, not only their product.
func TestFactorsOfProductsCannotBeTraded(t *testing.T) {
	two, half := fr.NewElement(2), fr.Element{}
	half.Inverse(&two)
	if err := toldProducts(t).prove(); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		for name, trade := range map[string]func(left, right *fr.Element){
			"scaled":    func(x, y *fr.Element) { x.Mul(x, &two); y.Mul(y, &half) },
			"exchanged": func(x, y *fr.Element) { *x, *y = *y, *x },
		} {
			t.Run(fmt.Sprint(name, i), func(t *testing.T) {
				l := toldProducts(t)
				l.factors = func(_, inputs []fr.Element) { trade(&inputs[2*i], &inputs[2*i+1]) }
				wantRejection(t, l.prove(), verify.CheckCells)
			})
		}
	}
	l := toldProducts(t)
	l.factors = func(_, inputs []fr.Element) { inputs[3].Add(&inputs[3], &two) }
	wantRejection(t, l.prove(), verify.CheckFactors)
}

// TestErrorsOfProductsDoNotCancel guards rule 9: changes of several factors that neither the
// contraction notices nor an opening whose claims weigh the same.
func TestErrorsOfProductsDoNotCancel(t *testing.T) {
	l := toldProducts(t)
	l.factors = func(_, inputs []fr.Element) {
		coefficients, ones := make([]fr.Element, 3), []fr.Element{fr.One(), fr.One(), fr.One()}
		for i := range coefficients {
			coefficients[i] = l.claims.Products[i].Late(l.r)
			coefficients[i].Mul(&coefficients[i], &inputs[2*i+1])
		}
		for i, d := range cross(coefficients, ones) {
			inputs[2*i].Add(&inputs[2*i], &d)
		}
	}
	wantRejection(t, l.prove(), verify.CheckCells)
}

// TestSumsOfProductsCannotBeTraded guards rule 9 between lookups and revealed tensors.
func TestSumsOfProductsCannotBeTraded(t *testing.T) {
	one := fr.One()
	for name, trade := range map[string]func(c *[2]fr.Element){
		"moved":  func(c *[2]fr.Element) { c[0].Add(&c[0], &one); c[1].Sub(&c[1], &one) },
		"raised": func(c *[2]fr.Element) { c[1].Add(&c[1], &one) },
	} {
		t.Run(name, func(t *testing.T) {
			l := toldProducts(t)
			l.sums = trade
			wantRejection(t, l.prove(), verify.CheckFactors)
		})
	}
}

// TestProductOfOtherOperandsIsRejected guards rule 4: the product of an operand that is not
// the committed one, with lookups and contraction true for it.
func TestProductOfOtherOperandsIsRejected(t *testing.T) {
	c, a, b := products(t)
	p, honest := prepare(t, c, transcript.SHA256), execute(t, c)
	for _, operand := range []int{a, b} {
		told := false
		for cell, v := range honest.Values[operand] {
			trace := executeWith(t, c, in(operand, func(v []int32) { v[cell] += 60 }))
			if slices.Equal(trace.Accs[len(trace.Accs)-1], honest.Accs[len(honest.Accs)-1]) {
				continue // the other operand is zero there
			}
			l := newLiar(t, p, statementOf(t, p, trace), trace, false)
			column, at := l.locate(operand, cell)
			acc := honest.Accs[operand][cell]
			l.setQuotient(column, at, graph.ShiftRight(acc, 2), int64(v))
			wantRejection(t, l.prove(), verify.CheckCells)
			told = true
			break
		}
		if !told {
			t.Errorf("no lie told about operand %d", operand)
		}
	}
}

// TestOneFactorLessIsRejected opens everything but one operand of a product.
func TestOneFactorLessIsRejected(t *testing.T) {
	l := toldProducts(t)
	l.commit()
	l.lookup()
	l.contract()
	m, proof := l.prepared.Model, l.result.Proof
	claims := l.claims
	claims.Products = claims.Products[:2]
	msg := &layer.Messages{Convs: proof.Convs, Inputs: proof.Inputs}
	o, err := m.OpeningClaim(l.result.Statement, &l.challenges, msg, &claims, l.r, nil, verify.DrawDelta(l.tr))
	if err != nil {
		t.Fatal(err)
	}
	l.openClaim(o)
	wantRejection(t, verify.Verify(m, l.result.Statement, proof), verify.CheckCells)
}
