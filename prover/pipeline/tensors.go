package pipeline

import (
	"context"
	"fmt"

	"github.com/weisyn/wes/prover/model"
)

// Comparison is what lowering a model does to its outputs and to every tensor on the way.
type Comparison struct {
	Report  model.Report           `json:"lowering"`
	Tensors []model.TensorAccuracy `json:"tensors"` // the worst first
}

// Compare lowers a model and runs it as floats and as integers on the samples.
func (l *Line) Compare(ctx context.Context, s Source) (*Comparison, error) {
	low, _, err := l.lower(ctx, s)
	if err != nil {
		return nil, err
	}
	done := l.stage(StageExecute)
	tensors, err := low.Tensors(ctx)
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	done()
	return &Comparison{Report: low.Report, Tensors: tensors}, nil
}
