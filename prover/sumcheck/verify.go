package sumcheck

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/prover/transcript"
)

// Verify replays n rounds of the given degree (>= 1). It returns the point, top
// variable first, and the value that the summed polynomial must have there if
// claim is its sum: the caller checks that value. With n = 0 the value is the
// claim. A proof of the wrong shape gives a RoundCountError or DegreeError
// before anything is bound.
func Verify(tr *transcript.Transcript, n, degree int, claim fr.Element, p Proof) (point []fr.Element, final fr.Element, err error) {
	if len(p.Rounds) != n {
		return nil, fr.Element{}, &RoundCountError{Got: len(p.Rounds), Want: n}
	}
	for i, m := range p.Rounds {
		if len(m) != degree {
			return nil, fr.Element{}, &DegreeError{Round: i, Got: len(m), Want: degree}
		}
	}
	tr.AppendScalars(labelClaim, claim)
	in := newInterpolation(degree)
	point = make([]fr.Element, n)
	for i, m := range p.Rounds {
		point[i] = exchange(tr, m)
		claim = in.next(claim, m, point[i])
	}
	return point, claim, nil
}

// interpolation evaluates round polynomials of one degree.
type interpolation struct {
	// weights[i] is 1/Π_{j≠i} (i-j) over the nodes 0..degree.
	weights []fr.Element
	values  []fr.Element
	suffix  []fr.Element
}

func newInterpolation(degree int) *interpolation {
	w := make([]fr.Element, degree+1)
	for i := range w {
		w[i].SetOne()
		for j := range w {
			if j != i {
				var d fr.Element
				d.SetInt64(int64(i - j))
				w[i].Mul(&w[i], &d)
			}
		}
	}
	return &interpolation{
		weights: fr.BatchInvert(w),
		values:  make([]fr.Element, degree+1),
		suffix:  make([]fr.Element, degree+2),
	}
}

// next returns g(r) for the polynomial with g(0)+g(1) = claim that m describes.
func (in *interpolation) next(claim fr.Element, m []fr.Element, r fr.Element) fr.Element {
	in.values[0] = m[0]
	in.values[1].Sub(&claim, &m[0])
	copy(in.values[2:], m[1:])
	return in.at(r)
}

// at returns Σ_i values[i]·weights[i]·Π_{j≠i} (r-j).
func (in *interpolation) at(r fr.Element) fr.Element {
	d := len(in.values)
	in.suffix[d].SetOne()
	for i := d - 1; i >= 0; i-- {
		node := distance(r, i)
		in.suffix[i].Mul(&in.suffix[i+1], &node)
	}
	var acc fr.Element
	prefix := fr.One()
	for i := range in.values {
		var t fr.Element
		t.Mul(&in.values[i], &in.weights[i])
		t.Mul(&t, &prefix)
		t.Mul(&t, &in.suffix[i+1])
		acc.Add(&acc, &t)
		node := distance(r, i)
		prefix.Mul(&prefix, &node)
	}
	return acc
}

// distance returns r - i.
func distance(r fr.Element, i int) fr.Element {
	node := fr.NewElement(uint64(i))
	node.Sub(&r, &node)
	return node
}
