package main

import (
	"context"
	"sync/atomic"

	"github.com/weisyn/wes/node/executor"
	"github.com/weisyn/wes/node/proofs"
	"github.com/weisyn/wes/node/works"
)

// liar is an operator's device that does each job wrong in another way.
type liar struct {
	works.Executor
	jobs atomic.Int64
}

var _ works.Executor = (*liar)(nil)

// Infer implements works.Executor. Samples, which are for nobody, are proved as they should be.
func (l *liar) Infer(ctx context.Context, q executor.Inference, progress executor.Progress) (*executor.Result, error) {
	if forNobody(q) {
		return l.Executor.Infer(ctx, q, progress)
	}
	switch l.jobs.Add(1) % 4 {
	case 1: // a wrong output with the proof of the right one
		r, err := l.Executor.Infer(ctx, q, progress)
		if err == nil {
			err = corrupt(r)
		}
		return r, err
	case 2: // a proof that pays somebody else
		q.Job.Payee = q.Job.ID
		return l.Executor.Infer(ctx, q, progress)
	case 3: // a proof of another job
		q.Job.ID = q.Job.Payee
		return l.Executor.Infer(ctx, q, progress)
	}
	<-ctx.Done() // never
	return nil, ctx.Err()
}

// corrupt changes the first cell of an output.
func corrupt(r *executor.Result) error {
	cells, err := proofs.DecodeOutput(r.Output)
	if err != nil {
		return err
	}
	cells[0][0]++
	r.Output = proofs.EncodeOutput(cells)
	return nil
}
