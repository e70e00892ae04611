package wire

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/consensys/gnark"
	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend"
)

// CCSShape is what the encoding of a constraint system tells.
type CCSShape struct {
	Curve        ecc.ID
	Scheme       backend.ID
	Public       int // public inputs; the constant wire of an R1CS is not counted
	Secret       int // secret inputs
	Internal     int // wires that the solver fills in
	Constraints  int
	Commitments  int // to committed wires (bsb22)
	Committed    int // Groth16: private wires under a commitment
	Instructions int
	Coefficients int
	Domain       uint64   // rows: the power of two that holds the constraints, and for PLONK the public inputs
	Hints        []string // names of the functions that the solver must know, sorted
}

// Wires is the number of all wires, the constant one of an R1CS included.
func (s CCSShape) Wires() int {
	n := s.Public + s.Secret + s.Internal
	if s.Scheme == backend.GROTH16 {
		n++
	}
	return n
}

// Limits bound what a short encoding can make gnark allocate later. Zero fields take the value of
// DefaultLimits.
type Limits struct {
	Wires int // of a constraint system; a hint of a few bytes can have many
}

// DefaultLimits returns limits that a constraint system of several gigabytes keeps.
func DefaultLimits() Limits { return Limits{Wires: 1 << 26} }

// ConstraintSystem scans with [DefaultLimits].
func ConstraintSystem(c ecc.ID, scheme backend.ID, b []byte) (CCSShape, error) {
	return Limits{}.ConstraintSystem(c, scheme, b)
}

// ConstraintSystem scans what WriteTo of a gnark constraint system wrote: an R1CS for Groth16, a
// SparseR1CS for PLONK, of the same minor version of gnark. The error is an [Error], or
// ErrUnsupported.
//
// Of what it accepts, gnark's decoder, its solver, Setup and Prove index nothing out of range:
// sections end where they say; instructions tile the calldata; the wires, coefficients, entries,
// constraints and commitments that they name exist; every internal wire is set exactly once, from
// wires of earlier levels; a level's instructions do not depend on each other; each commitment
// has the one hint that computes it, with as many inputs as it hides.
//
// Only blueprints of gnark's own frontend are accepted, with coefficients of 256 bits and more;
// those of GKR are refused, because their circuits are not scanned.
//
// What is left to the process that works with the system, which should be one that may die: hint
// functions run with inputs that the system and the witness choose, and some panic or take long
// for inputs that gnark's gadgets never give them (std/internal/logderivarg divides by a row
// length that it reads). Memory and time in proportion to wires and constraints are as large as
// Limits admits. And the system may be unsatisfiable, or say something else than it claims.
func (l Limits) ConstraintSystem(c ecc.ID, scheme backend.ID, b []byte) (CCSShape, error) {
	e, err := encodingOf(c)
	if err == nil {
		err = checkScheme(scheme)
	}
	if err != nil {
		return CCSShape{}, fmt.Errorf("scan constraint system: %w", err)
	}
	if l.Wires == 0 {
		l.Wires = DefaultLimits().Wires
	}
	s := system{encoding: e, scheme: scheme, limits: l}
	if err := s.scan(b); err != nil {
		err.What = "constraint system"
		return CCSShape{}, err
	}
	return s.shape(), nil
}

// system is a constraint system while it is scanned.
type system struct {
	encoding
	body
	scheme backend.ID
	limits Limits

	coefficients []byte   // fr bytes each: limbs in Montgomery form, little-endian
	calldata     []uint32 // what instructions read
	instructions []instruction
	order        []uint32 // instructions in the order of solving
	levels       []int    // ends of levels in order
}

func refuse(field string, at int64, got, want any) *Error {
	return &Error{Field: field, Offset: at, Got: fmt.Sprint(got), Want: fmt.Sprint(want)}
}

