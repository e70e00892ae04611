package wire

import (
	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bls12-377"
	frbls12377 "github.com/consensys/gnark-crypto/ecc/bls12-377/fr"
	fftbls12377 "github.com/consensys/gnark-crypto/ecc/bls12-377/fr/fft"
	mpcbls12377 "github.com/consensys/gnark-crypto/ecc/bls12-377/mpcsetup"
	"github.com/consensys/gnark-crypto/ecc/bls12-381"
	frbls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
	fftbls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381/fr/fft"
	mpcbls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381/mpcsetup"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	frbn254 "github.com/consensys/gnark-crypto/ecc/bn254/fr"
	fftbn254 "github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	mpcbn254 "github.com/consensys/gnark-crypto/ecc/bn254/mpcsetup"
	"github.com/consensys/gnark-crypto/ecc/bw6-761"
	frbw6761 "github.com/consensys/gnark-crypto/ecc/bw6-761/fr"
	fftbw6761 "github.com/consensys/gnark-crypto/ecc/bw6-761/fr/fft"
	mpcbw6761 "github.com/consensys/gnark-crypto/ecc/bw6-761/mpcsetup"
	"github.com/consensys/gnark-crypto/utils"
)

// newDomain returns gnark's FFT domain of n rows.
func newDomain(c ecc.ID, n uint64) any {
	switch c {
	case ecc.BLS12_381:
		return fftbls12381.NewDomain(n, fftbls12381.WithoutPrecompute())
	case ecc.BLS12_377:
		return fftbls12377.NewDomain(n, fftbls12377.WithoutPrecompute())
	case ecc.BW6_761:
		return fftbw6761.NewDomain(n, fftbw6761.WithoutPrecompute())
	}
	return fftbn254.NewDomain(n, fftbn254.WithoutPrecompute())
}

// outside is FirstOutside for a slice of points of any curve.
func outside(points any) int {
	switch points := points.(type) {
	case []bn254.G1Affine:
		return FirstOutside(points)
	case []bn254.G2Affine:
		return FirstOutside(points)
	case []bls12381.G1Affine:
		return FirstOutside(points)
	case []bls12381.G2Affine:
		return FirstOutside(points)
	case []bls12377.G1Affine:
		return FirstOutside(points)
	case []bls12377.G2Affine:
		return FirstOutside(points)
	case []bw6761.G1Affine:
		return FirstOutside(points)
	case []bw6761.G2Affine:
		return FirstOutside(points)
	}
	panic("BUG: points of an unknown curve")
}

// sameRatio checks that lists of points of G1 and G2 are geometric progressions of one ratio.
func sameRatio(c ecc.ID, lists ...any) error {
	switch c {
	case ecc.BLS12_381:
		return mpcbls12381.SameRatioMany(lists...)
	case ecc.BLS12_377:
		return mpcbls12377.SameRatioMany(lists...)
	case ecc.BW6_761:
		return mpcbw6761.SameRatioMany(lists...)
	}
	return mpcbn254.SameRatioMany(lists...)
}

// linesOf returns the precomputed lines of a point of G2.
func linesOf(point any) any {
	switch p := point.(type) {
	case bn254.G2Affine:
		return bn254.PrecomputeLines(p)
	case bls12381.G2Affine:
		return bls12381.PrecomputeLines(p)
	case bls12377.G2Affine:
		return bls12377.PrecomputeLines(p)
	case bw6761.G2Affine:
		return bw6761.PrecomputeLines(p)
	}
	panic("BUG: a point of an unknown curve")
}

// sameForms reports whether rows is powers in Lagrange form: whether both commit to the same point
// for a polynomial with random values.
func sameForms(powers, rows any) (bool, error) {
	switch powers := powers.(type) {
	case []bn254.G1Affine:
		rows := rows.([]bn254.G1Affine)
		values := make([]frbn254.Element, len(rows))
		for i := range values {
			if _, err := values[i].SetRandom(); err != nil {
				return false, err
			}
		}
		var a, b bn254.G1Affine
		_, err := a.MultiExp(rows, values, ecc.MultiExpConfig{})
		fftbn254.NewDomain(uint64(len(rows)), fftbn254.WithoutPrecompute()).FFTInverse(values, fftbn254.DIF)
		utils.BitReverse(values)
		if err == nil {
			_, err = b.MultiExp(powers[:len(rows)], values, ecc.MultiExpConfig{})
		}
		return err == nil && a == b, err
	case []bls12381.G1Affine:
		rows := rows.([]bls12381.G1Affine)
		values := make([]frbls12381.Element, len(rows))
		for i := range values {
			if _, err := values[i].SetRandom(); err != nil {
				return false, err
			}
		}
		var a, b bls12381.G1Affine
		_, err := a.MultiExp(rows, values, ecc.MultiExpConfig{})
		fftbls12381.NewDomain(uint64(len(rows)), fftbls12381.WithoutPrecompute()).FFTInverse(values, fftbls12381.DIF)
		utils.BitReverse(values)
		if err == nil {
			_, err = b.MultiExp(powers[:len(rows)], values, ecc.MultiExpConfig{})
		}
		return err == nil && a == b, err
	case []bls12377.G1Affine:
		rows := rows.([]bls12377.G1Affine)
		values := make([]frbls12377.Element, len(rows))
		for i := range values {
			if _, err := values[i].SetRandom(); err != nil {
				return false, err
			}
		}
		var a, b bls12377.G1Affine
		_, err := a.MultiExp(rows, values, ecc.MultiExpConfig{})
		fftbls12377.NewDomain(uint64(len(rows)), fftbls12377.WithoutPrecompute()).FFTInverse(values, fftbls12377.DIF)
		utils.BitReverse(values)
		if err == nil {
			_, err = b.MultiExp(powers[:len(rows)], values, ecc.MultiExpConfig{})
		}
		return err == nil && a == b, err
	case []bw6761.G1Affine:
		rows := rows.([]bw6761.G1Affine)
		values := make([]frbw6761.Element, len(rows))
		for i := range values {
			if _, err := values[i].SetRandom(); err != nil {
				return false, err
			}
		}
		var a, b bw6761.G1Affine
		_, err := a.MultiExp(rows, values, ecc.MultiExpConfig{})
		fftbw6761.NewDomain(uint64(len(rows)), fftbw6761.WithoutPrecompute()).FFTInverse(values, fftbw6761.DIF)
		utils.BitReverse(values)
		if err == nil {
			_, err = b.MultiExp(powers[:len(rows)], values, ecc.MultiExpConfig{})
		}
		return err == nil && a == b, err
	}
	panic("BUG: points of an unknown curve")
}
