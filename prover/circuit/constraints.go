package circuit

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/constraint"
	bls12377 "github.com/consensys/gnark/constraint/bls12-377"
	bls12381 "github.com/consensys/gnark/constraint/bls12-381"
	bn254 "github.com/consensys/gnark/constraint/bn254"
	bw6761 "github.com/consensys/gnark/constraint/bw6-761"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/weisyn/wes/prover/circuit/wire"
)

// decodeConstraintSystem reads gnark's encoding. That of a stranger may still ask for more
// time or memory than there is.
func decodeConstraintSystem(s System, b []byte) (constraint.ConstraintSystem, wire.CCSShape, error) {
	shape, err := wire.ConstraintSystem(s.Curve, s.Scheme, b)
	if err != nil {
		return nil, shape, s.advise(err)
	}
	cs := s.newConstraintSystem()
	if err := decode(cs, b); err != nil {
		return nil, shape, fmt.Errorf("constraint system: %w", err)
	}
	for id, name := range core(cs).MHintsDependencies {
		if solver.GetRegisteredHint(id) == nil {
			return nil, shape, fmt.Errorf("constraint system: it needs the function %q to solve it: only those of gnark's standard library are here", name)
		}
	}
	return cs, shape, nil
}

// advise says what to do about a constraint system for another scheme or curve.
func (s System) advise(err error) error {
	var e *wire.Error
	switch {
	case !errors.As(err, &e):
	case e.Field == "Type" && s.Scheme == backend.PLONK:
		return fmt.Errorf("%w: PLONK takes what frontend.Compile makes with scs.NewBuilder", err)
	case e.Field == "Type":
		return fmt.Errorf("%w: Groth16 takes what frontend.Compile makes with r1cs.NewBuilder", err)
	case e.Field == "ScalarField":
		return fmt.Errorf("%w: it was compiled for another curve than %s", err, s.CurveName())
	}
	return err
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
func describe(s System, shape wire.CCSShape, o Origin) *Manifest {
	return &Manifest{
		Version: manifestVersion, Scheme: s.SchemeName(), Curve: s.CurveName(), Gnark: gnarkVersion(), Origin: o,
		Constraints: shape.Constraints, Public: shape.Public, Secret: shape.Secret, Commitments: shape.Commitments,
	}
}
