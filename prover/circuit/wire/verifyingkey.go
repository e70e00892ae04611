package wire

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend"
)

// VKShape is what the encoding of a verifying key tells.
type VKShape struct {
	Curve       ecc.ID
	Scheme      backend.ID
	Raw         bool   // points are not compressed
	Public      int    // public inputs; the constant wire of Groth16 is not counted
	Commitments int    // to committed wires (bsb22)
	Domain      uint64 // rows of the circuit, a power of two; 0 for Groth16, whose key does not say
}

// VerifyingKey scans what WriteTo or WriteRawTo of a gnark verifying key wrote. All points must
// have the same form. Indices that gnark's verifier follows must lie within the public inputs and
// commitments. A PLONK key must have gnark's serialization version 1; the lines of its pairings are
// not looked at, neither here nor by gnark's decoder, but by [CheckKeys]. The error is an [Error], or
// ErrUnsupported.
func VerifyingKey(c ecc.ID, scheme backend.ID, b []byte) (VKShape, error) {
	s, err := scanBytes("verifying key", c, scheme, b)
	if err != nil {
		return VKShape{}, err
	}
	shape := VKShape{Curve: c, Scheme: scheme}
	if scheme == backend.GROTH16 {
		s.groth16Key(&shape)
	} else {
		s.plonkKey(&shape)
	}
	if err := s.end(); err != nil {
		return VKShape{}, err
	}
	shape.Raw = s.form == formRaw
	return shape, nil
}

// groth16Key follows backend/groth16/<curve>/marshal.go.
func (s *scanner) groth16Key(shape *VKShape) {
	s.g1("G1.Alpha")
	s.g1("G1.Beta")
	s.g2("G2.Beta")
	s.g2("G2.Gamma")
	s.g1("G1.Delta")
	s.g2("G2.Delta")
	at := s.offset
	k := s.g1s("G1.K")
	lists := s.length("PublicAndCommitmentCommitted", 4)
	if s.err == nil && k < lists+1 {
		s.refuse("G1.K", at, k, fmt.Sprintf("at least %d: the constant wire and %d commitments", lists+1, lists))
	}
	shape.Public, shape.Commitments = k-lists-1, lists
	for i := 0; i < lists && s.err == nil; i++ {
		s.committed(i, shape.Public)
	}
	keys := s.uint32("CommitmentKeys")
	s.check(int64(keys) == int64(lists), "CommitmentKeys", keys, lists)
	for i := 0; i < lists && s.err == nil; i++ {
		s.g2("CommitmentKeys.G")
		s.g2("CommitmentKeys.GSigmaNeg")
	}
}

// committed reads the public wires that commitment i binds: inputs are numbered from 1, and the
// commitments before this one follow them.
func (s *scanner) committed(i, public int) {
	const field = "PublicAndCommitmentCommitted"
	s.uint64s(field, func(_ int, v uint64) {
		s.check(1 <= v && v <= uint64(public+i), field, v, fmt.Sprintf("1 to %d", public+i))
	})
}

// maxDomain bounds the rows of a circuit; gnark's fields have roots of unity of order 2^28 to
// 2^47, its wires are numbered with 32 bits.
const maxDomain = 1 << 31

// plonkKey follows backend/plonk/<curve>/marshal.go.
func (s *scanner) plonkKey(shape *VKShape) {
	marker := s.uint64("version marker")
	s.check(marker == 0, "version marker", marker, "0 (keys without a version are not read)")
	version := s.uint64("version")
	s.check(version == 1, "version", version, 1)
	shape.Domain = s.domain("Size")
	s.scalar("SizeInv")
	s.scalar("Generator")
	public := s.uint64("NbPublicVariables")
	s.check(public <= shape.Domain, "NbPublicVariables", public, fmt.Sprintf("at most %d", shape.Domain))
	s.scalar("CosetShift")
	for _, field := range []string{"S[0]", "S[1]", "S[2]", "Ql", "Qr", "Qm", "Qo", "Qk"} {
		s.g1(field)
	}
	qcp := s.g1s("Qcp")
	s.g1("Kzg.G1")
	s.g2("Kzg.G2[0]")
	s.g2("Kzg.G2[1]")
	s.skip("Kzg.Lines", uint64(s.lines))
	indices := s.uint64s("CommitmentConstraintIndexes", func(_ int, v uint64) {
		s.check(v < shape.Domain-public, "CommitmentConstraintIndexes", v, fmt.Sprintf("below %d", shape.Domain-public))
	})
	s.check(indices == qcp, "CommitmentConstraintIndexes", indices, qcp)
	shape.Public, shape.Commitments = int(public), qcp
}

// domain reads the cardinality of an FFT domain.
func (s *scanner) domain(field string) uint64 {
	n := s.uint64(field)
	s.check(n != 0 && n&(n-1) == 0 && n <= maxDomain, field, n, "a power of two of at most 2^31")
	return n
}
