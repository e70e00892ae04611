package lookup

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/prover/poly"
)

// step is the function base + jump·[i < edge] on i < 2^n, 0 <= edge <= 2^n.
// Unit numerators over a prefix are a step, and binding the top variable of a
// step gives a step again.
type step struct {
	base, jump fr.Element
	edge       int
}

// halves returns the step at X = 0, at X = 1 and their difference, X being the
// top variable and half = 2^(n-1).
func (s *step) halves(half int) (lo, hi, diff step) {
	var neg fr.Element
	neg.Neg(&s.jump)
	if s.edge >= half {
		lo.base.Add(&s.base, &s.jump)
		hi = step{base: s.base, jump: s.jump, edge: s.edge - half}
		diff = step{base: neg, jump: s.jump, edge: s.edge - half}
		return lo, hi, diff
	}
	lo = *s
	hi.base = s.base
	diff = step{jump: neg, edge: s.edge}
	return lo, hi, diff
}

// bind fixes the top variable to rho.
func (s *step) bind(half int, rho *fr.Element) {
	lo, _, diff := s.halves(half)
	diff.base.Mul(&diff.base, rho)
	diff.jump.Mul(&diff.jump, rho)
	s.base.Add(&lo.base, &diff.base)
	s.jump.Add(&lo.jump, &diff.jump)
	s.edge = max(lo.edge, diff.edge)
}

// value is the step over no variables.
func (s *step) value() fr.Element {
	v := s.base
	if s.edge > 0 {
		v.Add(&v, &s.jump)
	}
	return v
}

// correlate returns Σ_i eq(point,i)·s(i)·t(i).
func correlate(point []fr.Element, s, t *step) fr.Element {
	var sum fr.Element
	add := func(a, b, c fr.Element) {
		a.Mul(&a, &b).Mul(&a, &c)
		sum.Add(&sum, &a)
	}
	one := fr.One()
	ls, lt := poly.Less(point, uint64(s.edge)), poly.Less(point, uint64(t.edge))
	both := ls
	if t.edge < s.edge {
		both = lt
	}
	add(s.base, t.base, one)
	add(s.base, t.jump, lt)
	add(s.jump, t.base, ls)
	add(s.jump, t.jump, both)
	return sum
}
