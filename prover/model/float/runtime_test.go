package float

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	runtime "github.com/weisyn/wes/gpu/onnx"
	"github.com/weisyn/wes/gpu/worker"
	"github.com/weisyn/wes/prover/model/onnx"
)

// TestMain lets this test program be the child of the client it opens.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "worker" {
		if err := worker.Serve(context.Background(), os.Args[2], runtime.Methods()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// openRuntime starts ONNX Runtime for a test, or skips the test where there is none.
func openRuntime(t *testing.T) *runtime.Client {
	t.Helper()
	c, err := runtime.Open(t.Context(), runtime.Options{})
	if errors.Is(err, runtime.ErrUnavailable) {
		t.Skipf("needs ONNX Runtime and cgo: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// onRuntime runs a model with an input x and outputs l and p, float32 all.
func onRuntime(t *testing.T, c *runtime.Client, m *onnx.Model, x Tensor, shapes ...[]int) [][]float32 {
	t.Helper()
	data, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	var out []runtime.Value
	for i, s := range shapes {
		out = append(out, runtime.Value{Name: m.Graph.Outputs[i].Name, Shape: s})
	}
	session, err := c.Load(t.Context(), data, []runtime.Value{{Name: "x", Shape: x.Shape}}, out)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close(t.Context())
	var feed []byte
	for _, v := range x.Data {
		feed = binary.LittleEndian.AppendUint32(feed, math.Float32bits(v))
	}
	got, err := session.Run(t.Context(), [][]byte{feed})
	if err != nil {
		t.Fatal(err)
	}
	results := make([][]float32, len(got))
	for i, data := range got {
		for ; len(data) > 0; data = data[4:] {
			results[i] = append(results[i], math.Float32frombits(binary.LittleEndian.Uint32(data)))
		}
	}
	return results
}

// TestONNXRuntimeAgreesAboutTrees: labels, and results up to the order of float32 sums.
func TestONNXRuntimeAgreesAboutTrees(t *testing.T) {
	c := openRuntime(t)
	logistic := aString("post_transform", "LOGISTIC")
	for name, k := range map[string]struct {
		s      ensembleShape
		labels int
		more   []onnx.Attribute
	}{
		"three classes":       {ensembleShape{7, 5, 4, 3, allModes, positive}, 3, nil},
		"three and bases":     {ensembleShape{7, 5, 4, 3, allModes, signed}, 3, []onnx.Attribute{aFloats("base_values", 0.5, -0.5, 1)}},
		"three, softmax":      {ensembleShape{7, 5, 4, 3, allModes, signed}, 3, []onnx.Attribute{aString("post_transform", "SOFTMAX")}},
		"three, logistic":     {ensembleShape{7, 5, 4, 3, allModes, signed}, 3, []onnx.Attribute{logistic}},
		"one score":           {ensembleShape{7, 5, 4, 1, allModes, signed}, 2, []onnx.Attribute{logistic}},
		"one score, one base": {ensembleShape{7, 5, 4, 1, allModes, signed}, 2, []onnx.Attribute{logistic, aFloats("base_values", -0.75)}},
		"one probability":     {ensembleShape{5, 5, 4, 1, allModes, func(r *rand.Rand) float32 { return r.Float32() / 5 }}, 2, nil},
		"regression":          {ensembleShape{7, 5, 4, 2, allModes, signed}, 0, []onnx.Attribute{aFloats("base_values", 1, 2)}},
		"average":             {ensembleShape{7, 5, 4, 2, allModes, signed}, 0, []onnx.Attribute{aFloats("base_values", 1, 2), aString("aggregate_function", "AVERAGE")}},
		"one target":          {ensembleShape{7, 5, 4, 1, allModes, signed}, 0, []onnx.Attribute{aFloats("base_values", 3)}},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(6) {
				r := rand.New(rand.NewPCG(seed, 7))
				l, x := k.s.random(r), cells(r, 30, 4)
				b := forest(30, 4)
				shapes := [][]int{{30, k.s.targets}}
				if k.labels == 0 {
					b = b.node(treeRegressor, "x -> p", l.attrs("target", append(k.more, aInt("n_targets", k.s.targets))...)...).output("p")
				} else {
					labels := make([]int64, k.labels)
					for i := range labels {
						labels[i] = int64(i) // ONNX Runtime's own numbers of two classes are these
					}
					b = b.node(treeClassifier, "x -> l p", l.attrs("class", append(k.more, aInts("classlabels_int64s", labels...))...)...)
					b = b.node("Cast", "l -> f", aInt("to", 1)).output("f", "p")
					shapes = [][]int{{30}, {30, k.labels}}
				}
				want := onRuntime(t, c, &b.m, x, shapes...)
				own := b
				if k.labels > 0 { // a label is no number that a graph computes with
					own = &build{m: b.m}
					own.m.Graph.Nodes = b.m.Graph.Nodes[:1]
					own.m.Graph.Outputs = []onnx.ValueInfo{{Name: "l"}, {Name: "p"}}
				}
				for i, got := range outputs(t, own.graph(t, Options{}), x) {
					for j, v := range got.Data {
						if d := math.Abs(float64(v - want[i][j])); !(d <= 1e-5) {
							t.Fatalf("seed %d: output %d, cell %d is %v, want %v", seed, i, j, v, want[i][j])
						}
					}
				}
			}
		})
	}
}
