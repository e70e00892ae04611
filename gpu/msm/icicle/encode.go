package icicle

import (
	"fmt"
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

type (
	// canonical is an integer below a modulus, lowest word first: ICICLE's field element.
	canonical = [4]uint64
	// limbs is the same in words of 32 bits.
	limbs = [8]uint32
	// affine and projective are points as ICICLE has them: (x, y), and (x/z, y/z).
	affine     [2]canonical
	projective [3]canonical
)

// finite writes the points that are not at infinity, and where they stand. positions is nil
// when all are finite.
func finite(points []bn254.G1Affine) (out []affine, positions []int) {
	out = make([]affine, 0, len(points))
	positions = make([]int, 0, len(points))
	for i := range points {
		if !points[i].IsInfinity() {
			out = append(out, affine{points[i].X.Bits(), points[i].Y.Bits()})
			positions = append(positions, i)
		}
	}
	if len(out) == len(points) {
		return out, nil
	}
	return out, positions
}

// pick takes the columns at positions out of rows of n.
func pick(scalars []fr.Element, n int, positions []int) []fr.Element {
	out := make([]fr.Element, 0, len(scalars)/n*len(positions))
	for ; len(scalars) > 0; scalars = scalars[n:] {
		for _, j := range positions {
			out = append(out, scalars[j])
		}
	}
	return out
}

// bias makes rows of signed integers unsigned: value + half is in [0, 2^width). What that
// adds to every row is half times the sum of the bases.
type bias struct {
	half  int64
	width int
}

// newBias finds the least width. Rows without negative values are left alone.
func newBias(rows []int32) bias {
	low, high := int32(0), int32(0)
	for _, v := range rows {
		low, high = min(low, v), max(high, v)
	}
	if low == 0 {
		return bias{width: max(1, bits.Len32(uint32(high)))}
	}
	width := 1 + max(bits.Len32(uint32(high)), bits.Len32(uint32(^low)))
	return bias{half: 1 << (width - 1), width: width}
}

// encode writes rows of cols as canonical scalars, of each row the columns at positions, or
// all if it is nil. Missing values of the last row count as zeros, hence are half too.
func (b bias) encode(rows []int32, cols int, positions []int) []canonical {
	width := cols
	if positions != nil {
		width = len(positions)
	}
	count := (len(rows) + cols - 1) / cols
	out := make([]canonical, count*width)
	for i := range out {
		column := i % width
		if positions != nil {
			column = positions[column]
		}
		out[i][0] = uint64(b.half)
		if at := i/width*cols + column; at < len(rows) {
			out[i][0] = uint64(int64(rows[at]) + b.half)
		}
	}
	return out
}

// correction is what encode adds to a row over points.
func (b bias) correction(points []bn254.G1Affine) (sum bn254.G1Jac) {
	if b.half == 0 {
		return sum
	}
	for i := range points {
		sum.AddMixed(&points[i])
	}
	for half := b.half; half > 1; half >>= 1 {
		sum.DoubleAssign()
	}
	return sum
}

// decode reads results, less correction.
func decode(results []projective, correction *bn254.G1Jac) ([]bn254.G1Affine, error) {
	var minus bn254.G1Jac
	minus.Neg(correction)
	sums := make([]bn254.G1Jac, len(results))
	for i := range results {
		if err := setProjective(&sums[i], &results[i]); err != nil {
			return nil, fmt.Errorf("result %d: %w", i, err)
		}
		sums[i].AddAssign(&minus)
	}
	return bn254.BatchJacobianToAffineG1(sums), nil
}

// setProjective sets p to (x/z, y/z), which is (xz : yz² : z) in Jacobian coordinates.
func setProjective(p *bn254.G1Jac, r *projective) error {
	var c [3]fp.Element
	for i := range c {
		var err error
		if c[i], err = element(&r[i]); err != nil {
			return err
		}
	}
	p.X.Mul(&c[0], &c[2])
	p.Y.Square(&c[2])
	p.Y.Mul(&p.Y, &c[1])
	p.Z = c[2]
	if p.Z.IsZero() {
		*p = bn254.G1Jac{}
		p.X.SetOne()
		p.Y.SetOne()
	}
	return nil
}

// element reads a canonical integer.
func element(v *canonical) (fp.Element, error) {
	var b [fp.Bytes]byte
	for i, word := range v {
		for j := range 8 {
			b[8*i+j] = byte(word >> (8 * j))
		}
	}
	return fp.LittleEndian.Element(&b)
}

// split writes a scalar in words of 32 bits.
func split(e *fr.Element) (out limbs) {
	for i, word := range e.Bits() {
		out[2*i], out[2*i+1] = uint32(word), uint32(word>>32)
	}
	return out
}
