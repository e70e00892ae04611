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

// form is the sumcheck of Σ_x eq(r,x)·Σ_terms a(x)·b(x). It owns its tables
// and keeps them so that every pass costs few multiplications:
//
//   - The inner factor of the weights is part of a. A sum over a block is then
//     an inner product. When a variable of the inner factor comes to be bound,
//     the upper half of a is multiplied by (1-r)/r, after which both halves
//     carry 1-r in place of that factor, which goes to scaleA.
//   - Binding a variable to ρ replaces lo and hi by (1-ρ)·(lo + κ·hi) with
//     κ = ρ/(1-ρ). The factor 1-ρ goes to both scales. An entry whose hi is
//     beyond the prefix then costs an addition, not a multiplication.
//   - Tables are folded by the pass of the next round, block by block.
type form struct {
	terms          []term
	scaleA, scaleB fr.Element // the true tables are scaleA·a and scaleB·b
	ones           fr.Vector  // tail of b, for one block; set while tables are partial
	kappa          fr.Element // of the last bound variable
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

// bind fixes the top variable.
func (f *form) bind(c *challenge) {
	f.kappa, f.folded = c.kappa, false
	f.scaleA.Mul(&f.scaleA, &c.complement)
	f.scaleB.Mul(&f.scaleB, &c.complement)
	if f.ones != nil {
		vec.Scale(f.ones, f.ones, &f.kappa)
		for i := range f.terms {
			t := f.terms[i].tail
			vec.Scale(t, t, &f.kappa)
		}
	}
}

// pass returns Σ_y eq(y)·Σ_terms a·b at X = 1 and at infinity, X being the top
// unbound variable and y the others. r is the point's entry of X if a carries
// the factor of X, otherwise nil. The sum at 1 leaves out the y for which
// X = 1 is beyond the prefix.
func (f *form) pass(w *workers, eq *weights, r *challenge) (one, curv fr.Element) {
	w.clear()
	w.each(len(eq.outer), func(s *scratch, o int) {
		at := o * eq.n
		f.load(s, at, eq)
		if r != nil {
			f.unweigh(at+eq.size(), eq.n, &r.odds)
		}
		one, curv := f.evaluate(s, at, eq)
		one.Mul(&one, &eq.outer[o])
		s.one.Add(&s.one, &one)
		curv.Mul(&curv, &eq.outer[o])
		s.curv.Add(&s.curv, &curv)
	})
	f.settle(2 * eq.size())
	if r != nil {
		f.scaleA.Mul(&f.scaleA, &r.inverse)
	}
	one, curv = w.total()
	var scale fr.Element
	scale.Mul(&f.scaleA, &f.scaleB)
	one.Mul(&one, &scale)
	curv.Mul(&curv, &scale)
	return one, curv
}

// load brings the blocks at at in both halves up to date.
func (f *form) load(s *scratch, at int, eq *weights) {
	half := eq.size()
	for _, from := range [2]int{at, at + half} {
		switch {
		case f.prepare != nil:
			if to := min(from+eq.n, f.stored()); from < to {
				f.prepare(s, from, to)
			}
		case !f.folded:
			f.fold(from, eq.n, 2*half)
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

// fold binds a variable in the n entries at from: it adds to them κ times the
// entries half further up.
func (f *form) fold(from, n, half int) {
	for i := range f.terms {
		t := &f.terms[i]
		foldTable(t.a, t.tail, &f.kappa, from, n, half)
		foldTable(t.b, f.ones, &f.kappa, from, n, half)
	}
}

// foldTable folds one table; tail is κ times its entries beyond the prefix.
func foldTable(v, tail fr.Vector, kappa *fr.Element, from, n, half int) {
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

// evaluate sums one block of each half.
func (f *form) evaluate(s *scratch, at int, eq *weights) (one, curv fr.Element) {
	half := eq.size()
	for i := range f.terms {
		t := &f.terms[i]
		v := vec.Inner(prefix(t.a, at+half, eq.n), prefix(t.b, at+half, eq.n))
		one.Add(&one, &v)
		if at+half+eq.n <= f.stored() {
			lo, hi := at, at+half
			v = vec.InnerDifference(t.a[hi:hi+eq.n], t.a[lo:lo+eq.n], t.b[hi:hi+eq.n], t.b[lo:lo+eq.n])
		} else {
			v = vec.Inner(difference(s.x, t.a, t.tail, at, eq.n, half), difference(s.y, t.b, f.ones, at, eq.n, half))
		}
		curv.Add(&curv, &v)
	}
	return one, curv
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
