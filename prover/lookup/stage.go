package lookup

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/prover/poly"
	"github.com/weisyn/wes/prover/vec"
)

// stage is one side's part of one step: the sumcheck of
// weight·(p0·q1 + p1·q0 + λ·q0·q1).
//
// With stored numerators this is the form (p0 + λ·q0)·q1 + p1·q0. With unit
// numerators and μ = 1/λ it is λ·(q0 + μ·p0)·(q1 + μ·p1) - μ·p0·p1, of which
// the second part is a correlation of two steps and needs no table.
type stage struct {
	form
	weight, lambda, mu fr.Element
	tail               fr.Element // of the form, beyond the prefix
	unit               bool       // the numerators are the steps p0 and p1
	p0, p1             step
}

// newStage starts a step on the nodes of l, whose memory it takes over.
func newStage(l *pairs, eq *weights, lambda, weight fr.Element) *stage {
	g := &stage{weight: weight, lambda: lambda, unit: l.p0 == nil}
	if g.unit {
		g.startUnit(l, eq)
	} else {
		g.start(l, eq)
	}
	return g
}

func (g *stage) start(l *pairs, eq *weights) {
	g.tail = g.lambda
	g.form = newForm([]term{{a: l.p0, b: l.q1}, {a: l.p1, b: l.q0}}, []fr.Element{g.lambda, {}}, eq)
	g.prepare = func(s *scratch, from, to int) {
		w := slot(eq.inner, from, to)
		p0, p1 := l.p0[from:to], l.p1[from:to]
		vec.AddScaled(p0, l.q0[from:to], &g.lambda)
		vec.Mul(p0, p0, w)
		vec.Mul(p1, p1, w)
	}
}

func (g *stage) startUnit(l *pairs, eq *weights) {
	one := fr.One()
	g.tail = one
	g.mu.Inverse(&g.lambda)
	g.p0 = step{jump: one, edge: (l.nodes + 1) / 2}
	g.p1 = step{jump: one, edge: l.nodes / 2}
	g.form = newForm([]term{{a: l.q0, b: l.q1}}, []fr.Element{one}, eq)
	g.prepare = func(s *scratch, from, to int) {
		mu := fill(s.x, to-from, &g.mu)
		even, odd := prefix(l.q0[:g.p0.edge], from, to-from), prefix(l.q1[:g.p1.edge], from, to-from)
		even.Add(even, mu[:len(even)])
		odd.Add(odd, mu[:len(odd)])
		q0 := l.q0[from:to]
		vec.Mul(q0, q0, slot(eq.inner, from, to))
	}
}

// finishRound returns the stage's part of h(1) and h(∞) after all entries were
// summed to z; rest is the point of the variables below the current one, eq its
// weights, and r as for sum.
func (g *stage) finishRound(z sums, eq *weights, r *quotients, rest []fr.Element) sums {
	partial := g.stored() < 2*eq.size()
	beyond := g.stored() - eq.size()
	g.finishPass(&z, eq, r)
	if partial {
		inside := poly.Less(rest, uint64(beyond))
		out := complement(&inside)
		out.Mul(&out, &g.tail)
		z.one.Add(&z.one, &out)
	}
	if g.unit {
		_, hi0, diff0 := g.p0.halves(eq.size())
		_, hi1, diff1 := g.p1.halves(eq.size())
		z.one = g.unitForm(z.one, correlate(rest, &hi0, &hi1))
		z.curv = g.unitForm(z.curv, correlate(rest, &diff0, &diff1))
	}
	z.scale(&g.weight)
	return z
}

// unitForm returns λ·a - μ·b.
func (g *stage) unitForm(a, b fr.Element) fr.Element {
	a.Mul(&a, &g.lambda)
	b.Mul(&b, &g.mu)
	a.Sub(&a, &b)
	return a
}

// bindTop fixes the current variable, with half entries below it, to rho.
func (g *stage) bindTop(half int, rho *fr.Element) {
	g.bind(rho)
	if g.unit {
		g.p0.bind(half, rho)
		g.p1.bind(half, rho)
	}
}

// ends returns the nodes' values at the bound point.
func (g *stage) ends(s *scratch) Ends {
	g.finish(s)
	var e Ends
	if g.unit {
		e = Ends{P0: g.p0.value(), P1: g.p1.value(), Q0: g.terms[0].a[0], Q1: g.terms[0].b[0]}
		e.Q0.Sub(&e.Q0, mul(&g.mu, &e.P0))
		e.Q1.Sub(&e.Q1, mul(&g.mu, &e.P1))
		return e
	}
	e = Ends{P0: g.terms[0].a[0], P1: g.terms[1].a[0], Q0: g.terms[1].b[0], Q1: g.terms[0].b[0]}
	e.P0.Sub(&e.P0, mul(&g.lambda, &e.Q0))
	return e
}

func mul(a, b *fr.Element) *fr.Element { return new(fr.Element).Mul(a, b) }
