package wire

import (
	"fmt"
	"io"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend"
)

// PKShape is what the encoding of a proving key tells.
type PKShape struct {
	Curve       ecc.ID
	Scheme      backend.ID
	Domain      uint64 // rows of the circuit, a power of two
	Commitments int    // to committed wires (bsb22)

	Wires     int // Groth16: all wires, the constant one included
	Private   int // Groth16: wires that are neither public nor committed
	Committed int // Groth16: private wires under a commitment

	Key VKShape // PLONK: the verifying key inside
}

// ProvingKey scans size bytes that WriteTo (raw is false) or WriteRawTo (raw is true) of a gnark
// proving key wrote. It reads r once, in constant memory. The numbers of points must fit each
// other and the domain as gnark's prover assumes. The error is an [Error], ErrUnsupported, or
// that of r.
//
// gnark's decoder of a Groth16 key expects that each Read fills its buffer: give it the bytes or
// the file, or a bufio.Reader over either, not a socket.
func ProvingKey(c ecc.ID, scheme backend.ID, r io.Reader, size int64, raw bool) (PKShape, error) {
	s, err := newScanner("proving key", c, scheme, r, size)
	if err != nil {
		return PKShape{}, err
	}
	s.form = formCompressed
	if raw {
		s.form = formRaw
	}
	shape := PKShape{Curve: c, Scheme: scheme}
	if scheme == backend.GROTH16 {
		s.groth16ProvingKey(&shape)
	} else {
		s.plonkProvingKey(&shape)
	}
	if err := s.end(); err != nil {
		return PKShape{}, err
	}
	return shape, nil
}

// groth16ProvingKey follows backend/groth16/<curve>/marshal.go and, for the domain,
// ecc/<curve>/fr/fft/domain.go of gnark-crypto.
func (s *scanner) groth16ProvingKey(shape *PKShape) {
	shape.Domain = s.domain("Domain.Cardinality")
	for _, field := range []string{"CardinalityInv", "Generator", "GeneratorInv", "FrMultiplicativeGen", "FrMultiplicativeGenInv"} {
		s.scalar("Domain." + field)
	}
	s.bools("Domain.withPrecompute", 1)

	s.g1("G1.Alpha")
	s.g1("G1.Beta")
	s.g1("G1.Delta")
	a, b := s.g1s("G1.A"), s.g1s("G1.B")
	at := s.offset
	z := s.g1s("G1.Z")
	if s.err == nil && uint64(z) != shape.Domain-1 {
		s.refuse("G1.Z", at, z, shape.Domain-1)
	}
	shape.Private = s.g1s("G1.K")
	s.g2("G2.Beta")
	s.g2("G2.Delta")
	at = s.offset
	if b2 := s.g2s("G2.B"); s.err == nil && b2 != b {
		s.refuse("G2.B", at, b2, b)
	}
	shape.Wires = s.infinities(a, b)
	s.pedersenKeys(shape)
}

// infinities reads which of the wires have no point in A or B: as many as the a and b points
// leave. It returns the number of wires.
func (s *scanner) infinities(a, b int) int {
	wires := s.uint64("nbWires")
	s.check(wires <= s.left()/2, "nbWires", wires, fmt.Sprintf("at most %d", s.left()/2))
	inA := s.uint64("NbInfinityA")
	s.check(inA == wires-uint64(a), "NbInfinityA", inA, fmt.Sprintf("%d wires less %d points", wires, a))
	inB := s.uint64("NbInfinityB")
	s.check(inB == wires-uint64(b), "NbInfinityB", inB, fmt.Sprintf("%d wires less %d points", wires, b))
	at := s.offset
	if n := s.bools("InfinityA", wires); s.err == nil && n != inA {
		s.refuse("InfinityA", at, fmt.Sprintf("%d set", n), inA)
	}
	at = s.offset
	if n := s.bools("InfinityB", wires); s.err == nil && n != inB {
		s.refuse("InfinityB", at, fmt.Sprintf("%d set", n), inB)
	}
	return int(wires)
}

// pedersenKeys follows ecc/<curve>/fr/pedersen/pedersen.go of gnark-crypto.
func (s *scanner) pedersenKeys(shape *PKShape) {
	keys := s.length("CommitmentKeys", 8)
	for i := 0; i < keys && s.err == nil; i++ {
		basis := s.g1s("CommitmentKeys.Basis")
		at := s.offset
		if n := s.g1s("CommitmentKeys.BasisExpSigma"); s.err == nil && n != basis {
			s.refuse("CommitmentKeys.BasisExpSigma", at, n, basis)
		}
		shape.Committed += basis
	}
	shape.Commitments = keys
}

// blinding is the number of powers of tau that gnark's PLONK prover needs beyond the domain.
const blinding = 3

// plonkProvingKey follows backend/plonk/<curve>/marshal.go.
func (s *scanner) plonkProvingKey(shape *PKShape) {
	shape.Key = VKShape{Curve: shape.Curve, Scheme: shape.Scheme, Raw: s.form == formRaw}
	s.plonkKey(&shape.Key)
	shape.Domain, shape.Commitments = shape.Key.Domain, shape.Key.Commitments
	at := s.offset
	if n := s.g1s("Kzg.G1"); s.err == nil && uint64(n) != shape.Domain+blinding {
		s.refuse("Kzg.G1", at, n, shape.Domain+blinding)
	}
	at = s.offset
	if n := s.g1s("KzgLagrange.G1"); s.err == nil && uint64(n) != shape.Domain {
		s.refuse("KzgLagrange.G1", at, n, shape.Domain)
	}
}
