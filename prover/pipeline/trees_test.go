package pipeline

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/weisyn/wes/prover/model/onnx"
	"github.com/weisyn/wes/prover/model/tensor"
	"github.com/weisyn/wes/prover/transcript"
)

// forestFile is a classifier of four classes whose trees have all branches down to a depth, with a product
// behind it if layer is set.
func forestFile(tb testing.TB, trees, depth, features, rows int, layer bool) []byte {
	tb.Helper()
	const classes = 4
	r := rand.New(rand.NewPCG(uint64(trees), uint64(depth)))
	ints, lists := map[string][]int64{}, map[string][]float32{}
	add := func(list string, v ...int) {
		for _, x := range v {
			ints[list] = append(ints[list], int64(x))
		}
	}
	var modes []string
	for t := range trees {
		for n := range 2<<depth - 1 {
			leaf := n >= 1<<depth-1
			add("nodes_treeids", t)
			add("nodes_nodeids", n)
			if leaf {
				modes = append(modes, "LEAF")
				for k := range classes {
					add("class_treeids", t)
					add("class_nodeids", n)
					add("class_ids", k)
					lists["class_weights"] = append(lists["class_weights"], r.Float32()/float32(trees))
				}
				add("nodes_featureids", 0)
				add("nodes_truenodeids", 0)
				add("nodes_falsenodeids", 0)
				lists["nodes_values"] = append(lists["nodes_values"], 0)
				continue
			}
			modes = append(modes, "BRANCH_LEQ")
			add("nodes_featureids", r.IntN(features))
			add("nodes_truenodeids", 2*n+1)
			add("nodes_falsenodeids", 2*n+2)
			lists["nodes_values"] = append(lists["nodes_values"], float32(r.NormFloat64()))
		}
	}
	attrs := []onnx.Attribute{
		{Name: "nodes_modes", Type: onnx.AttrStrings, Strings: modes},
		{Name: "classlabels_int64s", Type: onnx.AttrInts, Ints: []int64{0, 1, 2, 3}},
	}
	for name, v := range ints {
		attrs = append(attrs, onnx.Attribute{Name: name, Type: onnx.AttrInts, Ints: v})
	}
	for name, v := range lists {
		attrs = append(attrs, onnx.Attribute{Name: name, Type: onnx.AttrFloats, Floats: v})
	}
	info := func(name string, typ onnx.DataType, dims ...int) onnx.ValueInfo {
		v := onnx.ValueInfo{Name: name, Type: typ, HasShape: true}
		for _, d := range dims {
			v.Dims = append(v.Dims, onnx.Dim{Value: int64(d), Known: true})
		}
		return v
	}
	g := onnx.Graph{
		Name:    "forest",
		Inputs:  []onnx.ValueInfo{info("x", onnx.Float32, rows, features)},
		Outputs: []onnx.ValueInfo{info("label", onnx.Int64, rows), info("p", onnx.Float32, rows, classes)},
		Nodes:   []onnx.Node{{Name: "forest", Op: "TreeEnsembleClassifier", Domain: onnx.DomainML, Inputs: []string{"x"}, Outputs: []string{"label", "p"}, Attrs: attrs}},
	}
	if layer {
		w := onnx.Tensor{Name: "w", Type: onnx.Float32, Dims: []int64{classes, 2}, Floats: []float32{1, -1, 2, 0.5, 0.25, 3, -2, 1}}
		g.Initializers = append(g.Initializers, w)
		g.Nodes = append(g.Nodes, onnx.Node{Name: "layer", Op: "MatMul", Inputs: []string{"p", "w"}, Outputs: []string{"y"}})
		g.Outputs = append(g.Outputs, info("y", onnx.Float32, rows, 2))
	}
	m := onnx.Model{IRVersion: 8, Opsets: []onnx.Opset{{Version: 13}, {Domain: onnx.DomainML, Version: 3}}, Graph: g}
	data, err := m.Marshal()
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// rowsOf are normal numbers.
func rowsOf(rows, features int) tensor.Tensor {
	x := tensor.Tensor{Name: "x", Shape: []int{rows, features}, Data: make([]float64, rows*features)}
	r := rand.New(rand.NewPCG(5, 6))
	for i := range x.Data {
		x.Data[i] = float64(float32(r.NormFloat64()))
	}
	return x
}

// TestForestsProveAndVerify alone, which no runtime is started for, and with a layer behind them.
func TestForestsProveAndVerify(t *testing.T) {
	for _, layer := range []bool{false, true} {
		s := Source{ONNX: forestFile(t, 9, 4, 5, 8, layer), Inputs: []tensor.Tensor{rowsOf(8, 5)}, Transcript: transcript.SHA256}
		o, r := run(t, new(Line), s, EngineInterpreter)
		if _, err := Verify(Claim{Model: o.Model, Proof: o.Proof, Inputs: s.Inputs, Output: o.Outputs}); err != nil {
			t.Fatal(err)
		}
		if r.Top1 != 1 {
			t.Errorf("top answers agree in %v of the lines", r.Top1)
		}
		o.Outputs[1].Data[7] += 1e-3
		if _, err := Verify(Claim{Model: o.Model, Proof: o.Proof, Inputs: s.Inputs, Output: o.Outputs}); err == nil {
			t.Error("a changed output is accepted")
		}
		cause := errors.New("out of steam")
		_, r, err := (&Line{Runtime: broken{open: cause}}).Run(t.Context(), s, EngineONNXRuntime, Request{Inputs: s.Inputs})
		switch {
		case layer && !errors.Is(err, cause):
			t.Errorf("got %v", err)
		case !layer && (err != nil || r.Engine != EngineInterpreter || !strings.Contains(r.EngineReason, "no part")):
			t.Errorf("%+v, %v", r, err)
		}
	}
}

// BenchmarkForest proves 100 trees of depth 8 over 64 rows of 30 features, and tells what its parts take.
func BenchmarkForest(b *testing.B) {
	s := Source{ONNX: forestFile(b, 100, 8, 30, 64, false), Inputs: []tensor.Tensor{rowsOf(64, 30)}, Transcript: transcript.SHA256}
	line := new(Line)
	p, err := line.Prepare(b.Context(), s)
	if err != nil {
		b.Fatal(err)
	}
	x, err := line.Attach(b.Context(), p, EngineInterpreter)
	if err != nil {
		b.Fatal(err)
	}
	var o *Outcome
	var took, execute, load, verify time.Duration
	for b.Loop() {
		if o, err = line.Prove(b.Context(), p, x, Request{Inputs: s.Inputs}); err != nil {
			b.Fatal(err)
		}
		took, execute, load, verify = took+o.Took.Prove, execute+o.Took.Execute, load+o.Took.Load, verify+o.Took.Verify
	}
	for unit, d := range map[string]time.Duration{"prove-µs": took, "execute-µs": execute, "load-µs": load, "verify-µs": verify} {
		b.ReportMetric(float64(d.Microseconds())/float64(b.N), unit)
	}
	b.ReportMetric(float64(len(o.Proof)), "proof-bytes")
	b.ReportMetric(float64(len(o.Model)), "model-bytes")
	b.Logf("%d parameters, %d steps", p.Summary.Params, p.Model.System().Effort.Steps)
}
