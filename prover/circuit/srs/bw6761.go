package srs

import (
	"io"

	curve "github.com/consensys/gnark-crypto/ecc/bw6-761"
	curvekzg "github.com/consensys/gnark-crypto/ecc/bw6-761/kzg"
	curvempc "github.com/consensys/gnark-crypto/ecc/bw6-761/mpcsetup"
	"github.com/consensys/gnark-crypto/kzg"

	"github.com/weisyn/wes/prover/circuit/wire"
)

type (
	g1BW6761 = curve.G1Affine
	g2BW6761 = curve.G2Affine
)

func overBW6761() family[g1BW6761, g2BW6761] {
	return family[g1BW6761, g2BW6761]{
		generators: func() (g1BW6761, g2BW6761) {
			_, _, g1, g2 := curve.Generators()
			return g1, g2
		},
		outside1:  wire.FirstOutside[g1BW6761],
		outside2:  wire.FirstOutside[g2BW6761],
		sameRatio: curvempc.SameRatioMany,
		samePairing: func(a g1BW6761, b g2BW6761, c g1BW6761, d g2BW6761) (bool, error) {
			c.Neg(&c)
			return curve.PairingCheck([]g1BW6761{a, c}, []g2BW6761{b, d})
		},
		lagrange: curvekzg.ToLagrangeG1,
		srs: func(powers []g1BW6761, one g1BW6761, verify [2]g2BW6761) kzg.SRS {
			s := &curvekzg.SRS{Pk: curvekzg.ProvingKey{G1: powers}, Vk: curvekzg.VerifyingKey{G1: one, G2: verify}}
			s.Vk.Lines[0], s.Vk.Lines[1] = curve.PrecomputeLines(verify[0]), curve.PrecomputeLines(verify[1])
			return s
		},
		decode: func(r io.Reader) ([]g1BW6761, [2]g2BW6761, error) {
			var s curvekzg.SRS
			_, err := s.UnsafeReadFrom(r)
			return s.Pk.G1, s.Vk.G2, err
		},
	}
}
