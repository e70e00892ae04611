package commit

import (
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"

	"github.com/weisyn/wes/prover/vec"
)

const (
	// lane is the number of additions that share one field inversion, which costs
	// as much as a hundred products.
	lane = 512
	// block is the number of additions that are computed together: the vectors of
	// a block fit into a first-level cache of 32 KiB.
	block = 128
	// treeSize bounds the products of a block: levels of 64, 32, …, 1 entries, or
	// one more where a level has an odd number.
	treeSize = block + 8
)

// adder sums pairs of affine points, up to lane pairs at a time. All products of
// a batch, those of the shared inversion included, are element-wise products of
// vectors, which are faster where the machine has AVX-512.
//
// Infinity is (0, 0), as everywhere in gnark-crypto. A pair that the chord formula
// cannot add (an operand at infinity, equal points, opposite points) is summed
// apart: one zero denominator would otherwise turn the whole batch to zero.
type adder struct {
	n              int     // pairs in the batch
	dst            []int32 // where the sum of each pair goes
	x1, y1, x2, y2 fp.Vector

	inverse  fp.Vector                // x2 − x1, then its inverse
	trees    [lane / block]treeVec    // the products of each block
	products [lane / block]fp.Element // the product of each block
	t, u     fp.Vector                // scratch of a block

	special []specialSum
}

type treeVec [treeSize]fp.Element

// specialSum is the sum of the pair at a position of the batch.
type specialSum struct {
	position int
	sum      bn254.G1Affine
}

func newAdder() *adder {
	vector := func(n int) fp.Vector { return make(fp.Vector, n) }
	return &adder{
		dst: make([]int32, lane),
		x1:  vector(lane), y1: vector(lane), x2: vector(lane), y2: vector(lane),
		inverse: vector(lane), t: vector(block), u: vector(block),
	}
}

// sum stores the sum of every pair of the batch at its destination in x and y, and
// empties the batch.
func (a *adder) sum(x, y fp.Vector) {
	n, blocks := a.n, 0
	a.n = 0
	a.sumSpecial(n)
	for lo := 0; lo < n; lo += block {
		v := a.inverse[lo:min(lo+block, n)]
		a.products[blocks] = multiply(v, a.trees[blocks][:])
		blocks++
	}
	invert(a.products[:blocks], a.t, a.u)
	for i := range blocks {
		lo, hi := i*block, min((i+1)*block, n)
		divide(a.inverse[lo:hi], a.trees[i][:], a.t, &a.products[i])
		a.chord(lo, hi)
		for j, w := range a.dst[lo:hi] {
			x[w], y[w] = a.t[j], a.u[j]
		}
	}
	for _, s := range a.special {
		w := a.dst[s.position]
		x[w], y[w] = s.sum.X, s.sum.Y
	}
}

// sumSpecial fills inverse with the denominators of the n pairs. It sums the pairs
// that have no chord and makes their denominators 1.
func (a *adder) sumSpecial(n int) {
	a.special = a.special[:0]
	d := a.inverse[:n]
	d.Sub(a.x2[:n], a.x1[:n])
	for i := range d {
		x1, y1, x2, y2 := &a.x1[i], &a.y1[i], &a.x2[i], &a.y2[i]
		if !d[i].IsZero() && !isInfinity(x1, y1) && !isInfinity(x2, y2) {
			continue
		}
		p, q := bn254.G1Affine{X: *x1, Y: *y1}, bn254.G1Affine{X: *x2, Y: *y2}
		p.Add(&p, &q)
		a.special = append(a.special, specialSum{i, p})
		d[i].SetOne()
	}
}

func isInfinity(x, y *fp.Element) bool { return x.IsZero() && y.IsZero() }

// chord sets the first entries of t and u to the coordinates of the sums of the
// pairs lo..hi-1, from the inverses of x2 − x1.
func (a *adder) chord(lo, hi int) {
	x1, y1, x2, y2, slope := a.x1[lo:hi], a.y1[lo:hi], a.x2[lo:hi], a.y2[lo:hi], a.inverse[lo:hi]
	t, u := a.t[:hi-lo], a.u[:hi-lo]
	vec.SubMulFp(slope, y2, y1, slope)
	vec.SquareSubFp(t, slope, x1, x2)
	vec.SubMulSubFp(u, x1, t, slope, y1)
}

// invert replaces every entry of v, none of which may be zero, by its inverse.
func invert(v, tree, tmp fp.Vector) {
	if len(v) == 0 {
		return
	}
	product := multiply(v, tree)
	product.Inverse(&product)
	divide(v, tree, tmp, &product)
}

// multiply returns the product of the entries of v. It multiplies the first half
// with the second half, then does the same with the products, and leaves all
// products in tree, which needs len(v)+log2(len(v)) entries.
func multiply(v, tree fp.Vector) fp.Element {
	for len(v) > 1 {
		half := len(v) / 2
		products := tree[:len(v)-half]
		vec.MulFp(products[:half], v[:half], v[half:2*half])
		if len(v)%2 == 1 {
			products[half] = v[len(v)-1]
		}
		v, tree = products, tree[len(products):]
	}
	return v[0]
}

// divide replaces every entry of v by its inverse, given the tree that multiply
// left and the inverse of the product it returned, with two products per entry.
// tmp needs len(v)/2 entries.
func divide(v, tree, tmp fp.Vector, inverse *fp.Element) {
	if len(v) == 1 {
		v[0] = *inverse
		return
	}
	half := len(v) / 2
	products := tree[:len(v)-half]
	divide(products, tree[len(products):], tmp, inverse)
	level, lo, hi, swap := products[:half], v[:half], v[half:2*half], tmp[:half]
	vec.MulFp(swap, level, lo)
	vec.MulFp(lo, level, hi)
	copy(hi, swap)
	if len(v)%2 == 1 {
		v[len(v)-1] = products[half]
	}
}
