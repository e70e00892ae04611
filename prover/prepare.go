package prover

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
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
	// WeightsDigest names the rows that the weights are packed in. Models that differ in the shapes
	// of their inputs can have the same, and share their commitments. Zero after Resume.
	WeightsDigest [32]byte

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
	digest := packedDigest(packed, system.Weights.Cols)
	rows, err := o.commitWeights(ctx, key, digest, packed, system.Weights.Cols)
	if err != nil {
		return nil, fmt.Errorf("commit weights: %w", err)
	}
	m, err := verify.NewModel(g, rows, kind, report)
	if err != nil {
		return nil, err
	}
	return &Prepared{Model: m, Weights: w, WeightsDigest: digest, packed: packed}, nil
}

// packedDigest names packed weights: the number of columns, then the cells, row by row.
func packedDigest(packed []int32, cols int) [32]byte {
	h := sha256.New()
	buf := binary.BigEndian.AppendUint32(make([]byte, 0, 1<<16), uint32(cols))
	for _, v := range packed {
		if len(buf)+4 > cap(buf) {
			h.Write(buf)
			buf = buf[:0]
		}
		buf = binary.BigEndian.AppendUint32(buf, uint32(v))
	}
	h.Write(buf)
	return [32]byte(h.Sum(nil))
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
