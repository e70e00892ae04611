package commit

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/vec"
)

// Check is the claim that Σ_i Weights[i]·Rows[i] commits to the row U. Weights is
// as long as Rows; U is at most as long as the key.
type Check struct {
	Rows    []bn254.G1Affine // on the curve, as [DecodePoints] returns them
	Weights []fr.Element
	U       []fr.Element
}

// Verify accepts if every check holds. With delta drawn at random after all checks
// are fixed, it tests Σ_c delta^c·(Σ_i w_i·R_i − Σ_j u_j·G_j) = 0 with one
// multi-scalar multiplication over all rows and the generators, and a false check
// passes with probability at most (number of checks − 1)/r.
//
// The error is a [LengthError] if the lengths of a check are wrong and [ErrOpening]
// if the equation fails.
func (k *Key) Verify(checks []Check, delta fr.Element) error {
	rows, cols := 0, 0
	for i, c := range checks {
		if err := k.checkLengths(i, c); err != nil {
			return fmt.Errorf("verify opening: %w", err)
		}
		rows, cols = rows+len(c.Rows), max(cols, len(c.U))
	}
	points := make([]bn254.G1Affine, cols, cols+rows)
	scalars := make([]fr.Element, cols, cols+rows)
	copy(points, k.gens)
	power := fr.One()
	for _, c := range checks {
		points = append(points, c.Rows...)
		scalars = append(scalars, c.Weights...)
		scale(scalars[len(scalars)-len(c.Weights):], power)
		var minus fr.Element
		vec.AddScaled(scalars[:len(c.U)], c.U, minus.Neg(&power))
		power.Mul(&power, &delta)
	}
	sum, err := multiExp(points, scalars)
	if err != nil {
		return fmt.Errorf("verify opening: %w", err)
	}
	if !sum.Z.IsZero() {
		return fmt.Errorf("verify opening: %w", ErrOpening)
	}
	return nil
}

func (k *Key) checkLengths(i int, c Check) error {
	if len(c.Weights) != len(c.Rows) {
		return &LengthError{
			What: fmt.Sprintf("weights of check %d", i),
			Got:  len(c.Weights), Want: fmt.Sprintf("the %d of its rows", len(c.Rows)),
		}
	}
	if len(c.U) > k.Len() {
		return &LengthError{
			What: fmt.Sprintf("combined row of check %d", i),
			Got:  len(c.U), Want: fmt.Sprintf("at most %d", k.Len()),
		}
	}
	return nil
}

// scale multiplies the entries of v by factor.
func scale(v []fr.Element, factor fr.Element) {
	if !factor.IsOne() {
		vec.Scale(v, v, &factor)
	}
}
