package circuit

import (
	"context"

	"github.com/consensys/gnark/constraint"
)

func (r *SetupRequest) phase2(ctx context.Context, cs constraint.ConstraintSystem, progress Progress) (*keys, error) {
	return nil, ErrUnavailable
}

func (r *SetupRequest) imported(cs constraint.ConstraintSystem) (*keys, error) {
	return nil, ErrUnavailable
}
