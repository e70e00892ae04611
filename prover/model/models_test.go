package model

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
	"github.com/weisyn/wes/prover/model/onnx"
	"github.com/weisyn/wes/prover/model/tensor"
)

const models = "../../testdata/models"

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(models, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// load lowers a model of the test data on its own inputs.
func load(t testing.TB, name string, batch int) (*float.Graph, *Lowered) {
	t.Helper()
	m, err := onnx.Parse(read(t, name+".onnx"), onnx.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	fg, err := float.Import(m, float.Options{Batch: batch})
	if err != nil {
		t.Fatal(err)
	}
	in, err := tensor.ParseJSON(read(t, name+".input.json"))
	if err != nil {
		t.Fatal(err)
	}
	samples, err := Samples(fg, in)
	if err != nil {
		t.Fatal(err)
	}
	low, err := Lower(context.Background(), fg, samples, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return fg, low
}

func TestModelsAgreeWithTheirExpectedOutputs(t *testing.T) {
	for name, batch := range map[string]int{"iris_mlp": 16, "digits_mlp": 16, "digits_lenet": 16, "lenet5_28": 1, "resnet20_cifar": 1} {
		t.Run(name, func(t *testing.T) {
			fg, low := load(t, name, batch)
			var want struct{ Output struct{ Data []float32 } }
			if err := json.Unmarshal(read(t, name+".expected.json"), &want); err != nil {
				t.Fatal(err)
			}
			in, _ := tensor.ParseJSON(read(t, name+".input.json"))
			samples, _ := Samples(fg, in)
			got, clamped, err := low.run(context.Background(), samples[0])
			if err != nil || clamped > 0 {
				t.Fatal(err, clamped)
			}
			var c comparison
			c.add(&low.Graph.Outputs[0], got[0], want.Output.Data)
			a := c.accuracy(name)
			if a.Top1 != a.Lines || a.Cosine < 0.9999 || a.MaxAbs > 0.03*a.Largest {
				t.Errorf("%+v", a)
			}
			if a.MaxAbs > low.Report.Outputs[0].MaxAbs+1e-4 {
				t.Errorf("off by %g, the report says %g", a.MaxAbs, low.Report.Outputs[0].MaxAbs)
			}
		})
	}
}

// TestLinearModelsGiveTheSameLabels: of all samples, with features that differ by orders of magnitude.
func TestLinearModelsGiveTheSameLabels(t *testing.T) {
	fg, low := load(t, "breast_cancer_logreg", 143)
	var want struct {
		Label  []float64
		Output struct{ Data []float64 }
	}
	if err := json.Unmarshal(read(t, "breast_cancer_logreg.expected.json"), &want); err != nil {
		t.Fatal(err)
	}
	in, _ := tensor.ParseJSON(read(t, "breast_cancer_logreg.input.json"))
	samples, err := Samples(fg, in)
	if err != nil {
		t.Fatal(err)
	}
	cells, clamped, err := low.run(t.Context(), samples[0])
	if err != nil || clamped > 0 {
		t.Fatal(err, clamped)
	}
	for i := range low.Graph.Outputs {
		o := &low.Graph.Outputs[i]
		got, err := tensor.Dequantize(o, cells[i])
		if err != nil {
			t.Fatal(err)
		}
		if o.Name == "label" && (got.Datatype != "INT64" || !slices.Equal(got.Data, want.Label)) {
			t.Errorf("labels %v, want %v", got.Data, want.Label)
		}
		for k := range got.Data {
			if o.Name != "label" && math.Abs(got.Data[k]-want.Output.Data[k]) > 0.001 {
				t.Errorf("probability %d is %g, want %g", k, got.Data[k], want.Output.Data[k])
			}
		}
	}
	if a := low.Report.Outputs[0]; a.Top1 != a.Lines || fg.Outputs[0].Name != "label" {
		t.Errorf("%+v", a)
	}
}

func TestDigitsKeepTheirAccuracy(t *testing.T) {
	data := read(t, "digits_test.json")
	var labels struct{ Labels []int }
	if err := json.Unmarshal(data, &labels); err != nil {
		t.Fatal(err)
	}
	test, err := tensor.ParseJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	images := len(labels.Labels)
	for _, name := range []string{"digits_mlp", "digits_lenet"} {
		t.Run(name, func(t *testing.T) {
			fg, low := load(t, name, 16)
			test[0].Shape = append([]int{images}, fg.Inputs[0].Shape[1:]...)
			samples, err := Samples(fg, test)
			if err != nil {
				t.Fatal(err)
			}
			var floatRight, integerRight int
			for i, s := range samples {
				want, err := float.Outputs(context.Background(), fg, s)
				if err != nil {
					t.Fatal(err)
				}
				got, _, err := low.run(context.Background(), s)
				if err != nil {
					t.Fatal(err)
				}
				for k := range min(16, images-16*i) {
					label := labels.Labels[16*i+k]
					if best(10, func(c int) float64 { return float64(want[0].Data[10*k+c]) }) == label {
						floatRight++
					}
					if best(10, func(c int) float64 { return float64(got[0][10*k+c]) }) == label {
						integerRight++
					}
				}
			}
			t.Logf("%d of %d right, %d in float", integerRight, images, floatRight)
			if d := float64(integerRight-floatRight) / float64(images); d < -0.005 || integerRight < images*9/10 {
				t.Errorf("the integer graph is worse by %g", -d)
			}
		})
	}
}

func TestFlattenedLenetMergesNoAxes(t *testing.T) {
	_, low := load(t, "lenet5_28", 1)
	if n := count[*graph.Reshape](low); n != 0 {
		t.Errorf("%d reshapes", n)
	}
}

func BenchmarkLowerDigitsLenet(b *testing.B) {
	for b.Loop() {
		load(b, "digits_lenet", 16)
	}
}
