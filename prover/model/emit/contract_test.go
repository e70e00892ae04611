package emit_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/weisyn/wes/gpu/onnx"
	"github.com/weisyn/wes/gpu/worker"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/emit"
	"github.com/weisyn/wes/prover/model/interpret"
	"github.com/weisyn/wes/prover/model/interpret/graphtest"
)

// TestMain lets this test program be the child of the clients it opens.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "worker" {
		if err := worker.Serve(context.Background(), os.Args[2], onnx.Methods()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// tryOpen starts ONNX Runtime; the client is nil where there is none.
func tryOpen(t testing.TB) *onnx.Client {
	t.Helper()
	c, err := onnx.Open(t.Context(), onnx.Options{})
	if errors.Is(err, onnx.ErrUnavailable) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func open(t testing.TB) *onnx.Client {
	t.Helper()
	c := tryOpen(t)
	if c == nil {
		_, err := onnx.Locate()
		t.Skipf("needs ONNX Runtime and cgo: %v", err)
	}
	return c
}

// load gives a program to a client.
func load(ctx context.Context, c *onnx.Client, p *emit.Program) (*onnx.Session, error) {
	form := func(values []emit.Value) (form []onnx.Value) {
		for _, v := range values {
			form = append(form, onnx.Value{Name: v.Name, Double: v.Double, Shape: v.Shape})
		}
		return form
	}
	return c.Load(ctx, p.Model, form(p.Inputs), form(p.Outputs))
}

// TestONNXRuntimeAgreesWithTheInterpreter is the contract of executors: the same trace, bit
// for bit, in both modes.
func TestONNXRuntimeAgreesWithTheInterpreter(t *testing.T) {
	c := open(t)
	operators := map[string]int{}
	for seed := range uint64(200) {
		k := graphtest.Random(seed)
		switch {
		case seed >= 180:
			k = graphtest.RandomTrees(seed)
		case seed >= 140:
			k = graphtest.RandomIds(seed)
		case seed >= 100:
			k = graphtest.RandomProduct(seed)
		}
		want, err := interpret.Run(t.Context(), k.Graph, k.Info, k.Weights, k.Inputs)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, mode := range []emit.Mode{emit.NativeConv, emit.PatchConv} {
			p, err := emit.Emit(k.Graph, k.Info, k.Weights, mode)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if err := agree(t.Context(), c, p, k, want); err != nil {
				t.Fatalf("seed %d, mode %d: %v", seed, mode, err)
			}
		}
		for _, n := range k.Graph.Nodes {
			operators[graph.KindName(n.Op)]++
		}
	}
	t.Log(operators)
}

// agree runs a program and compares every cell of the trace.
func agree(ctx context.Context, c *onnx.Client, p *emit.Program, k *graphtest.Case, want *graph.Trace) error {
	s, err := load(ctx, c, p)
	if err != nil {
		return err
	}
	defer s.Close(ctx)
	got, err := emit.Run(ctx, s, p, k.Inputs)
	if err != nil {
		return err
	}
	for t := range want.Values {
		name := graph.KindName(k.Graph.Nodes[t].Op)
		if !slices.Equal(got.Values[t], want.Values[t]) || (got.Values[t] == nil) != (want.Values[t] == nil) {
			return fmt.Errorf("values of tensor %d (%s) are %v, want %v", t, name, got.Values[t], want.Values[t])
		}
		if !slices.Equal(got.Accs[t], want.Accs[t]) || (got.Accs[t] == nil) != (want.Accs[t] == nil) {
			return fmt.Errorf("accumulators of tensor %d (%s) are %v, want %v", t, name, got.Accs[t], want.Accs[t])
		}
	}
	return nil
}
