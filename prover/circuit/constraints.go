package circuit

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/constraint"
	bls12377 "github.com/consensys/gnark/constraint/bls12-377"
	bls12381 "github.com/consensys/gnark/constraint/bls12-381"
	bn254 "github.com/consensys/gnark/constraint/bn254"
	bw6761 "github.com/consensys/gnark/constraint/bw6-761"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/std"
	"github.com/weisyn/wes/prover/circuit/wire"
)

// decodeConstraintSystem reads gnark's encoding. That of a stranger may still ask for more
// time or memory than there is.
func decodeConstraintSystem(s System, b []byte) (constraint.ConstraintSystem, error) {
	if _, err := wire.ConstraintSystem(s.Curve, s.Scheme, b); err != nil {
		return nil, err
	}
	cs := s.newConstraintSystem()
	if err := decode(cs, b); err != nil {
		return nil, err
	}
	return cs, s.accepts(cs)
}

// accepts demands a constraint system for the scheme and the curve, whose hints this program
// has.
func (s System) accepts(cs constraint.ConstraintSystem) error {
	c := core(cs)
	want, command := constraint.SystemR1CS, "frontend.Compile with r1cs.NewBuilder"
	if s.Scheme == backend.PLONK {
		want, command = constraint.SystemSparseR1CS, "frontend.Compile with scs.NewBuilder"
	}
	if c.Type != want {
		return fmt.Errorf("it is not for %s: that takes what %s gives", s.SchemeName(), command)
	}
	if field, ok := new(big.Int).SetString(c.ScalarField, 16); !ok || field.Cmp(s.Curve.ScalarField()) != 0 {
		return fmt.Errorf("it is not over %s: its field has the order 0x%s", s.CurveName(), c.ScalarField)
	}
	std.RegisterHints()
	for id, name := range c.MHintsDependencies {
		if solver.GetRegisteredHint(id) == nil {
			return fmt.Errorf("it needs the hint function %q: only those of gnark's standard library are here", name)
		}
	}
	return nil
}

// core is what constraint systems over all curves share.
func core(cs constraint.ConstraintSystem) *constraint.System {
	switch cs := cs.(type) {
	case *bn254.R1CS:
		return &cs.System
	case *bls12381.R1CS:
		return &cs.System
	case *bls12377.R1CS:
		return &cs.System
	case *bw6761.R1CS:
		return &cs.System
	}
	panic(fmt.Sprintf("BUG: constraint system %T", cs))
}

// describe fills in the sizes of a manifest.
func describe(s System, cs constraint.ConstraintSystem, o Origin) *Manifest {
	public := cs.GetNbPublicVariables()
	if s.Scheme == backend.GROTH16 {
		public-- // the constant 1
	}
	return &Manifest{
		Version: manifestVersion, Scheme: s.SchemeName(), Curve: s.CurveName(), Gnark: gnarkVersion(), Origin: o,
		Constraints: cs.GetNbConstraints(), Public: public, Secret: cs.GetNbSecretVariables(),
		Commitments: len(cs.GetCommitments().CommitmentIndexes()),
	}
}

// domain is the number of rows of PLONK's or Groth16's evaluation domain.
func domain(s System, cs constraint.ConstraintSystem) uint64 {
	n := cs.GetNbConstraints()
	if s.Scheme == backend.PLONK {
		n += cs.GetNbPublicVariables()
	}
	size := uint64(1)
	for size < uint64(n) {
		size *= 2
	}
	return size
}
