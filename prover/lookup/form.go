package lookup

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/prover/vec"
)

// term is a product a(x)·b(x) of two tables stored over a prefix of the cube.
// Beyond it b is one and a is a constant times the inner weights.
type term struct {
	a, b fr.Vector
	tail fr.Vector // of a, for one block; set while tables are partial
}

// sums is the value of a round's polynomial at 1 and at infinity.
type sums struct {
	one, curv fr.Element
}

func (m *sums) add(other *sums) {
	m.one.Add(&m.one, &other.one)
	m.curv.Add(&m.curv, &other.curv)
}

func (m *sums) scale(c *fr.Element) {
	m.one.Mul(&m.one, c)
	m.curv.Mul(&m.curv, c)
}

// form is the sumcheck of Σ_x eq(r,x)·Σ_terms a(x)·b(x). It owns its tables
// and keeps them so that every pass costs few multiplications:
//
//   - The inner factor of the weights is part of a. A sum over a block is then
//     an inner product. When a variable of the inner factor comes to be bound,
//     the upper half of a is multiplied by (1-r)/r, after which both halves
//     carry 1-r in place of that factor, which goes to scaleA.
//   - Binding a variable to ρ replaces lo and hi by lo + ρ·(hi-lo). While the
//     tables are partial this is written (1-ρ)·(lo + κ·hi) with κ = ρ/(1-ρ),
//     and the factor 1-ρ goes to both scales: an entry whose hi is beyond the
//     prefix then costs an addition, not a multiplication.
//   - Tables are folded by the pass of the next round, block by block.
type form struct {
	terms          []term
	scaleA, scaleB fr.Element // the true tables are scaleA·a and scaleB·b
	ones           fr.Vector  // tail of b, for one block; set while tables are partial
	factor         fr.Element // ρ of the last bound variable, κ if the tables were partial
	folded         bool       // the tables no longer contain the last bound variable
	// prepare, run on every block of the prefix by the first pass, turns
	// stored nodes into weighted terms. It is nil later.
	prepare func(s *scratch, from, to int)
}

// newForm starts on tables over a prefix of 2^k entries. tails[i] is the
// constant that terms[i].a has beyond the prefix, before weighting.
func newForm(terms []term, tails []fr.Element, eq *weights) form {
	f := form{terms: terms, folded: true}
	f.scaleA.SetOne()
	f.scaleB.SetOne()
	if f.stored() < 2*eq.size() {
		one := fr.One()
		f.ones = fill(make(fr.Vector, eq.n), eq.n, &one)
		for i := range f.terms {
			t := make(fr.Vector, eq.n)
			vec.Scale(t, eq.inner, &tails[i])
			f.terms[i].tail = t
		}
	}
	return f
}

// stored is the length of the tables.
func (f *form) stored() int { return len(f.terms[0].a) }

// bind fixes the top variable to rho.
func (f *form) bind(rho *fr.Element) {
	f.factor, f.folded = *rho, false
	if f.ones == nil {
		return
	}
	c := complement(rho)
	f.factor.Inverse(&c).Mul(&f.factor, rho)
	f.scaleA.Mul(&f.scaleA, &c)
	f.scaleB.Mul(&f.scaleB, &c)
	vec.Scale(f.ones, f.ones, &f.factor)
	for i := range f.terms {
		t := f.terms[i].tail
		vec.Scale(t, t, &f.factor)
	}
}

// sum adds to z, for the n entries y from at on, Σ_y eq(y)·Σ_terms a·b at X = 1
// and at infinity, X being the top unbound variable. The entries belong to one
// block of eq, the weights of y. r is of X if a carries the factor of X,
// otherwise nil. The sum at 1 leaves out the y for which X = 1 is beyond the
// prefix. Disjoint entries may be summed concurrently.
func (f *form) sum(s *scratch, z *sums, at, n int, eq *weights, r *quotients) {
	half := eq.size()
	f.load(s, at, n, half)
	if r != nil {
		f.unweigh(at+half, n, &r.odds)
	}
	part := f.evaluate(s, at, n, half)
	outer := &eq.outer[at/eq.n]
	part.scale(outer)
	z.add(&part)
}

// finishPass ends a round in which all entries were summed, to z.
func (f *form) finishPass(z *sums, eq *weights, r *quotients) {
	f.settle(2 * eq.size())
	if r != nil {
		f.scaleA.Mul(&f.scaleA, &r.inverse)
	}
	z.scale(mul(&f.scaleA, &f.scaleB))
}

