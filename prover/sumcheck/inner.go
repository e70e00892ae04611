package sumcheck

import (
	"fmt"
	"runtime"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/prover/poly"
	"github.com/weisyn/wes/prover/transcript"
)

// smallRounds is the number of rounds in which P stays a table of integers.
// Such a round costs 1.5 products of an entry of P and a field element per cell
// of the whole table, a later one 2.5 field multiplications per cell left.
const smallRounds = 4

// innerBlock is the number of entries of L that a round on integers works on at
// once.
const innerBlock = 4 * blockSize

// ProveInner proves Σ_x P(x)·L(x) = claim over n variables, P being a prefix of
// small integers and L one of field elements, len(p) == len(l) <= 2^n. It
// returns the proof for Verify(tr, n, 2, …), the point (top variable first) and
// the values of P and L there; the value that Verify returns is pEval·lEval. It
// overwrites l and needs memory for 2^(n-4) more elements.
func ProveInner(tr *transcript.Transcript, n int, claim fr.Element, p []int32, l []fr.Element) (proof Proof, point []fr.Element, pEval, lEval fr.Element) {
	if len(p) != len(l) || n < 63 && len(p) > 1<<n {
		panic(fmt.Sprintf("BUG: sumcheck: inner product of %d and %d entries over %d variables", len(p), len(l), n))
	}
	tr.AppendScalars(labelClaim, claim)
	in := inner{p: p, l: table{values: l, vars: n}}
	quadratic := newInterpolation(2)
	for range min(n, smallRounds) {
		m := in.message(claim)
		r := exchange(tr, m)
		claim = quadratic.next(claim, m, r)
		proof.Rounds = append(proof.Rounds, m)
		in.point = append(in.point, r)
	}
	left := n - len(in.point)
	c := in.product(left)
	rest, tail := proveRounds(tr, left, 2, []*product{c})
	proof.Rounds = append(proof.Rounds, rest.Rounds...)
	finals := c.finals()
	return proof, append(in.point, tail...), finals[0], finals[1]
}

// inner is an inner product while P is not folded: after j rounds P at (point,
// x) is Σ_a eq(point, a)·p[a·2^(n-j) + x].
type inner struct {
	p     []int32
	point []fr.Element
	// l is folded by all challenges but the last.
	l table
}

// message folds L by the last challenge and returns the message of the next
// round, which starts from claim.
//
// Let row b of P be p[b·half:(b+1)·half], rows 2a and 2a+1 being the halves of
// what prefix a stands for, and L0, L1 the halves of L. All that is needed of P
// are the products of all rows with L0 and of the even rows with L1.
func (in *inner) message(claim fr.Element) []fr.Element {
	half := 1 << (in.l.vars - 1)
	if len(in.point) > 0 {
		half /= 2
	}
	rows := 2 << len(in.point)
	sums := sumBlocks(runtime.GOMAXPROCS(0), min(half, len(in.l.values)), rows+rows/2, innerBlock, func(_, _ int) blockFunc {
		part := make([]fr.Element, rows+rows/2)
		return func(dst []fr.Element, start, end int) {
			l := in.fold(start, end, half)
			data := in.p[min(start, len(in.p)):]
			poly.MatVec(part[:rows], l.slice(start, end), data, half)
			poly.MatVec(part[rows:], l.slice(start+half, end+half), data, 2*half)
			sum := fr.Vector(dst)
			sum.Add(sum, part)
		}
	})
	if len(in.point) > 0 {
		in.l.shrink()
	}
	return in.combine(claim, sums[:rows], sums[rows:])
}

// fold binds the last challenge for the entries [start, end) of both halves and
// returns the table as it is after that.
func (in *inner) fold(start, end, half int) table {
	l := in.l
	if len(in.point) == 0 {
		return l
	}
	r := &in.point[len(in.point)-1]
	l.foldRange(start, end, r)
	l.foldRange(start+half, end+half, r)
	l.shrink()
	return l
}

// combine returns g(0) and g(2) from the products of the rows of P with L0 and
// of the even rows with L1:
//
//	(2p1-p0)(2l1-l0) = 4·p1·l1 - 2(p1·l0 + p0·l1) + p0·l0,
//
// where Σ p1·l1 = claim - g(0).
func (in *inner) combine(claim fr.Element, with0, even1 []fr.Element) []fr.Element {
	var g0, cross, g2, t fr.Element
	for a, e := range poly.Eq(in.point) {
		t.Mul(&e, &with0[2*a])
		g0.Add(&g0, &t)
		t.Add(&with0[2*a+1], &even1[a])
		t.Mul(&t, &e)
		cross.Add(&cross, &t)
	}
	g2.Sub(&claim, &g0)
	g2.Double(&g2).Sub(&g2, &cross).Double(&g2).Add(&g2, &g0)
	return []fr.Element{g0, g2}
}

// product folds P by all challenges and L by the last; left variables are left.
func (in *inner) product(left int) *product {
	p := make([]fr.Element, min(len(in.p), 1<<left))
	poly.VecMat(p, poly.Eq(in.point), in.p, 1<<left)
	if in.l.vars > left {
		half := in.l.half()
		sumBlocks(runtime.GOMAXPROCS(0), min(half, len(in.l.values)), 0, blockSize, func(_, _ int) blockFunc {
			return func(_ []fr.Element, start, end int) {
				in.l.foldRange(start, end, &in.point[len(in.point)-1])
			}
		})
		in.l.shrink()
	}
	return newProduct(left, 2, Instance{Vars: left, Factors: [][]fr.Element{p, in.l.values}})
}
