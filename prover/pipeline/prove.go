package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/weisyn/wes/prover"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/tensor"
	"github.com/weisyn/wes/prover/verify"
)

// Prove executes a program on a request's inputs, proves the execution, and verifies the
// proof as anyone else would, from its bytes.
func (l *Line) Prove(ctx context.Context, p *Program, x *Executor, r Request) (*Outcome, error) {
	start := time.Now()
	if err := CheckJob(r.Job); err != nil {
		return nil, err
	}
	inputs, _, err := tensor.QuantizeAll(p.Model.Graph, r.Inputs, false)
	if err != nil {
		return nil, err
	}
	out := &Outcome{Digest: p.Model.Digest(), Model: p.Model.Encode(), Tails: tails(p.Model.Graph)}
	result, err := l.prove(ctx, p, x, inputs, r.Job, &out.Took)
	if err != nil {
		return nil, err
	}
	file := verify.NewFile(result.Statement, result.Proof)
	out.Proof = file.Encode()
	out.Took.Prove = time.Since(start)
	out.OutputBytes = file.OutputBytes()
	if out.Outputs, err = Dequantize(p.Model.Graph, graph.UnpackCells(result.Statement.Outputs)); err != nil {
		return nil, &Fault{StageVerify, err}
	}
	if out.Output, err = tensor.FormatJSON(p.Summary.Model, out.Outputs); err != nil {
		return nil, &Fault{StageVerify, err}
	}
	return out, l.check(out, inputs)
}

func (l *Line) prove(ctx context.Context, p *Program, x *Executor, inputs [][]int32, job prover.Job, took *Took) (*prover.Result, error) {
	start, done := time.Now(), l.stage(StageExecute)
	trace, err := x.run(ctx, p, inputs)
	if err != nil {
		return nil, &Fault{StageExecute, err}
	}
	took.Execute = time.Since(start)
	done()
	result, err := prover.Prove(ctx, p.Prepared, job, trace, l.options())
	if err != nil {
		return nil, &Fault{"prove", err}
	}
	took.Stages = result.Timings
	return result, nil
}

// check verifies an outcome's bytes.
func (l *Line) check(out *Outcome, inputs [][]int32) error {
	done := l.stage(StageVerify)
	start := time.Now()
	m, err := verify.DecodeModel(out.Model)
	if err != nil {
		return &Fault{StageVerify, err}
	}
	out.Took.Load = time.Since(start)
	start = time.Now()
	if _, err := verifyFile(m, out.Proof, inputs); err != nil {
		return &Fault{StageVerify, fmt.Errorf("own proof: %w", err)}
	}
	out.Took.Verify = time.Since(start)
	done()
	return nil
}

// Dequantize turns the cells of all outputs into numbers.
func Dequantize(g *graph.Graph, cells [][]int64) ([]tensor.Tensor, error) {
	outputs := make([]tensor.Tensor, len(g.Outputs))
	for i := range g.Outputs {
		var err error
		if outputs[i], err = tensor.Dequantize(&g.Outputs[i], cells[i]); err != nil {
			return nil, err
		}
	}
	return outputs, nil
}

func tails(g *graph.Graph) []graph.Tail {
	all := make([]graph.Tail, len(g.Outputs))
	for i := range g.Outputs {
		all[i] = g.Outputs[i].Tail
	}
	return all
}
