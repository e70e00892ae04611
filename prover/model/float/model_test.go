package float

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/weisyn/wes/prover/model/onnx"
)

func modelDir() string { return filepath.Join("..", "..", "..", "testdata", "models") }

func readModel(t testing.TB, name string) *onnx.Model {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(modelDir(), name+".onnx"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := onnx.Parse(b, onnx.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func readJSON(t testing.TB, name string, into any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(modelDir(), name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}

type jsonTensor struct {
	Shape []int     `json:"shape"`
	Data  []float32 `json:"data"`
}

func TestRealModelsGiveTheExpectedOutput(t *testing.T) {
	for _, name := range []string{"iris_mlp", "digits_mlp", "digits_lenet", "lenet5_28", "bert_tiny", "gpt2_small"} {
		t.Run(name, func(t *testing.T) { checkModel(t, name) })
	}
}

func checkModel(t *testing.T, name string) {
	var body struct{ Inputs []jsonTensor }
	var want struct{ Output jsonTensor }
	readJSON(t, name+".input.json", &body)
	readJSON(t, name+".expected.json", &want)
	in := Tensor(body.Inputs[0])
	g, err := Import(readModel(t, name), Options{Batch: in.Shape[0]})
	if err != nil {
		t.Fatal(err)
	}
	out, err := Outputs(context.Background(), g, []Tensor{in})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) != 1 || !slices.Equal(out[0].Shape, want.Output.Shape) {
		t.Fatalf("shape %v, want %v", out[0].Shape, want.Output.Shape)
	}
	worst := 0.0
	for i, v := range out[0].Data {
		w := want.Output.Data[i]
		worst = max(worst, math.Abs(float64(v-w))/max(1, math.Abs(float64(w))))
	}
	t.Logf("%d nodes, %d MACs, %d params, largest difference %.2g", len(g.Nodes), g.MACs(), g.Params(), worst)
	if worst > 1e-4 {
		t.Fatalf("largest difference %v", worst)
	}
}
