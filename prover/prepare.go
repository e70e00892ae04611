package prover

import (
	"context"
	"fmt"

	"github.com/weisyn/wes/prover/commit"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/verify"
)

// Prepared is a model ready to be proved: what is done once per model.
type Prepared struct {
	Model   *verify.Model
	Weights graph.Weights

	packed []int32 // weights in the rows that Model.Rows commits to
}

// Prepare checks weights against their graph, packs them and commits to their rows.
func Prepare(ctx context.Context, g *graph.Graph, w graph.Weights, kind transcript.Kind, report []byte, o Options) (*Prepared, error) {
	info, err := g.Check()
	if err != nil {
		return nil, err
	}
	if err := g.CheckWeights(info, w); err != nil {
		return nil, err
	}
	system, err := verify.Layout(g)
	if err != nil {
		return nil, err
	}
	packed := system.PackWeights(w)
	key, err := commit.NewKey(system.Weights.Cols)
	if err != nil {
		return nil, fmt.Errorf("derive generators: %w", err)
	}
	rows, err := o.commitRows(ctx, key, packed, system.Weights.Cols, StageWeights)
	if err != nil {
		return nil, fmt.Errorf("commit weights: %w", err)
	}
	m, err := verify.NewModel(g, rows, kind, report)
	if err != nil {
		return nil, err
	}
	return &Prepared{Model: m, Weights: w, packed: packed}, nil
}

// Resume joins a verifier's key with weights that were prepared with it before. The
// commitments are trusted: they come from the same cache as the weights.
func Resume(m *verify.Model, w graph.Weights) (*Prepared, error) {
	system := m.System()
	if err := m.Graph.CheckWeights(system.Info, w); err != nil {
		return nil, err
	}
	return &Prepared{Model: m, Weights: w, packed: system.PackWeights(w)}, nil
}
