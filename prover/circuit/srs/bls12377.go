package srs

import (
	"io"

	curve "github.com/consensys/gnark-crypto/ecc/bls12-377"
	curvekzg "github.com/consensys/gnark-crypto/ecc/bls12-377/kzg"
	curvempc "github.com/consensys/gnark-crypto/ecc/bls12-377/mpcsetup"
	"github.com/consensys/gnark-crypto/kzg"

	"github.com/weisyn/wes/prover/circuit/wire"
)

type (
	g1BLS12377 = curve.G1Affine
	g2BLS12377 = curve.G2Affine
)

func overBLS12377() family[g1BLS12377, g2BLS12377] {
	return family[g1BLS12377, g2BLS12377]{
		generators: func() (g1BLS12377, g2BLS12377) {
			_, _, g1, g2 := curve.Generators()
			return g1, g2
		},
		outside1:  wire.FirstOutside[g1BLS12377],
		outside2:  wire.FirstOutside[g2BLS12377],
		sameRatio: curvempc.SameRatioMany,
		samePairing: func(a g1BLS12377, b g2BLS12377, c g1BLS12377, d g2BLS12377) (bool, error) {
			c.Neg(&c)
			return curve.PairingCheck([]g1BLS12377{a, c}, []g2BLS12377{b, d})
		},
		lagrange: curvekzg.ToLagrangeG1,
		srs: func(powers []g1BLS12377, one g1BLS12377, verify [2]g2BLS12377) kzg.SRS {
			s := &curvekzg.SRS{Pk: curvekzg.ProvingKey{G1: powers}, Vk: curvekzg.VerifyingKey{G1: one, G2: verify}}
			s.Vk.Lines[0], s.Vk.Lines[1] = curve.PrecomputeLines(verify[0]), curve.PrecomputeLines(verify[1])
			return s
		},
		decode: func(r io.Reader) ([]g1BLS12377, [2]g2BLS12377, error) {
			var s curvekzg.SRS
			_, err := s.UnsafeReadFrom(r)
			return s.Pk.G1, s.Vk.G2, err
		},
	}
}
