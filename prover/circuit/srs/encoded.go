package srs

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"github.com/consensys/gnark-crypto/kzg"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/constraint"
)

// encoded is gnark's encoding of a kzg.SRS, scanned.
type encoded[G1, G2 comparable] struct {
	family[G1, G2]
	r *io.SectionReader
}

func (e *encoded[G1, G2]) kzg(ctx context.Context, n uint64) (canonical, lagrange kzg.SRS, err error) {
	powers, verify, err := e.decode(bufio.NewReaderSize(io.NewSectionReader(e.r, 0, e.r.Size()), 1<<20))
	if err != nil {
		return nil, nil, invalid("%v", err)
	}
	if uint64(len(powers)) < n+blinding {
		return nil, nil, fmt.Errorf("%w: %d powers", ErrTooSmall, len(powers))
	}
	powers = powers[:n+blinding]
	if err := e.subgroup("Pk.G1", powers); err != nil {
		return nil, nil, err
	}
	if err := e.subgroup("Vk.G2", verify[:]); err != nil {
		return nil, nil, err
	}
	if err := e.powers(ctx, powers, verify[:]); err != nil {
		return nil, nil, err
	}
	return e.strings(powers, verify)
}

func (e *encoded[G1, G2]) groth16(context.Context, constraint.ConstraintSystem, uint64) (groth16.ProvingKey, groth16.VerifyingKey, error) {
	return nil, nil, ErrUnsupported
}
