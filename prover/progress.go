package prover

import "time"

// Stage names a part of the work.
type Stage string

// The stages, in order. Weights is part of preparing a model, the others of a proof.
const (
	StageWeights  Stage = "weights"
	StageCommit   Stage = "commit"
	StageLookup   Stage = "lookup"
	StageContract Stage = "contract"
	StageOpen     Stage = "open"
)

// Progress is told how far a stage is. A nil Progress is told nothing. It is called from
// several goroutines.
type Progress func(stage Stage, done, total int)

func (p Progress) stage(s Stage) func(done, total int) {
	if p == nil {
		return nil
	}
	return func(done, total int) { p(s, done, total) }
}

func (p Progress) begin(s Stage) time.Time {
	if p != nil {
		p(s, 0, 1)
	}
	return time.Now()
}

func (p Progress) end(s Stage, start time.Time, took *time.Duration) {
	*took = time.Since(start)
	if p != nil {
		p(s, 1, 1)
	}
}

// Timings says how long the stages of a proof took. Laying the execution out belongs to Commit.
type Timings struct {
	Commit, Lookup, Contract, Open time.Duration
}
