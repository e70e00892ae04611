package srs

import (
	"context"
	"fmt"
	"io"

	"github.com/consensys/gnark-crypto/kzg"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/constraint"
)

// family is what differs between curves: points of G1 and G2, and functions of gnark-crypto that
// take them.
type family[G1, G2 comparable] struct {
	generators func() (G1, G2)
	outside1   func(points []G1) int // the first outside of the subgroup, or -1
	outside2   func(points []G2) int

	// sameRatio checks that each []G1 and []G2 is a geometric progression, all with one ratio.
	sameRatio func(lists ...any) error
	// samePairing reports whether e(a, b) = e(c, d).
	samePairing func(a G1, b G2, c G1, d G2) (bool, error)

	lagrange func(powers []G1) ([]G1, error)
	srs      func(powers []G1, one G1, verify [2]G2) kzg.SRS
	decode   func(r io.Reader) (powers []G1, verify [2]G2, err error) // kzg.SRS, without checks of points

	// Only curves of .ptau files have these.
	g1   func(b []byte) G1 // from the memory of its coordinates
	g2   func(b []byte) G2
	keys func(ccs constraint.ConstraintSystem, p phase1[G1, G2]) (groth16.ProvingKey, groth16.VerifyingKey, error)
}

// phase1 is the result of the first phase for n rows: SrsCommons of gnark's mpcsetup.
type phase1[G1, G2 any] struct {
	tau, alphaTau, betaTau []G1 // 2n-1, n, n
	tau2                   []G2 // n
	beta2                  G2
}

// subgroup refuses lists with points outside of the subgroup.
func (f *family[G1, G2]) subgroup(name string, list any) error {
	i := -1
	switch list := list.(type) {
	case []G1:
		i = f.outside1(list)
	case []G2:
		i = f.outside2(list)
	}
	if i >= 0 {
		return invalid("%s: point %d is not in the subgroup", name, i)
	}
	return nil
}

// powers checks that tau and tau2 are powers of one secret, and that it is neither 0 nor 1.
func (f *family[G1, G2]) powers(ctx context.Context, tau []G1, tau2 []G2, more ...any) error {
	one, one2 := f.generators()
	var zero G1
	switch {
	case tau[0] != one:
		return invalid("tauG1: point 0 is not the generator")
	case tau2[0] != one2:
		return invalid("tauG2: point 0 is not the generator")
	case tau[1] == zero || tau[1] == one:
		return invalid("tauG1: point 1 shows that tau is 0 or 1")
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := f.sameRatio(append([]any{tau, tau2}, more...)...); err != nil {
		return invalid("points are not powers of one secret: %v", err)
	}
	return ctx.Err()
}

// strings makes both forms from n+3 checked powers.
func (f *family[G1, G2]) strings(powers []G1, verify [2]G2) (canonical, lagrange kzg.SRS, err error) {
	rows, err := f.lagrange(powers[:len(powers)-blinding])
	if err != nil {
		return nil, nil, fmt.Errorf("form of Lagrange: %w", err)
	}
	return f.srs(powers, powers[0], verify), f.srs(rows, powers[0], verify), nil
}