func (s *system) scan(b []byte) *Error {
	parts, err := split(b)
	if err != nil {
		return err
	}
	c := cbor{b: parts.body.b}
	s.body.read(&c)
	if c.err != nil {
		c.err.Field = strings.TrimSuffix("body: "+c.err.Field, ": ")
		c.err.Offset += parts.body.at
		return c.err
	}
	for _, step := range []func() *Error{
		s.checkBody,
		func() *Error { return s.readCoefficients(parts.coefficients) },
		func() *Error { return s.readCalldata(parts.calldata) },
		func() *Error { return s.readInstructions(parts.instructions) },
		s.checkCommitments,
		s.tile,
		func() *Error { return s.readLevels(parts.levels) },
		s.solve,
		s.checkLogs,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// checkBody checks the numbers of the body against each other and the limits.
func (s *system) checkBody() *Error {
	kind := uint64(1)
	if s.scheme == backend.PLONK {
		kind = 2
	}
	modulus := s.curve.ScalarField().Text(16)
	wires := int64(s.public) + int64(s.secret) + int64(s.internal)
	switch {
	case s.kind != kind:
		return refuse("Type", -1, s.kind, kind)
	case s.field != modulus:
		return refuse("ScalarField", -1, fmt.Sprintf("%.100q", s.field), modulus)
	case s.version != gnark.Version.String():
		return refuse("GnarkVersion", -1, fmt.Sprintf("%.40q", s.version), gnark.Version)
	case s.groth16 != (s.scheme == backend.GROTH16):
		return refuse("CommitmentInfo", -1, "commitments of another scheme", s.scheme)
	case s.scheme == backend.GROTH16 && s.public == 0:
		return refuse("Public", -1, "no wires", "the constant wire")
	case wires == 0 || wires > int64(s.limits.Wires):
		return refuse("NbInternalVariables", -1, fmt.Sprintf("%d wires", wires), fmt.Sprintf("1 to %d", s.limits.Wires))
	case s.constraints == 0:
		return refuse("NbConstraints", -1, 0, "at least 1")
	case s.mapped > s.debug:
		return refuse("MDebug", -1, fmt.Sprintf("entry %d", s.mapped-1), fmt.Sprintf("below %d", s.debug))
	case s.stack > s.locations:
		return refuse("Stack", -1, fmt.Sprintf("location %d", s.stack-1), fmt.Sprintf("below %d", s.locations))
	case s.called > s.functions:
		return refuse("FunctionID", -1, fmt.Sprintf("function %d", s.called-1), fmt.Sprintf("below %d", s.functions))
	}
	return nil
}

func (s *system) wires() int { return s.public + s.secret + s.internal }

// readCoefficients takes the table of coefficients (coeff.go of constraint/<curve> in gnark).
func (s *system) readCoefficients(p section) *Error {
	n, err := p.count(s.fr)
	if err != nil {
		return err
	}
	if n < special {
		return p.refuse(0, n, fmt.Sprintf("at least %d", special))
	}
	if rest := len(p.b) - 8 - n*s.fr; rest != 0 {
		return p.refuse(len(p.b)-rest, fmt.Sprintf("%d bytes more", rest), "the end")
	}
	s.coefficients = p.b[8:]
	modulus := s.curve.ScalarField().FillBytes(make([]byte, s.fr))
	slices.Reverse(modulus)
	for i := range n {
		if !below(s.coefficient(uint32(i)), modulus) {
			return p.refuse(8+i*s.fr, "an element that is not reduced", "less than the modulus")
		}
	}
	return nil
}

// special is the number of coefficients with fixed places: 0, 1, 2, -1, -2.
const special = 5

// coefficient returns coefficient i, little-endian.
func (s *system) coefficient(i uint32) []byte {
	return s.coefficients[int(i)*s.fr : (int(i)+1)*s.fr]
}

func (s *system) count() int { return len(s.coefficients) / s.fr }

// montgomery returns how a coefficient of value v is written.
func (s *system) montgomery(v int64) []byte {
	q := s.curve.ScalarField()
	r := new(big.Int).Lsh(big.NewInt(v), uint(8*s.fr))
	b := r.Mod(r, q).FillBytes(make([]byte, s.fr))
	slices.Reverse(b)
	return b
}

// below compares little-endian numbers of the same length.
func below(a, b []byte) bool {
	for i := len(a) - 1; i >= 0; i-- {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}

// readCalldata decodes integers of 32 bits in the shortest form of package encoding/binary.
func (s *system) readCalldata(p section) *Error {
	n, err := p.count(1)
	if err != nil {
		return err
	}
	s.calldata = make([]uint32, n)
	at := 8
	for i := range s.calldata {
		v, size := binary.Uvarint(p.b[at:min(len(p.b), at+binary.MaxVarintLen32)])
		if size <= 0 || v>>32 != 0 || size > 1 && p.b[at+size-1] == 0 {
			return p.refuse(at, "a broken integer", "32 bits in the shortest form")
		}
		s.calldata[i] = uint32(v)
		at += size
	}
	if at != len(p.b) {
		return p.refuse(at, fmt.Sprintf("%d bytes more", len(p.b)-at), "the end")
	}
	return nil
}

// checkLogs checks the terms that gnark resolves for logs and for debug information.
func (s *system) checkLogs() *Error {
	for _, t := range s.terms {
		if !s.exists(t) {
			return refuse("ToResolve", -1, fmt.Sprintf("coefficient %d of wire %d", t.coefficient, t.wire),
				fmt.Sprintf("below %d and %d", s.count(), s.wires()))
		}
	}
	return nil
}

func (s *system) shape() CCSShape {
	shape := CCSShape{
		Curve: s.curve, Scheme: s.scheme,
		Public: s.public, Secret: s.secret, Internal: s.internal, Constraints: s.constraints,
		Commitments: len(s.commitments), Instructions: len(s.instructions), Coefficients: s.count(),
	}
	rows := uint64(s.constraints)
	if s.scheme == backend.GROTH16 {
		shape.Public--
		for _, m := range s.commitments {
			shape.Committed += len(m.committed)
		}
	} else {
		rows += uint64(s.public)
	}
	shape.Domain = ecc.NextPowerOfTwo(rows)
	for _, name := range s.hints {
		shape.Hints = append(shape.Hints, name)
	}
	slices.Sort(shape.Hints)
	return shape
}