// load brings the n entries at at in both halves up to date; if they are all
// there is, in one piece.
func (f *form) load(s *scratch, at, n, half int) {
	if n == half && f.prepare == nil && f.ones == nil {
		if !f.folded {
			f.fold(0, 2*n, 2*half)
		}
		return
	}
	for _, from := range [2]int{at, at + half} {
		switch {
		case f.prepare != nil:
			if to := min(from+n, f.stored()); from < to {
				f.prepare(s, from, to)
			}
		case !f.folded:
			f.fold(from, n, 2*half)
		}
	}
}

// settle records that all tables have been brought to length n.
func (f *form) settle(n int) {
	if f.prepare != nil {
		f.prepare = nil
		return
	}
	f.folded = true
	f.ones = nil
	for i := range f.terms {
		t := &f.terms[i]
		t.a, t.b, t.tail = t.a[:n], t.b[:n], nil
	}
}

// fold binds a variable in the n entries at from, to the entries half further
// up.
func (f *form) fold(from, n, half int) {
	for i := range f.terms {
		t := &f.terms[i]
		if f.ones == nil {
			vec.Fold(t.a[from:from+n], t.a[from+half:from+half+n], &f.factor)
			vec.Fold(t.b[from:from+n], t.b[from+half:from+half+n], &f.factor)
			continue
		}
		foldPartial(t.a, t.tail, &f.factor, from, n, half)
		foldPartial(t.b, f.ones, &f.factor, from, n, half)
	}
}

// foldPartial adds to the n entries at from κ times those half further up; tail
// is κ times the entries beyond the prefix.
func foldPartial(v, tail fr.Vector, kappa *fr.Element, from, n, half int) {
	hi := prefix(v, from+half, n)
	vec.AddScaled(v[from:from+len(hi)], hi, kappa)
	if len(hi) < n {
		addTo(v[from+len(hi):from+n], slot(tail, from+len(hi), from+n))
	}
}

// unweigh multiplies the n entries at from of each a.
func (f *form) unweigh(from, n int, odds *fr.Element) {
	for i := range f.terms {
		a := f.terms[i].a[from : from+n]
		vec.Scale(a, a, odds)
	}
}

// evaluate sums n entries of each half, without the outer weight.
func (f *form) evaluate(s *scratch, at, n, half int) sums {
	var z sums
	for i := range f.terms {
		t := &f.terms[i]
		v := vec.Inner(prefix(t.a, at+half, n), prefix(t.b, at+half, n))
		z.one.Add(&z.one, &v)
		if at+half+n <= f.stored() {
			lo, hi := at, at+half
			v = vec.InnerDifference(t.a[hi:hi+n], t.a[lo:lo+n], t.b[hi:hi+n], t.b[lo:lo+n])
		} else {
			v = vec.Inner(difference(s.x, t.a, t.tail, at, n, half), difference(s.y, t.b, f.ones, at, n, half))
		}
		z.curv.Add(&z.curv, &v)
	}
	return z
}

// difference sets the first n entries of dst to the change of v from X = 0 to
// X = 1 and returns them.
func difference(dst, v, tail fr.Vector, at, n, half int) fr.Vector {
	hi := prefix(v, at+half, n)
	dst = dst[:n]
	head, rest := dst[:len(hi)], dst[len(hi):]
	head.Sub(hi, v[at:at+len(hi)])
	if len(rest) > 0 {
		rest.Sub(slot(tail, at+len(hi), at+n), v[at+len(hi):at+n])
	}
	return dst
}

// prefix returns the part of v[from:from+n] that is stored.
func prefix(v fr.Vector, from, n int) fr.Vector {
	return v[min(from, len(v)):min(from+n, len(v))]
}

// slot returns the part of one block of periodic values that belongs to the
// entries [from, to), which do not straddle blocks.
func slot(block fr.Vector, from, to int) fr.Vector {
	i := from % len(block)
	return block[i : i+to-from]
}

func addTo(dst, v fr.Vector) { dst.Add(dst, v) }

// finish folds the last variable, if any; the tables then have one entry,
// which is multiplied by the scales.
func (f *form) finish(s *scratch) {
	switch {
	case f.prepare != nil:
		f.prepare(s, 0, 1)
	case !f.folded:
		f.fold(0, 1, 1)
	}
	f.settle(1)
	for i := range f.terms {
		t := &f.terms[i]
		t.a[0].Mul(&t.a[0], &f.scaleA)
		t.b[0].Mul(&t.b[0], &f.scaleB)
	}
}
