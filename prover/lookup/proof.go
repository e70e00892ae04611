package lookup

import (
	"errors"
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// MaxVars bounds the variables of a side: 2^MaxVars leaves.
const MaxVars = 40

// Errors of Verify, one per check it makes.
var (
	// ErrShape says that the sizes in the statement are impossible or that the
	// proof does not have exactly the scalars those sizes ask for.
	ErrShape = errors.New("wrong shape")
	// ErrZeroDenominator says that the denominator of a root is zero.
	ErrZeroDenominator = errors.New("zero denominator")
	// ErrUnequalSums says that the two roots are different fractions.
	ErrUnequalSums = errors.New("sums differ")
	// ErrLayer says that the values ending a layer contradict its sumcheck.
	ErrLayer = errors.New("layer does not follow from the one below")
	// ErrNumerators says that the numerators of the left side are not ones.
	ErrNumerators = errors.New("left numerators are not ones")
)

// Side is the sum Σ_i Num[i]/Den[i] over a prefix of 2^Vars leaves; leaves
// beyond len(Den) are 0/1. Vars is VarsFor(len(Den)), and len(Den) = len(Num) >= 1.
type Side struct {
	Vars     int
	Num, Den []fr.Element
}

// Units is a side whose numerators are ones, with Len >= 1 leaves. Vars is VarsFor(Len).
type Units struct {
	Vars, Len int
	// Read sets even[i] to the denominator of leaf 2(first+i) and odd[i] to that of
	// the next leaf, as far as there are leaves. It is called once for each leaf,
	// concurrently.
	Read func(even, odd []fr.Element, first int)
}

// VarsFor returns the number of variables of a side with n leaves:
// max(1, ceil(log2 n)).
func VarsFor(n int) int {
	return max(1, bits.Len(uint(max(n, 1)-1)))
}

// Claim says that at Point (top variable first, one entry per variable of the
// side; two claims may share the slice) the multilinear extension of the numerators, zeros beyond the prefix,
// is Num and that of the denominators, ones beyond the prefix, is Den.
type Claim struct {
	Point    []fr.Element
	Num, Den fr.Element
}

// Root is the fraction Num/Den a side sums to.
type Root struct {
	Num, Den fr.Element
}

// Ends are the values of a layer at the end of a step: numerators and
// denominators of the even (0) and the odd (1) nodes.
type Ends struct {
	P0, P1, Q0, Q1 fr.Element
}

// Round is one sumcheck message: the quadratic h is sent as
// Slope = h(1)-h(0) and Curvature, its leading coefficient.
type Round struct {
	Slope, Curvature fr.Element
}

// Layer is one step of the trees, from layer k to layer k+1.
type Layer struct {
	Rounds []Round // k messages, top variable first
	Ends   []Ends  // of every active side, left before right
}

// Proof is the whole argument. Layers[k] is step k; there are as many as the
// larger side has variables. Its shape follows from the variables of the two
// sides, see NewProof.
type Proof struct {
	Left, Right Root
	Layers      []Layer
}

// NewProof returns a zero proof of the shape that belongs to sides of leftVars
// and rightVars variables, both in [1, MaxVars].
func NewProof(leftVars, rightVars int) Proof {
	p := Proof{Layers: make([]Layer, max(leftVars, rightVars))}
	for k := range p.Layers {
		p.Layers[k] = Layer{
			Rounds: make([]Round, k),
			Ends:   make([]Ends, active(k, leftVars, rightVars)),
		}
	}
	return p
}

// active counts the sides that take part in step k.
func active(k, leftVars, rightVars int) int {
	n := 0
	if k < leftVars {
		n++
	}
	if k < rightVars {
		n++
	}
	return n
}

// Scalars visits every scalar of the proof in canonical order: the left root,
// the right root (Num, Den), then layer by layer the rounds (Slope, Curvature)
// and the ends (P0, P1, Q0, Q1).
func (p *Proof) Scalars(visit func(*fr.Element)) {
	for _, r := range []*Root{&p.Left, &p.Right} {
		visit(&r.Num)
		visit(&r.Den)
	}
	for k := range p.Layers {
		for j := range p.Layers[k].Rounds {
			m := &p.Layers[k].Rounds[j]
			visit(&m.Slope)
			visit(&m.Curvature)
		}
		for s := range p.Layers[k].Ends {
			e := &p.Layers[k].Ends[s]
			visit(&e.P0)
			visit(&e.P1)
			visit(&e.Q0)
			visit(&e.Q1)
		}
	}
}

// hasShape reports whether p is shaped like NewProof(leftVars, rightVars).
func (p *Proof) hasShape(leftVars, rightVars int) bool {
	if len(p.Layers) != max(leftVars, rightVars) {
		return false
	}
	for k, l := range p.Layers {
		if len(l.Rounds) != k || len(l.Ends) != active(k, leftVars, rightVars) {
			return false
		}
	}
	return true
}

// claim is the claim about layer 0, at the point of no variables.
func (r *Root) claim() Claim {
	return Claim{Num: r.Num, Den: r.Den}
}

// next returns the claim h(ρ) that follows the claim c = (1-r)·h(0) + r·h(1)
// after message m.
func (m *Round) next(c, r, rho *fr.Element) fr.Element {
	var h0, h, one fr.Element
	h0.Mul(r, &m.Slope)
	h0.Sub(c, &h0)
	one.SetOne()
	h.Sub(rho, &one).Mul(&h, &m.Curvature).Add(&h, &m.Slope)
	h.Mul(&h, rho).Add(&h, &h0)
	return h
}

// sum is the numerator p0·q1 + p1·q0 of the parent node.
func (e *Ends) sum() fr.Element {
	var a, b fr.Element
	a.Mul(&e.P0, &e.Q1)
	b.Mul(&e.P1, &e.Q0)
	a.Add(&a, &b)
	return a
}

// product is the denominator q0·q1 of the parent node.
func (e *Ends) product() fr.Element {
	var a fr.Element
	a.Mul(&e.Q0, &e.Q1)
	return a
}

// at joins the two children at t.
func (e *Ends) at(t *fr.Element) (num, den fr.Element) {
	return lerp(&e.P0, &e.P1, t), lerp(&e.Q0, &e.Q1, t)
}

// lerp returns a + t·(b-a).
func lerp(a, b, t *fr.Element) fr.Element {
	var z fr.Element
	z.Sub(b, a).Mul(&z, t).Add(&z, a)
	return z
}
