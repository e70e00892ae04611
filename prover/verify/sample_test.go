package verify_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/weisyn/wes/prover"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/interpret"
	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/verify"
)

// sample is an honest proof with what it takes to verify it.
type sample struct {
	model     *verify.Model
	statement *verify.Statement
	proof     *verify.Proof
}

// file is the sample's proof file.
func (s *sample) file() []byte { return verify.NewFile(s.statement, s.proof).Encode() }

// verifyFile is what a verifier does with bytes from a stranger, at once and step by step: the
// verdicts are the same.
func verifyFile(tb testing.TB, m *verify.Model, inputs [][]int32, data []byte) error {
	tb.Helper()
	_, atOnce := verify.VerifyFile(data, m, inputs)
	inSteps := func() error {
		f, err := verify.DecodeFile(data, m)
		if err != nil {
			return err
		}
		s, err := f.Statement(inputs)
		if err != nil {
			return err
		}
		return verify.Verify(m, s, f.Proof)
	}()
	if fmt.Sprint(atOnce) != fmt.Sprint(inSteps) || errors.Is(atOnce, verify.ErrProof) != errors.Is(inSteps, verify.ErrProof) {
		tb.Errorf("at once %v, in steps %v", atOnce, inSteps)
	}
	return atOnce
}

func prove(tb testing.TB, g *graph.Graph, w graph.Weights, kind transcript.Kind, inputs ...[]int32) *sample {
	tb.Helper()
	ctx := context.Background()
	p, err := prover.Prepare(ctx, g, w, kind, []byte(`{"report":1}`), prover.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	trace, err := interpret.Run(ctx, g, p.Model.System().Info, w, inputs)
	if err != nil {
		tb.Fatal(err)
	}
	r, err := prover.Prove(ctx, p, prover.Job{ID: "job", Payee: "payee", Chain: "chain"}, trace, prover.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	if err := verify.Verify(p.Model, r.Statement, r.Proof); err != nil {
		tb.Fatal(err)
	}
	return &sample{p.Model, r.Statement, r.Proof}
}

func matmul(weight, axis, in, out int) graph.Term {
	return graph.Term{Conv: &graph.Conv{Weight: weight, Channel: axis, InChannels: in, OutChannels: out, Groups: 1}}
}

func relu(lo, hi int64) graph.Table {
	values := make([]int32, hi-lo+1)
	for i := range values {
		values[i] = int32(max(0, lo+int64(i)))
	}
	return graph.NewTable(lo, values)
}

// tiny has the smallest proof that has every field: a layer and a revealed product.
func tiny(tb testing.TB) *sample {
	tb.Helper()
	g := &graph.Graph{
		Tables: []graph.Table{relu(-3, 3)},
		Nodes: []graph.Node{
			{Name: "x", Op: &graph.Input{Name: "x", Shape: []int{1, 2}, Lo: -3, Hi: 3, Scale: 1}},
			{Name: "a", Inputs: []int{0}, Op: &graph.Rescale{
				Shift: []int{1},
				Acc:   graph.Accumulator{Channel: 1, Lo: -6, Hi: 6, Terms: []graph.Term{matmul(0, 1, 2, 2)}},
			}},
			{Name: "y", Inputs: []int{1}, Op: &graph.Reveal{
				Acc: graph.Accumulator{Channel: 1, Lo: -100, Hi: 100, Terms: []graph.Term{matmul(1, 1, 2, 2)}},
			}},
		},
		Outputs: []graph.Output{{Name: "y", Tensor: 2, Shape: []int{1, 2}, Scale: 1}},
	}
	return prove(tb, g, graph.Weights{{1, 1, 1, -1}, {2, 1, -1, 3}}, transcript.SHA256, []int32{3, 2})
}

// wide has two inputs, a residual branch, a grouped convolution, a maximum, views, and
// revealed and committed outputs.
func wide(tb testing.TB, kind transcript.Kind) *sample {
	tb.Helper()
	grouped := &graph.Conv{
		Weight: 1, Channel: 1, InChannels: 2, OutChannels: 2, Groups: 2,
		Spatial: []graph.Window{{Axis: 2, Kernel: 3, Stride: 1, Dilation: 1, Pad: 1, Out: 3}},
	}
	g := &graph.Graph{
		Tables: []graph.Table{relu(-40, 40), relu(-60, 60)},
		Nodes: []graph.Node{
			{Name: "x", Op: &graph.Input{Name: "x", Shape: []int{1, 2, 3}, Lo: -5, Hi: 5, Scale: 1}},
			{Name: "z", Op: &graph.Input{Name: "z", Shape: []int{1, 2, 3}, Lo: 0, Hi: 5, Scale: 1}},
			{Name: "a", Inputs: []int{0, 1}, Op: &graph.Rescale{
				Shift: []int{1, 2},
				Acc: graph.Accumulator{
					Channel: 1, Lo: -70, Hi: 70, Bias: graph.Constant{Shape: []int{1, 2, 1}, Data: []int64{1, -2}},
					Terms: []graph.Term{matmul(0, 1, 2, 2), {Mult: 3}},
				},
			}},
			{Name: "g", Inputs: []int{2}, Op: &graph.Rescale{
				Shift: []int{2}, Table: 1,
				Acc: graph.Accumulator{Channel: 1, Lo: -200, Hi: 200, Terms: []graph.Term{{Conv: grouped}}},
			}},
			{Name: "r", Inputs: []int{3}, Op: &graph.Slice{Axis: 2, Start: 2, Step: -1, Len: 3}},
			{Name: "m", Inputs: []int{3, 4}, Op: &graph.Max{Channel: 1}},
			{Name: "t", Inputs: []int{5}, Op: &graph.Transpose{Perm: []int{0, 2, 1}}},
			{Name: "y", Inputs: []int{6}, Op: &graph.Reveal{
				Acc: graph.Accumulator{Channel: 2, Lo: -1000, Hi: 1000, Terms: []graph.Term{matmul(2, 2, 2, 2)}},
			}},
		},
		Outputs: []graph.Output{
			{Name: "y", Tensor: 7, Shape: []int{1, 3, 2}, Scale: 1},
			{Name: "t", Tensor: 6, Shape: []int{6}, Scale: 1},
		},
	}
	w := graph.Weights{{1, 2, -1, 3}, {1, -1, 1, 1, 1, -1}, {2, 1, -1, 3}}
	return prove(tb, g, w, kind, []int32{5, 4, -3, 2, 1, 5}, []int32{1, 2, 3, 4, 5, 0})
}

// pair multiplies two tensors, and the result with one of them, and convolves nothing.
func pair(tb testing.TB) *sample {
	tb.Helper()
	input := func(name string, shape ...int) graph.Node {
		return graph.Node{Name: name, Op: &graph.Input{Name: name, Shape: shape, Lo: -3, Hi: 3, Scale: 1}}
	}
	g := &graph.Graph{
		Tables: []graph.Table{relu(-60, 60)},
		Nodes: []graph.Node{
			input("x", 2, 3), input("z", 2, 3),
			{Name: "a", Inputs: []int{0, 1}, Op: &graph.Rescale{Shift: []int{1}, Acc: graph.Accumulator{
				Channel: 1, Lo: -27, Hi: 27,
				Terms: []graph.Term{{Mult: 1, Product: &graph.Product{Left: []int{0, graph.Contracted}, Right: []int{1, graph.Contracted}, Length: 3}}},
			}}},
			{Name: "y", Inputs: []int{2, 0}, Op: &graph.Reveal{Acc: graph.Accumulator{
				Channel: 1, Lo: -400, Hi: 400,
				Terms: []graph.Term{{Mult: -1, Product: &graph.Product{Left: []int{0, graph.Contracted}, Right: []int{graph.Contracted, 1}, Length: 2}}},
			}}},
		},
		Outputs: []graph.Output{{Name: "y", Tensor: 3, Shape: []int{2, 3}, Scale: 1}},
	}
	return prove(tb, g, nil, transcript.SHA256, []int32{3, 2, -1, 1, 2, 3}, []int32{2, 1, 1, 3, 1, 2})
}

// wantCheck requires a rejection by one of the checks.
func wantCheck(tb testing.TB, err error, checks ...verify.Check) {
	tb.Helper()
	var r *verify.Rejection
	if !errors.As(err, &r) || !slices.Contains(checks, r.Check) {
		tb.Errorf("got %v, want a rejection by %q", err, checks)
	}
}
