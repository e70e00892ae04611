package commit

import (
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"

	"github.com/weisyn/wes/prover/vec"
)

const (
	// lane is the number of additions that share one field inversion, which costs
	// as much as a hundred products.
	lane = 1024
	// block is the number of additions that are computed together: the vectors of
	// a block fit into a first-level cache of 32 KiB.
	block = 128
	// treeSize bounds the products of a block: levels of 64, 32, …, 1 entries, or
	// one more where a level has an odd number.
	treeSize = block + 8
	// stub is the number of products where the tree of a block ends, as shorter
	// vectors are slow.
	stub = 8
)

// adder sums pairs of affine points, up to lane pairs at a time. All products of
// a batch, those of the shared inversion included, are element-wise products of
// vectors, which are faster where the machine has AVX2 or AVX-512.
//
// Infinity is (0, 0), as everywhere in gnark-crypto. A pair that the chord formula
// cannot add (an operand at infinity, equal points, opposite points) is summed
// apart: one zero denominator would otherwise turn the whole batch to zero.
type adder struct {
	n              int     // pairs in the batch
	dst            []int32 // where the sum of each pair goes
	x1, y1, x2, y2 fp.Vector

	inverse fp.Vector // x2 − x1, then its inverse
	trees   []treeVec // the products of each block
	stubs   fp.Vector // the last products of the blocks, up to stub of each
	t, u    fp.Vector // scratch of a block

	special []specialSum
	touched uint64 // of no use; see touch
}

type treeVec [treeSize]fp.Element

// specialSum is the sum of the pair at a position of the batch.
type specialSum struct {
	position int
	sum      bn254.G1Affine
}

// newAdder makes an adder with the scratch for up to pairs pairs at a time.
func newAdder(pairs int) *adder {
	vector := func(n int) fp.Vector { return make(fp.Vector, n) }
	blocks := (max(1, min(pairs, lane)) + block - 1) / block
	n := blocks * block
	return &adder{
		dst: make([]int32, n),
		x1:  vector(n), y1: vector(n), x2: vector(n), y2: vector(n),
		inverse: vector(n), trees: make([]treeVec, blocks), stubs: vector(blocks * stub),
		t: vector(block), u: vector(block),
	}
}

// sum stores the sum of every pair of the batch at its destination in x and y, and
// empties the batch.
func (a *adder) sum(x, y fp.Vector) {
	n, blocks, products := a.n, 0, 0
	a.n, a.special = 0, a.special[:0]
	for lo := 0; lo < n; lo += block {
		hi := min(lo+block, n)
		a.sumSpecial(lo, hi)
		v := a.inverse[lo:hi]
		products += copy(a.stubs[products:], multiply(v, a.trees[blocks][:], stub))
		blocks++
	}
	invert(a.stubs[:products], a.t, a.u)
	products = 0
	for i := range blocks {
		lo, hi := i*block, min((i+1)*block, n)
		products += divide(a.inverse[lo:hi], a.trees[i][:], a.t, a.stubs[products:], stub)
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

// sumSpecial fills inverse with the denominators of the pairs lo..hi-1. It sums the pairs
// that have no chord and makes their denominators 1.
func (a *adder) sumSpecial(lo, hi int) {
	d, x1s, x2s := a.inverse[lo:hi], a.x1[lo:hi], a.x2[lo:hi]
	d.Sub(x2s, x1s)
	for i := range d {
		x1, x2 := &x1s[i], &x2s[i]
		if d[i][0] != 0 && x1[0] != 0 && x2[0] != 0 {
			continue // the lowest words tell, nearly always
		}
		y1, y2 := &a.y1[lo+i], &a.y2[lo+i]
		if !d[i].IsZero() && !isInfinity(x1, y1) && !isInfinity(x2, y2) {
			continue
		}
		p, q := bn254.G1Affine{X: *x1, Y: *y1}, bn254.G1Affine{X: *x2, Y: *y2}
		p.Add(&p, &q)
		a.special = append(a.special, specialSum{lo + i, p})
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
	product := multiply(v, tree, 1)[0]
	product.Inverse(&product)
	divide(v, tree, tmp, fp.Vector{product}, 1)
}

// multiply multiplies the first half of v with the second half, then does the same
// with the products, until at most end are left, which it returns: the product of all
// is that of v. It leaves all products in tree, which needs len(v)+log2(len(v)) entries.
func multiply(v, tree fp.Vector, end int) fp.Vector {
	for len(v) > end {
		half := len(v) / 2
		products := tree[:len(v)-half]
		vec.MulFp(products[:half], v[:half], v[half:2*half])
		if len(v)%2 == 1 {
			products[half] = v[len(v)-1]
		}
		v, tree = products, tree[len(products):]
	}
	return v
}

// divide replaces every entry of v by its inverse, given the tree that multiply left and
// the inverses of the products it returned, with two products per entry, and returns
// how many of the inverses it took. tmp needs len(v)/2 entries.
func divide(v, tree, tmp, inverses fp.Vector, end int) int {
	if len(v) <= end {
		return copy(v, inverses)
	}
	half := len(v) / 2
	products := tree[:len(v)-half]
	taken := divide(products, tree[len(products):], tmp, inverses, end)
	level, lo, hi, swap := products[:half], v[:half], v[half:2*half], tmp[:half]
	vec.MulFp(swap, level, lo)
	vec.MulFp(lo, level, hi)
	copy(hi, swap)
	if len(v)%2 == 1 {
		v[len(v)-1] = products[half]
	}
	return taken
}
