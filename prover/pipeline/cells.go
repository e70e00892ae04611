package pipeline

import (
	"context"
	"fmt"

	"github.com/weisyn/wes/prover"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model"
	"github.com/weisyn/wes/prover/model/tensor"
	"github.com/weisyn/wes/prover/verify"
)

// Proven is a run on cells: a node gets them from a client that has quantised its numbers.
type Proven struct {
	Outputs [][]int64
	Proof   []byte // a proof file; nil of a run that was not proved
	Took    Took
}

// CheckCells refuses inputs that do not fit a graph: an error of package tensor.
func CheckCells(g *graph.Graph, inputs [][]int32) error {
	ids := g.Inputs()
	if len(ids) != len(inputs) {
		return fmt.Errorf("%w: %d inputs, the model has %d", tensor.ErrInput, len(inputs), len(ids))
	}
	for i, id := range ids {
		in := g.Nodes[id].Op.(*graph.Input)
		if want := graph.Elements(in.Shape); len(inputs[i]) != want {
			return fmt.Errorf("%w: input %q has %d cells, the model wants %d", tensor.ErrInput, in.Name, len(inputs[i]), want)
		}
		for k, v := range inputs[i] {
			if int64(v) < in.Lo || int64(v) > in.Hi {
				return fmt.Errorf("%w: input %q: cell %d is %d, the model takes %d to %d", tensor.ErrRange, in.Name, k, v, in.Lo, in.Hi)
			}
		}
	}
	return nil
}

// ProveCells executes a program on cells, proves that, and verifies the proof from its bytes.
func (l *Line) ProveCells(ctx context.Context, p *Program, x *Executor, inputs [][]int32, job prover.Job) (*Proven, error) {
	if err := CheckJob(job); err != nil {
		return nil, err
	}
	if err := CheckCells(p.Model.Graph, inputs); err != nil {
		return nil, err
	}
	out := &Outcome{}
	result, err := l.prove(ctx, p, x, inputs, job, &out.Took)
	if err != nil {
		return nil, err
	}
	out.Proof = verify.NewFile(result.Statement, result.Proof).Encode()
	if _, err := verifyFile(p.Model, out.Proof, inputs); err != nil {
		return nil, &Fault{StageVerify, fmt.Errorf("own proof: %w", err)}
	}
	return &Proven{graph.UnpackCells(result.Statement.Outputs), out.Proof, out.Took}, nil
}

// Execute runs a program on cells without a proof.
func (l *Line) Execute(ctx context.Context, p *Program, x *Executor, inputs [][]int32) (*Proven, error) {
	if err := CheckCells(p.Model.Graph, inputs); err != nil {
		return nil, err
	}
	trace, err := x.run(ctx, p, inputs)
	if err != nil {
		return nil, &Fault{StageExecute, err}
	}
	outputs, err := model.OutputCells(p.Model.Graph, p.Model.System().Info, trace)
	if err != nil {
		return nil, &Fault{StageExecute, err}
	}
	return &Proven{Outputs: outputs}, nil
}
