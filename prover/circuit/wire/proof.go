package wire

import (
	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend"
)

// ProofShape is what the encoding of a proof tells.
type ProofShape struct {
	Curve       ecc.ID
	Scheme      backend.ID
	Raw         bool // points are not compressed
	Commitments int  // to committed wires (bsb22)
}

// claims is the number of evaluations that a PLONK proof opens together: the linearised
// polynomial, l, r, o, s1 and s2. Each commitment adds one.
const claims = 6

// Proof scans what WriteTo or WriteRawTo of a gnark proof wrote. All points must have the same
// form. A PLONK proof must open as many values as its commitments ask for, because gnark's
// verifier indexes them without looking. The error is an [Error], or ErrUnsupported.
func Proof(c ecc.ID, scheme backend.ID, b []byte) (ProofShape, error) {
	s, err := scanBytes("proof", c, scheme, b)
	if err != nil {
		return ProofShape{}, err
	}
	commitments := 0
	if scheme == backend.GROTH16 {
		commitments = s.groth16Proof()
	} else {
		commitments = s.plonkProof()
	}
	if err := s.end(); err != nil {
		return ProofShape{}, err
	}
	return ProofShape{Curve: c, Scheme: scheme, Raw: s.form == formRaw, Commitments: commitments}, nil
}

// groth16Proof follows backend/groth16/<curve>/marshal.go.
func (s *scanner) groth16Proof() (commitments int) {
	s.g1("Ar")
	s.g2("Bs")
	s.g1("Krs")
	commitments = s.g1s("Commitments")
	s.g1("CommitmentPok")
	return commitments
}

// plonkProof follows backend/plonk/<curve>/marshal.go.
func (s *scanner) plonkProof() (commitments int) {
	for _, field := range []string{"LRO[0]", "LRO[1]", "LRO[2]", "Z", "H[0]", "H[1]", "H[2]", "BatchedProof.H"} {
		s.g1(field)
	}
	at := s.offset
	values := s.scalars("BatchedProof.ClaimedValues")
	s.g1("ZShiftedOpening.H")
	s.scalar("ZShiftedOpening.ClaimedValue")
	commitments = s.g1s("Bsb22Commitments")
	if values != claims+commitments {
		s.refuse("BatchedProof.ClaimedValues", at, values, claims+commitments)
	}
	return commitments
}
