package circuit

import (
	"context"

	"github.com/consensys/gnark/constraint"
	"github.com/weisyn/wes/prover/circuit/wire"
)

func (r *SetupRequest) phase2(ctx context.Context, cs constraint.ConstraintSystem, n uint64, progress Progress) (*keys, error) {
	return nil, ErrUnavailable
}

func (r *SetupRequest) imported(cs constraint.ConstraintSystem, shape wire.CCSShape) (*keys, error) {
	return nil, ErrUnavailable
}
