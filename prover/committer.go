package prover

import (
	"context"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/weisyn/wes/prover/commit"
)

// Committer commits to rows of small integers, wherever it computes. What it returns must
// be what [commit.Key.CommitRows] returns: a proof does not depend on the choice.
type Committer interface {
	// Name says where it computes, for reports.
	Name() string
	// CommitRows has the arguments of the method of the key.
	CommitRows(ctx context.Context, key *commit.Key, rows []int32, cols int, progress func(done, total int)) ([]bn254.G1Affine, error)
}

// Options are what prepares and proves. The zero value commits on this process's CPU and
// reports to nobody.
type Options struct {
	Committer Committer // nil: the CPU of this process
	Progress  Progress
	Known     *Known // commitments that Prepare need not make; nil: none
}

// Known are the commitments to a model's weights. They are trusted, as in Resume.
type Known struct {
	Weights [32]byte // Prepared.WeightsDigest
	Rows    []bn254.G1Affine
}

// commitWeights takes commitments that are known.
func (o *Options) commitWeights(ctx context.Context, key *commit.Key, digest [32]byte, rows []int32, cols int) ([]bn254.G1Affine, error) {
	if o.Known != nil && o.Known.Weights == digest && len(o.Known.Rows) == len(rows)/cols {
		return o.Known.Rows, nil
	}
	return o.commitRows(ctx, key, rows, cols, StageWeights)
}

func (o *Options) commitRows(ctx context.Context, key *commit.Key, rows []int32, cols int, s Stage) ([]bn254.G1Affine, error) {
	if o.Committer == nil {
		return key.CommitRows(ctx, rows, cols, o.Progress.stage(s))
	}
	return o.Committer.CommitRows(ctx, key, rows, cols, o.Progress.stage(s))
}
