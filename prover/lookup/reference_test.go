package lookup

import (
	"math/rand"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/prover/poly"
	"github.com/weisyn/wes/prover/transcript"
)

// The reference prover works on whole cubes and evaluates every definition of
// the package comment literally.

type fraction struct{ num, den fr.Element }

func (a fraction) plus(b fraction) fraction {
	e := Ends{P0: a.num, Q0: a.den, P1: b.num, Q1: b.den}
	return fraction{e.sum(), e.product()}
}

// referenceTree returns the nodes of layers 0 to s.Vars.
func referenceTree(s Side) [][]fraction {
	layers := make([][]fraction, s.Vars+1)
	leaves := make([]fraction, 1<<s.Vars)
	for i := range leaves {
		leaves[i].den.SetOne()
		if i < len(s.Den) {
			leaves[i] = fraction{fr.One(), s.Den[i]}
			if s.Num != nil {
				leaves[i].num = s.Num[i]
			}
		}
	}
	layers[s.Vars] = leaves
	for k := s.Vars - 1; k >= 0; k-- {
		layers[k] = make([]fraction, 1<<k)
		for i := range layers[k] {
			layers[k][i] = layers[k+1][2*i].plus(layers[k+1][2*i+1])
		}
	}
	return layers
}

// endsAt returns the four tables of a layer, interpolated between lo and hi at
// x, as the nodes of index i of the lower variables.
func endsAt(lo, hi *Ends, x *fr.Element) Ends {
	return Ends{
		P0: lerp(&lo.P0, &hi.P0, x), P1: lerp(&lo.P1, &hi.P1, x),
		Q0: lerp(&lo.Q0, &hi.Q0, x), Q1: lerp(&lo.Q1, &hi.Q1, x),
	}
}

func referenceF(e *Ends, lambda, weight *fr.Element) fr.Element {
	p, q := e.sum(), e.product()
	q.Mul(&q, lambda).Add(&q, &p).Mul(&q, weight)
	return q
}

// referenceRound returns h(0), h(1), h(2).
func referenceRound(tables [][]Ends, rest []fr.Element, lambda *fr.Element) (h [3]fr.Element) {
	eq := poly.Eq(rest)
	for x := range h {
		var at fr.Element
		at.SetUint64(uint64(x))
		weight := fr.One()
		for _, t := range tables {
			for y := range eq {
				e := endsAt(&t[y], &t[y+len(eq)], &at)
				f := referenceF(&e, lambda, &weight)
				f.Mul(&f, &eq[y])
				h[x].Add(&h[x], &f)
			}
			weight.Mul(&weight, lambda).Mul(&weight, lambda)
		}
	}
	return h
}

// message turns h(0), h(1), h(2) into the slope and the curvature
// (h(2) - 2h(1) + h(0))/2.
func message(h [3]fr.Element) Round {
	var m Round
	m.Slope.Sub(&h[1], &h[0])
	m.Curvature.Double(&h[1])
	m.Curvature.Sub(&h[2], &m.Curvature).Add(&m.Curvature, &h[0])
	m.Curvature.Halve()
	return m
}

func referenceProve(tr *transcript.Transcript, left, right Side) (Proof, Claim, Claim) {
	p := NewProof(left.Vars, right.Vars)
	trees := [][][]fraction{referenceTree(left), referenceTree(right)}
	p.Left = Root{trees[0][0][0].num, trees[0][0][0].den}
	p.Right = Root{trees[1][0][0].num, trees[1][0][0].den}
	bindRoots(tr, left.Vars, len(left.Den), right.Vars, p.Left, p.Right)
	claims := make([]Claim, 2)
	var point []fr.Element
	for k := range p.Layers {
		lambda := drawBatching(tr)
		var tables [][]Ends
		var sides []int
		for i, t := range trees {
			if k+1 < len(t) {
				tables = append(tables, pairUp(t[k+1]))
				sides = append(sides, i)
			}
		}
		var next []fr.Element
		for j := range k {
			m := message(referenceRound(tables, point[j+1:], &lambda))
			p.Layers[k].Rounds[j] = m
			rho := bindRound(tr, m)
			next = append(next, rho)
			for i, t := range tables {
				half := len(t) / 2
				for y := range half {
					t[y] = endsAt(&t[y], &t[y+half], &rho)
				}
				tables[i] = t[:half]
			}
		}
		for i := range tables {
			p.Layers[k].Ends[i] = tables[i][0]
		}
		t := bindEnds(tr, p.Layers[k].Ends)
		point = append(next, t)
		for i, s := range sides {
			num, den := p.Layers[k].Ends[i].at(&t)
			claims[s] = Claim{Point: point, Num: num, Den: den}
		}
	}
	return p, claims[0], claims[1]
}

func pairUp(nodes []fraction) []Ends {
	e := make([]Ends, len(nodes)/2)
	for i := range e {
		a, b := nodes[2*i], nodes[2*i+1]
		e[i] = Ends{P0: a.num, Q0: a.den, P1: b.num, Q1: b.den}
	}
	return e
}

// evaluate returns the multilinear extensions of a side at a point.
func evaluate(s Side, point []fr.Element) (num, den fr.Element) {
	leaves := referenceTree(s)[s.Vars]
	for i, e := range poly.Eq(point) {
		var v fr.Element
		v.Mul(&e, &leaves[i].num)
		num.Add(&num, &v)
		v.Mul(&e, &leaves[i].den)
		den.Add(&den, &v)
	}
	return num, den
}

// lookups returns the sides of n lookups in a table of the given number of
// rows, with keys 0, 1, … subtracted from a random α.
func lookups(rng *rand.Rand, n, rows int) (left, right Side) {
	alpha := randomElement(rng)
	left = Side{Vars: VarsFor(n), Den: make([]fr.Element, n)}
	right = Side{Vars: VarsFor(rows), Num: make([]fr.Element, rows), Den: make([]fr.Element, rows)}
	one := fr.One()
	for i := range right.Den {
		right.Den[i].SetUint64(uint64(i))
		right.Den[i].Sub(&alpha, &right.Den[i])
	}
	for i := range left.Den {
		row := rng.Intn(rows)
		left.Den[i] = right.Den[row]
		right.Num[row].Add(&right.Num[row], &one)
	}
	return left, right
}

func randomElement(rng *rand.Rand) fr.Element {
	var b [48]byte
	rng.Read(b[:])
	var e fr.Element
	e.SetBytes(b[:])
	return e
}

func clone(s Side) Side {
	c := Side{Vars: s.Vars, Den: append([]fr.Element(nil), s.Den...)}
	if s.Num != nil {
		c.Num = append([]fr.Element(nil), s.Num...)
	}
	return c
}

// units is a side without numerators as what Prove takes.
func units(s Side) Units {
	return Units{Vars: s.Vars, Len: len(s.Den), Read: func(even, odd []fr.Element, first int) {
		for i := range even {
			even[i] = s.Den[2*(first+i)]
		}
		for i := range odd {
			odd[i] = s.Den[2*(first+i)+1]
		}
	}}
}

func newTranscript(t testing.TB) *transcript.Transcript {
	t.Helper()
	tr, err := transcript.New(transcript.SHA256, "lookup test")
	if err != nil {
		t.Fatal(err)
	}
	return tr
}
