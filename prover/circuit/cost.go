package circuit

import (
	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend"
)

// The vectors of a domain's length that a proof needs at a time, with what the collector has not
// freed.
const (
	vectorsGroth16 = 16
	vectorsPLONK   = 48
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

// Units is about how long a proof takes, in units of which package pipeline's models take as many for
// each lookup: a constraint of Groth16, and a row of PLONK's domain, take as many as they take time.
func (m *Manifest) Units() uint64 {
	s := m.System()
	rows := uint64(max(m.Constraints, 1))
	if s.Scheme == backend.PLONK {
		rows = ecc.NextPowerOfTwo(rows + uint64(m.Public))
	}
	return rows * unitsOf(s)
}

// unitsOf is what a row takes, measured as processor time of circuits of 2^12 to 2^15 rows.
func unitsOf(s System) uint64 {
	if s.Scheme == backend.PLONK {
		return map[ecc.ID]uint64{ecc.BN254: 130, ecc.BLS12_381: 190, ecc.BLS12_377: 190, ecc.BW6_761: 800}[s.Curve]
	}
	return map[ecc.ID]uint64{ecc.BN254: 50, ecc.BLS12_381: 80, ecc.BLS12_377: 80, ecc.BW6_761: 270}[s.Curve]
}

// ProofMemory bounds what a process takes that loads the package and proves, in bytes. It was fitted
// to the resident memory of proofs over all curves. It is 0 of a verifier's package.
func (m *Manifest) ProofMemory() uint64 {
	if m.Proving == nil {
		return 0
	}
	s := m.System()
	domain := ecc.NextPowerOfTwo(uint64(max(m.Constraints+m.Public, 1)))
	vectors := uint64(vectorsGroth16)
	if s.Scheme == backend.PLONK {
		vectors = vectorsPLONK
	}
	return 64<<20 + 3*uint64(memory(m)) + vectors*domain*uint64(valueSize(s.Curve))
}
