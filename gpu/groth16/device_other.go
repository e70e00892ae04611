//go:build !icicle || !cgo

package groth16

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
)

// Linked says whether this build has ICICLE.
const Linked = false

// Open says that this build has no ICICLE.
func Open() (*Device, error) {
	return nil, fmt.Errorf("%w: this build is without it: build with cgo and -tags icicle after make icicle", ErrUnavailable)
}

// NewProvingKey makes a key for the CPU.
func (*Device) NewProvingKey(c ecc.ID) groth16.ProvingKey { return groth16.NewProvingKey(c) }

// Prove returns ErrUnavailable.
func (*Device) Prove(constraint.ConstraintSystem, groth16.ProvingKey, witness.Witness, ...backend.ProverOption) (groth16.Proof, error) {
	return nil, ErrUnavailable
}

// Free does nothing.
func (*Device) Free(groth16.ProvingKey) {}
