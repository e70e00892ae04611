package lookup

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/prover/poly"
	"github.com/weisyn/wes/prover/transcript"
)

// Verify checks that the proof reduces "Σ left = Σ right" to the two returned
// claims about the leaves, which the caller must check. The left side has
// leftLen leaves with unit numerators; its Num claim is checked here and only
// its Den concerns the caller. The right side has up to 2^rightVars leaves.
//
// Errors wrap ErrShape, ErrZeroDenominator, ErrUnequalSums, ErrLayer or
// ErrNumerators.
func Verify(tr *transcript.Transcript, leftVars, leftLen, rightVars int, p Proof) (left, right Claim, err error) {
	if err := checkStatement(leftVars, leftLen, rightVars); err != nil {
		return Claim{}, Claim{}, err
	}
	if !p.hasShape(leftVars, rightVars) {
		return Claim{}, Claim{}, fmt.Errorf("lookup: proof for %d and %d variables: %w", leftVars, rightVars, ErrShape)
	}
	if err := checkRoots(&p.Left, &p.Right); err != nil {
		return Claim{}, Claim{}, fmt.Errorf("lookup: roots: %w", err)
	}
	bindRoots(tr, leftVars, leftLen, rightVars, p.Left, p.Right)

	left, right = p.Left.claim(), p.Right.claim()
	var point []fr.Element
	for k := range p.Layers {
		sides := activeClaims(k, leftVars, &left, rightVars, &right)
		point, err = verifyLayer(tr, &p.Layers[k], point, sides)
		if err != nil {
			return Claim{}, Claim{}, fmt.Errorf("lookup: layer %d: %w", k, err)
		}
	}
	if want := poly.Less(left.Point, uint64(leftLen)); !left.Num.Equal(&want) {
		return Claim{}, Claim{}, fmt.Errorf("lookup: leaves: %w", ErrNumerators)
	}
	return left, right, nil
}

func checkStatement(leftVars, leftLen, rightVars int) error {
	if leftVars < 1 || leftVars > MaxVars || rightVars < 1 || rightVars > MaxVars {
		return fmt.Errorf("lookup: %d and %d variables, want 1 to %d: %w", leftVars, rightVars, MaxVars, ErrShape)
	}
	if leftLen < 1 || VarsFor(leftLen) != leftVars {
		return fmt.Errorf("lookup: %d leaves over %d variables: %w", leftLen, leftVars, ErrShape)
	}
	return nil
}

func checkRoots(left, right *Root) error {
	if left.Den.IsZero() || right.Den.IsZero() {
		return ErrZeroDenominator
	}
	var a, b fr.Element
	a.Mul(&left.Num, &right.Den)
	b.Mul(&right.Num, &left.Den)
	if !a.Equal(&b) {
		return ErrUnequalSums
	}
	return nil
}

// activeClaims lists the claims that step k moves on, left before right.
func activeClaims(k, leftVars int, left *Claim, rightVars int, right *Claim) []*Claim {
	var sides []*Claim
	if k < leftVars {
		sides = append(sides, left)
	}
	if k < rightVars {
		sides = append(sides, right)
	}
	return sides
}

// verifyLayer checks one step at point and moves the claims of the active
// sides to the returned point, which has one variable more.
func verifyLayer(tr *transcript.Transcript, l *Layer, point []fr.Element, sides []*Claim) ([]fr.Element, error) {
	lambda := drawBatching(tr)
	claim := batch(lambda, sides, func(c *Claim) (num, den fr.Element) { return c.Num, c.Den })

	next := make([]fr.Element, 0, len(point)+1)
	for j := range l.Rounds {
		rho := bindRound(tr, l.Rounds[j])
		claim = l.Rounds[j].next(&claim, &point[j], &rho)
		next = append(next, rho)
	}
	ends := make([]*Ends, len(l.Ends))
	for i := range ends {
		ends[i] = &l.Ends[i]
	}
	want := batch(lambda, ends, func(e *Ends) (num, den fr.Element) { return e.sum(), e.product() })
	if !claim.Equal(&want) {
		return nil, ErrLayer
	}

	t := bindEnds(tr, l.Ends)
	next = append(next, t)
	for i, c := range sides {
		num, den := l.Ends[i].at(&t)
		*c = Claim{Point: next, Num: num, Den: den}
	}
	return next, nil
}

// batch returns Σ_s λ^2s·(num_s + λ·den_s).
func batch[T any](lambda fr.Element, sides []T, fraction func(T) (num, den fr.Element)) fr.Element {
	var sum, power fr.Element
	power.SetOne()
	add := func(v fr.Element) {
		v.Mul(&v, &power)
		sum.Add(&sum, &v)
		power.Mul(&power, &lambda)
	}
	for _, s := range sides {
		num, den := fraction(s)
		add(num)
		add(den)
	}
	return sum
}
