package float

import (
	"math"
	"slices"
	"testing"

	"github.com/weisyn/wes/prover/model/onnx"
)

func ml() *build {
	b := newBuild(13)
	b.m.Opsets = append(b.m.Opsets, onnx.Opset{Domain: onnx.DomainML, Version: 3})
	return b.input("x", 2, 3)
}

func aFloats(name string, v ...float32) onnx.Attribute {
	return onnx.Attribute{Name: name, Type: onnx.AttrFloats, Floats: v}
}

func labelled(v ...int64) onnx.Attribute {
	return onnx.Attribute{Name: "classlabels_ints", Type: onnx.AttrInts, Ints: v}
}

var rows = Tensor{Shape: []int{2, 3}, Data: []float32{1, 2, 3, -1, 0.5, 0}}

// near compares with what was computed by hand.
func near(t *testing.T, g *Graph, want ...[]float32) {
	t.Helper()
	got, err := Outputs(t.Context(), g, []Tensor{rows})
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d outputs, %v", len(got), err)
	}
	for i := range want {
		if len(got[i].Data) != len(want[i]) {
			t.Fatalf("output %d is %v, want %v", i, got[i].Data, want[i])
		}
		for k, v := range want[i] {
			if math.Abs(float64(got[i].Data[k]-v)) > 1e-6 {
				t.Errorf("output %d is %v, want %v", i, got[i].Data, want[i])
			}
		}
	}
}

func TestLinearRegressor(t *testing.T) {
	g := ml().node("ai.onnx.ml.LinearRegressor", "x -> y", aInt("targets", 2),
		aFloats("coefficients", 1, 0, 0, 1, 1, -1), aFloats("intercepts", 0.5, 0)).output("y").graph(t, Options{})
	near(t, g, []float32{1.5, 0, -0.5, -0.5})
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func TestLinearClassifier(t *testing.T) {
	weights := []onnx.Attribute{labelled(7, 3), aFloats("coefficients", 1, 0, 0, 0, 1, 0), aFloats("intercepts", 0, 0)}
	for post, p := range map[string]func(a, b float64) (float64, float64){
		"NONE":     func(a, b float64) (float64, float64) { return a, b },
		"LOGISTIC": func(a, b float64) (float64, float64) { return sigmoid(a), sigmoid(b) },
		"SOFTMAX":  func(a, b float64) (float64, float64) { return sigmoid(a - b), sigmoid(b - a) },
	} {
		g := ml().node("ai.onnx.ml.LinearClassifier", "x -> l p", append(weights, aString("post_transform", post))...).output("l", "p").graph(t, Options{})
		a, b := p(1, 2)
		c, d := p(-1, 0.5)
		near(t, g, []float32{3, 3}, []float32{float32(a), float32(b), float32(c), float32(d)})
		if g.Outputs[0].Type != onnx.Int64 || g.Outputs[1].Type != onnx.Float32 {
			t.Errorf("%+v", g.Outputs)
		}
	}
}

// TestNormalizerMakesProbabilities of one score for two classes: those of the scores s and −s.
func TestNormalizerMakesProbabilities(t *testing.T) {
	g := ml().node("ai.onnx.ml.LinearClassifier", "x -> l p", labelled(0, 1), aFloats("coefficients", 1, 0, 0), aString("post_transform", "LOGISTIC")).
		node("ai.onnx.ml.Normalizer", "p -> q", aString("norm", "L1")).output("l", "q").graph(t, Options{})
	p := float32(sigmoid(1))
	near(t, g, []float32{1, 0}, []float32{1 - p, p, p, 1 - p})
}

// TestScalerIsPartOfTheModel: no node is left of it.
func TestScalerIsPartOfTheModel(t *testing.T) {
	g := ml().node("ai.onnx.ml.Scaler", "x -> s", aFloats("offset", 1, 2, 3), aFloats("scale", 2)).
		node("ai.onnx.ml.LinearRegressor", "s -> y", aFloats("coefficients", 1, 10, 100), aFloats("intercepts", 1)).output("y").graph(t, Options{})
	near(t, g, []float32{1, 1 + 2*(-2-15-300)})
	if len(g.Nodes) != 1 {
		t.Errorf("%d nodes", len(g.Nodes))
	}
}

func TestLinearModelsThatAreRefused(t *testing.T) {
	classes, w := labelled(0, 1), aFloats("coefficients", 1, 2, 3, 4, 5, 6)
	strings := onnx.Attribute{Name: "classlabels_strings", Type: onnx.AttrStrings, Strings: []string{"a", "b"}}
	for want, b := range map[string]*build{
		"labels are strings: number the classes":                        ml().node("ai.onnx.ml.LinearClassifier", "x -> l p", strings, w).output("l"),
		"it has no labels":                                              ml().node("ai.onnx.ml.LinearClassifier", "x -> l p", w).output("l"),
		"label 5 occurs twice":                                          ml().node("ai.onnx.ml.LinearClassifier", "x -> l p", labelled(5, 5), w).output("l"),
		"label 1073741824 exceeds 24 bits":                              ml().node("ai.onnx.ml.LinearClassifier", "x -> l p", labelled(5, 1<<30), w).output("l"),
		"post_transform PROBIT is not supported":                        ml().node("ai.onnx.ml.LinearClassifier", "x -> l p", classes, w, aString("post_transform", "PROBIT")).output("p"),
		"2 scores for 3 classes":                                        ml().node("ai.onnx.ml.LinearClassifier", "x -> l p", labelled(0, 1, 2), w).output("l"),
		"one score for two classes and post_transform NONE":             ml().node("ai.onnx.ml.LinearClassifier", "x -> l p", classes, aFloats("coefficients", 1, 2, 3)).output("l"),
		"5 coefficients for 3 features":                                 ml().node("ai.onnx.ml.LinearRegressor", "x -> y", aFloats("coefficients", 1, 2, 3, 4, 5)).output("y"),
		"1 intercepts for 2 scores":                                     ml().node("ai.onnx.ml.LinearRegressor", "x -> y", w, aInt("targets", 2), aFloats("intercepts", 1)).output("y"),
		"coefficients of 2 targets, not 1":                              ml().node("ai.onnx.ml.LinearRegressor", "x -> y", w).output("y"),
		"norm L2 is not supported":                                      ml().node("ai.onnx.ml.Normalizer", "x -> y", aString("norm", "L2")).output("y"),
		"it is supported only behind the probabilities of a classifier": ml().node("ai.onnx.ml.Normalizer", "x -> y", aString("norm", "L1")).output("y"),
		"attribute \"scale\" has 2 numbers for 3 features":              ml().node("ai.onnx.ml.Scaler", "x -> y", aFloats("offset", 1), aFloats("scale", 1, 2)).output("y"),
	} {
		if got := b.refused(t); !slices.ContainsFunc(got, func(s string) bool { return len(s) > len(want) && s[len(s)-len(want):] == want }) {
			t.Errorf("%v, want %q", got, want)
		}
	}
}
