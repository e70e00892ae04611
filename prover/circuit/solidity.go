package circuit

import (
	"encoding/hex"
	"fmt"
	"io"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend"
)

// checkSolidity tells what gnark has no contract for.
func (k *VerifyingKey) checkSolidity() error {
	switch {
	case k.Curve != ecc.BN254 && k.Curve != ecc.BLS12_381:
		return fmt.Errorf("Solidity verifier over %s: %w: there are bn254 and bls12-381, for which Ethereum has precompiled contracts", k.CurveName(), ErrUnavailable)
	case k.Scheme == backend.GROTH16 && k.Commitments > 1:
		return fmt.Errorf("Solidity verifier for proofs with %d commitments: %w: Groth16 contracts take one", k.Commitments, ErrUnavailable)
	}
	return nil
}

// Solidity writes the source of a contract that verifies proofs made for TargetSolidity.
func (k *VerifyingKey) Solidity(w io.Writer) error {
	if err := k.checkSolidity(); err != nil {
		return err
	}
	return k.key.ExportSolidity(w)
}

// Call holds the arguments of the contract's function verifyProof (Groth16) or Verify (PLONK),
// in hex.
type Call struct {
	Proof  string   `json:"proof"`
	Inputs []string `json:"inputs"`
}

// Call gives the contract's arguments for a proof that Verify accepts for TargetSolidity.
func (k *VerifyingKey) Call(public *Witness, proof []byte) (*Call, error) {
	if err := k.checkSolidity(); err != nil {
		return nil, err
	}
	if err := k.Verify(public, proof, TargetSolidity); err != nil {
		return nil, err
	}
	p, err := k.decodeProof(proof)
	if err != nil {
		return nil, &Rejection{CheckEncoding, err}
	}
	marshaler, ok := p.(interface{ MarshalSolidity() []byte })
	if !ok {
		return nil, fmt.Errorf("proof in the contract's form: %w", ErrUnavailable)
	}
	c := &Call{Proof: "0x" + hex.EncodeToString(marshaler.MarshalSolidity()), Inputs: []string{}}
	size := valueSize(k.Curve)
	for i := range public.Public {
		c.Inputs = append(c.Inputs, "0x"+hex.EncodeToString(public.values[i*size:][:size]))
	}
	return c, nil
}
