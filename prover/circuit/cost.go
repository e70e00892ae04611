package circuit

import (
	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend"
)

// ProofBytes is the size of a proof in gnark's compressed encoding (see wire.Proof).
func (m *Manifest) ProofBytes() int {
	s := m.System()
	value, g1 := valueSize(s.Curve), (s.Curve.BaseField().BitLen()+63)/64*8
	const length = 4 // of a list
	if s.Scheme == backend.PLONK {
		return (9+m.Commitments)*g1 + (7+m.Commitments)*value + 2*length
	}
	g2 := 2 * g1
	if s.Curve == ecc.BW6_761 {
		g2 = g1
	}
	return (3+m.Commitments)*g1 + g2 + length
}
