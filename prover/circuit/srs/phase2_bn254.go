package srs

import (
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
)

// keysBN254 runs the second phase: one contribution, then a seal that nobody chose.
func keysBN254(ccs constraint.ConstraintSystem, p phase1[g1BN254, g2BN254]) (groth16.ProvingKey, groth16.VerifyingKey, error) {
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
