package srs

import (
	"io"

	curve "github.com/consensys/gnark-crypto/ecc/bls12-381"
	curvekzg "github.com/consensys/gnark-crypto/ecc/bls12-381/kzg"
	curvempc "github.com/consensys/gnark-crypto/ecc/bls12-381/mpcsetup"
	"github.com/consensys/gnark-crypto/kzg"

	"github.com/weisyn/wes/prover/circuit/wire"
)

type (
	g1BLS12381 = curve.G1Affine
	g2BLS12381 = curve.G2Affine
)

func overBLS12381() family[g1BLS12381, g2BLS12381] {
	return family[g1BLS12381, g2BLS12381]{
		generators: func() (g1BLS12381, g2BLS12381) {
			_, _, g1, g2 := curve.Generators()
			return g1, g2
		},
		outside1:  wire.FirstOutside[g1BLS12381],
		outside2:  wire.FirstOutside[g2BLS12381],
		sameRatio: curvempc.SameRatioMany,
		samePairing: func(a g1BLS12381, b g2BLS12381, c g1BLS12381, d g2BLS12381) (bool, error) {
			c.Neg(&c)
			return curve.PairingCheck([]g1BLS12381{a, c}, []g2BLS12381{b, d})
		},
		lagrange: curvekzg.ToLagrangeG1,
		srs: func(powers []g1BLS12381, one g1BLS12381, verify [2]g2BLS12381) kzg.SRS {
			s := &curvekzg.SRS{Pk: curvekzg.ProvingKey{G1: powers}, Vk: curvekzg.VerifyingKey{G1: one, G2: verify}}
			s.Vk.Lines[0], s.Vk.Lines[1] = curve.PrecomputeLines(verify[0]), curve.PrecomputeLines(verify[1])
			return s
		},
		decode: func(r io.Reader) ([]g1BLS12381, [2]g2BLS12381, error) {
			var s curvekzg.SRS
			_, err := s.UnsafeReadFrom(r)
			return s.Pk.G1, s.Vk.G2, err
		},
		g1: func(b []byte) (p g1BLS12381) {
			limbs(b, p.X[:], p.Y[:])
			return p
		},
		g2: func(b []byte) (p g2BLS12381) {
			limbs(b, p.X.A0[:], p.X.A1[:], p.Y.A0[:], p.Y.A1[:])
			return p
		},
		keys: keysBLS12381,
	}
}
