package srs

import (
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/groth16/bls12-381/mpcsetup"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bls12-381"
)

// keysBLS12381 runs the second phase: one contribution, then a seal that nobody chose.
func keysBLS12381(ccs constraint.ConstraintSystem, p phase1[g1BLS12381, g2BLS12381]) (groth16.ProvingKey, groth16.VerifyingKey, error) {
	r1cs, ok := ccs.(*cs.R1CS)
	if !ok || r1cs.Type != constraint.SystemR1CS {
		return nil, nil, errNotR1CS()
	}
	beacon, err := beacon()
	if err != nil {
		return nil, nil, err
	}
	var commons mpcsetup.SrsCommons
	commons.G1.Tau, commons.G1.AlphaTau, commons.G1.BetaTau = p.tau, p.alphaTau, p.betaTau
	commons.G2.Tau, commons.G2.Beta = p.tau2, p.beta2
	var second mpcsetup.Phase2
	evaluations := second.Initialize(r1cs, &commons)
	second.Contribute()
	pk, vk := second.Seal(&commons, &evaluations, beacon)
	return pk, vk, nil
}
