package srs

import (
	"io"

	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	curvekzg "github.com/consensys/gnark-crypto/ecc/bn254/kzg"
	curvempc "github.com/consensys/gnark-crypto/ecc/bn254/mpcsetup"
	"github.com/consensys/gnark-crypto/kzg"

	"github.com/weisyn/wes/prover/circuit/wire"
)

type (
	g1BN254 = curve.G1Affine
	g2BN254 = curve.G2Affine
)

func overBN254() family[g1BN254, g2BN254] {
	return family[g1BN254, g2BN254]{
		generators: func() (g1BN254, g2BN254) {
			_, _, g1, g2 := curve.Generators()
			return g1, g2
		},
		outside1:  wire.FirstOutside[g1BN254],
		outside2:  wire.FirstOutside[g2BN254],
		sameRatio: curvempc.SameRatioMany,
		samePairing: func(a g1BN254, b g2BN254, c g1BN254, d g2BN254) (bool, error) {
			c.Neg(&c)
			return curve.PairingCheck([]g1BN254{a, c}, []g2BN254{b, d})
		},
		lagrange: curvekzg.ToLagrangeG1,
		srs: func(powers []g1BN254, one g1BN254, verify [2]g2BN254) kzg.SRS {
			s := &curvekzg.SRS{Pk: curvekzg.ProvingKey{G1: powers}, Vk: curvekzg.VerifyingKey{G1: one, G2: verify}}
			s.Vk.Lines[0], s.Vk.Lines[1] = curve.PrecomputeLines(verify[0]), curve.PrecomputeLines(verify[1])
			return s
		},
		decode: func(r io.Reader) ([]g1BN254, [2]g2BN254, error) {
			var s curvekzg.SRS
			_, err := s.UnsafeReadFrom(r)
			return s.Pk.G1, s.Vk.G2, err
		},
		g1: func(b []byte) (p g1BN254) {
			limbs(b, p.X[:], p.Y[:])
			return p
		},
		g2: func(b []byte) (p g2BN254) {
			limbs(b, p.X.A0[:], p.X.A1[:], p.Y.A0[:], p.Y.A1[:])
			return p
		},
		keys: keysBN254,
	}
}
