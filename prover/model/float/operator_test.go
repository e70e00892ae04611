package float

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/weisyn/wes/prover/model/onnx"
)

func TestScalarsAgreeWithTheirFormulas(t *testing.T) {
	logistic := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	truth := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	for _, c := range []struct {
		op   Scalar
		want func(x float64) float64
	}{
		{&Exp{}, math.Exp},
		{&Log{}, math.Log},
		{&Softplus{}, func(x float64) float64 { return math.Log(1 + math.Exp(x)) }},
		{&Elu{0.5}, func(x float64) float64 { return max(x, 0) + min(0.5*(math.Exp(x)-1), 0) }},
		{&Pow{2}, func(x float64) float64 { return x * x }},
		{&Pow{3}, func(x float64) float64 { return x * x * x }},
		{&Sqrt{}, func(x float64) float64 { return math.Pow(x, 0.5) }},
		{&Reciprocal{}, func(x float64) float64 { return math.Pow(x, -1) }},
		{&Abs{}, func(x float64) float64 { return max(x, -x) }},
		{&Erf{}, math.Erf},
		{&Gelu{}, func(x float64) float64 { return x * 0.5 * math.Erfc(-x/math.Sqrt2) }},
		{&GeluTanh{}, func(x float64) float64 { return x * logistic(2*math.Sqrt(2/math.Pi)*(x+0.044715*math.Pow(x, 3))) }},
		{&Silu{}, func(x float64) float64 { return x * logistic(x) }},
		{&HardSigmoid{0.25, 0.5}, func(x float64) float64 { return max(0, min(1, 0.25*x+0.5)) }},
		{&HardSwish{}, func(x float64) float64 { return x * max(0, min(6, x+3)) / 6 }},
		{&Step{Threshold: 0.5}, func(x float64) float64 { return truth(x > 0.5) }},
		{&Step{Threshold: 0.5, OrEqual: true}, func(x float64) float64 { return truth(x >= 0.5) }},
		{&Equal{0.5}, func(x float64) float64 { return truth(x == 0.5) }},
		{&Sign{}, func(x float64) float64 { return truth(x > 0) - truth(x < 0) }},
		{&Floor{}, math.Floor},
		{&Ceil{}, math.Ceil},
		{&Round{}, math.RoundToEven},
	} {
		in := Tensor{[]int{9}, []float32{-7.25, -2.5, -1, -0.5, 0, 0.5, 1.5, 3, 40}}
		shape, err := c.op.InferShape([][]int{in.Shape})
		if err != nil || !slices.Equal(shape, in.Shape) {
			t.Fatalf("%s: shape %v, %v", c.op.Kind(), shape, err)
		}
		out := NewTensor(shape)
		c.op.eval([]Tensor{in}, out)
		for i, x := range in.Data {
			got, want := float64(out.Data[i]), c.want(float64(x))
			if math.IsNaN(got) && math.IsNaN(want) || got == want {
				continue
			}
			if d := math.Abs(got - want); !(d <= 1e-6*max(1, math.Abs(want))) {
				t.Errorf("%s(%v) = %v, want %v", c.op.Kind(), x, got, want)
			}
		}
	}
}

func TestSoftmaxLeavesOutCellsThatAreNotKept(t *testing.T) {
	e := func(v float64) float32 { return float32(math.Exp(v)) }
	x := Tensor{[]int{2, 3}, []float32{1, 2, 9, -1, 50, -1}}
	keep := Tensor{[]int{2, 3}, []float32{1, 1, 0, 1, 0, 1}}
	out := NewTensor(x.Shape)
	(&Softmax{Axis: 1, Keep: keep}).eval([]Tensor{x}, out)
	wantTensor(t, out, x.Shape, []float32{1 / (1 + e(1)), e(1) / (1 + e(1)), 0, 0.5, 0, 0.5})
	row := Tensor{[]int{1, 3}, []float32{1, 0, 1}}
	out = NewTensor(x.Shape)
	(&Softmax{Axis: 1, Keep: row}).eval([]Tensor{x}, out)
	wantTensor(t, out, x.Shape, []float32{e(-8) / (1 + e(-8)), 0, 1 / (1 + e(-8)), 0.5, 0, 0.5})
	if _, err := (&Softmax{Axis: 1, Keep: row}).InferShape([][]int{{2, 4}}); err == nil {
		t.Error("a Keep that does not broadcast is accepted")
	}
}

func TestNormsAgreeWithTheirFormulas(t *testing.T) {
	x := Tensor{[]int{2, 2}, []float32{1, 3, -2, 2}}
	out := NewTensor(x.Shape)
	(&Norm{Epsilon: 3, Centered: true}).eval([]Tensor{x}, out)
	wantTensor(t, out, x.Shape, []float32{-0.5, 0.5, -2 / 2.6457513, 2 / 2.6457513})
	(&Norm{Epsilon: 4}).eval([]Tensor{x}, out)
	wantTensor(t, out, x.Shape, []float32{1. / 3, 1, -2 / 2.828427, 2 / 2.828427})
}

func TestOperatorsOfTwoActivationsAgreeWithTheirFormulas(t *testing.T) {
	x, y := Tensor{[]int{2, 2}, []float32{1, 2, 3, 4}}, Tensor{[]int{2, 2}, []float32{5, -1, 3, 7}}
	row, column := Tensor{[]int{1, 2}, []float32{10, 20}}, Tensor{[]int{2, 1}, []float32{-1, 1}}
	for _, c := range []struct {
		op   Op
		a, b Tensor
		want []float32
	}{
		{&Mul{}, x, y, []float32{5, -2, 9, 28}},
		{&Mul{}, x, row, []float32{10, 40, 30, 80}},
		{&Mul{}, column, row, []float32{-10, -20, 10, 20}},
		{&Maximum{}, x, y, []float32{5, 2, 3, 7}},
	} {
		shape, err := c.op.InferShape([][]int{c.a.Shape, c.b.Shape})
		if err != nil {
			t.Fatal(err)
		}
		out := NewTensor(shape)
		c.op.eval([]Tensor{c.a, c.b}, out)
		wantTensor(t, out, []int{2, 2}, c.want)
	}
	for _, op := range []Op{&Mul{}, &Maximum{}} {
		for _, in := range [][][]int{{{2, 2}}, {{2, 2}, {2, 3}}, {{2, 2}, {2}}} {
			if _, err := op.InferShape(in); err == nil {
				t.Errorf("%s accepts %v", op.Kind(), in)
			}
		}
	}
}

func TestEmbeddingTakesRowsOfIndicesInItsDomainOnly(t *testing.T) {
	g := &Graph{
		Inputs:  []Value{{Name: "ids", Shape: []int{1, 2}, Type: onnx.Int64, Limit: 3}},
		Outputs: []Output{{Name: "y", Value: 1, Shape: []int{1, 2, 2}}},
		Nodes: []Node{{
			Name: "e", Op: &Embedding{3, 2, iota1(6).Data}, Inputs: []ValueID{0}, Output: 1, Shape: []int{1, 2, 2},
		}},
	}
	wantTensor(t, outputs(t, g, Tensor{[]int{1, 2}, []float32{2, 0}})[0], []int{1, 2, 2}, []float32{5, 6, 1, 2})
	for _, id := range []float32{-1, 3, 0.5, 1e30, float32(math.NaN())} {
		_, err := Outputs(context.Background(), g, []Tensor{{[]int{1, 2}, []float32{0, id}}})
		if !errors.Is(err, ErrDomain) {
			t.Errorf("index %v: got %v", id, err)
		}
	}
}
