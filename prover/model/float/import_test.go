package float

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weisyn/wes/prover/model/onnx"
)

func TestExporterShapeChainsFold(t *testing.T) {
	scalar := func(v float32) onnx.Tensor {
		return onnx.Tensor{Type: onnx.Float32, Dims: []int64{1}, Floats: []float32{v}}
	}
	for _, c := range []struct {
		name  string
		edit  func(*build)
		shape []int
		want  []float32
	}{
		{"shape, gather, unsqueeze, concat, reshape", func(b *build) {
			b.node("Shape", "x -> s").scalar("zero", 0).node("Gather", "s zero -> n").
				ints("axes", 0).node("Unsqueeze", "n axes -> u").ints("rest", -1).
				node("Concat", "u rest -> t", aInt("axis", 0)).node("Reshape", "x t -> y")
		}, []int{2, 4}, iota1(8).Data},
		{"shape, slice, arithmetic", func(b *build) {
			b.node("Shape", "x -> s").ints("i", 1).ints("j", 3).node("Slice", "s i j -> d").
				ints("two", 2).node("Mul", "d two -> e").node("Div", "e two -> f").node("Sub", "f two -> g").node("Add", "g two -> h").
				ints("b", 2).node("Concat", "b h -> t", aInt("axis", 0)).node("Reshape", "x t -> y")
		}, []int{2, 2, 2}, iota1(8).Data},
		{"shape with a range, size, cast, negation", func(b *build) {
			b.node("Shape", "x -> s", aInt("start", 0), aInt("end", -2)).node("Size", "x -> n").ints("a", 0).node("Unsqueeze", "n a -> m").
				node("Cast", "m -> f", aInt("to", 1)).node("Sqrt", "f -> r").node("Floor", "r -> q").node("Cast", "q -> k", aInt("to", 7)).
				node("Neg", "k -> p").node("Neg", "p -> o").ints("z", -1).
				node("Concat", "s o z -> t", aInt("axis", 0)).node("Reshape", "x t -> y")
		}, []int{2, 2, 2}, iota1(8).Data},
		{"constant of shape, equal, where, expand", func(b *build) {
			b.ints("two", 2).node("ConstantOfShape", "two -> ones", aTensor("value", onnx.Tensor{Type: onnx.Int64, Dims: []int64{1}, Ints: []int64{1}})).
				ints("minus", -1).node("Mul", "ones minus -> m").ints("d", -1, 4).node("Equal", "d m -> e").
				ints("alt", 2).node("Where", "e alt d -> s").node("Reshape", "x s -> y")
		}, []int{2, 4}, iota1(8).Data},
		{"fill value and range", func(b *build) {
			b.ints("s", 1, 1, 2).node("ConstantOfShape", "s -> c", aTensor("value", scalar(3))).node("Mul", "x c -> m").
				scalar("from", 0).scalar("to", 3).scalar("by", 2).node("Range", "from to by -> r").
				node("Cast", "r -> f", aInt("to", 1)).node("Add", "m f -> y")
		}, []int{2, 2, 2}, []float32{3, 8, 9, 14, 15, 20, 21, 26}},
		{"constants of every kind", func(b *build) {
			b.node("Constant", "-> a", aFloat("value_float", 1)).
				node("Constant", "-> b", onnx.Attribute{Name: "value_floats", Type: onnx.AttrFloats, Floats: []float32{1, 2}}).
				node("Constant", "-> c", aTensor("value", onnx.Tensor{Type: onnx.Float64, Doubles: []float64{0.5}})).
				node("Constant", "-> d", aInts("value_ints", 2, 4)).node("Constant", "-> e", aInt("value_int", 0)).
				node("Cast", "c -> cf", aInt("to", 1)).
				node("Add", "x a -> f").node("Mul", "f b -> g").node("Mul", "g cf -> h").node("Reshape", "h d -> i").
				node("Gather", "i e -> y", aInt("axis", 0))
		}, []int{4}, []float32{1, 3, 2, 5}},
		{"reductions of constants and integer arithmetic", func(b *build) {
			b.node("Shape", "x -> s").node("ReduceProd", "s -> p", aInt("keepdims", 1)).ints("three", 3).node("Mod", "p three -> m").
				node("ReduceMax", "s -> q", aInt("keepdims", 0)).ints("z", 0).node("Unsqueeze", "q z -> r").ints("rest", -1).
				node("Concat", "m r rest -> t", aInt("axis", 0)).node("Reshape", "x t -> y")
		}, []int{2, 2, 2}, iota1(8).Data},
		{"range of floats, logic of constants", func(b *build) {
			b.floats("from", nil, 0).floats("to", nil, 2).floats("by", nil, 1).node("Range", "from to by -> r").node("Less", "r by -> l").
				node("Not", "l -> n").node("Or", "l n -> o").node("And", "o l -> a").node("Where", "a r by -> w").node("Add", "x w -> y")
		}, []int{2, 2, 2}, []float32{1, 3, 3, 5, 5, 7, 7, 9}},
		{"logarithm of 0 that is not chosen", func(b *build) {
			b.floats("c", []int{2}, 0, 1).node("Log", "c -> l").node("Cast", "l -> i", aInt("to", 7)).ints("five", 5).ints("two", 0, 1).
				node("Less", "two five -> t").node("Equal", "i two -> e").node("Where", "t two i -> k").node("Cast", "k -> f", aInt("to", 1)).node("Add", "x f -> y")
		}, []int{2, 2, 2}, []float32{1, 3, 3, 5, 5, 7, 7, 9}},
		{"transposed weights", func(b *build) {
			b.floats("w", []int{3, 2}, 1, 2, 3, 4, 5, 6).node("Transpose", "w -> t").node("MatMul", "x t -> y")
		}, []int{2, 2, 3}, []float32{5, 11, 17, 11, 25, 39, 17, 39, 61, 23, 53, 83}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBuild(15).input("x", 2, 2, 2).output("y")
			c.edit(b)
			wantTensor(t, outputs(t, b.graph(t, Options{}), iota1(2, 2, 2))[0], c.shape, c.want)
		})
	}
}

func TestHostileConstantsAreRefused(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		name string
		want error // nil for an *UnsupportedError
		edit func(*build)
	}{
		{"NaN", ErrNotFinite, func(b *build) { b.floats("c", nil, nan).node("Relu", "x -> y") }},
		{"infinity in a constant", ErrNotFinite, func(b *build) {
			b.node("Constant", "-> c", aFloat("value_float", inf)).node("Add", "x c -> y")
		}},
		{"infinity in an attribute", ErrNotFinite, func(b *build) { b.node("LeakyRelu", "x -> y", aFloat("alpha", inf)) }},
		{"division by zero", ErrNotFinite, func(b *build) { b.floats("c", nil, 0).node("Div", "x c -> y") }},
		{"overflow while folding", ErrNotFinite, func(b *build) {
			b.floats("c", nil, 3e38).node("Mul", "c c -> d").node("Mul", "x d -> y")
		}},
		{"integer division by zero", nil, func(b *build) {
			b.ints("c", 1).ints("z", 0).node("Div", "c z -> s").node("Reshape", "x s -> y")
		}},
		{"least integer divided by -1", nil, func(b *build) {
			b.ints("c", math.MinInt64).ints("z", -1).node("Div", "c z -> s").node("Reshape", "x s -> y")
		}},
		{"huge constant of shape", ErrLimit, func(b *build) {
			b.ints("s", 1<<40, 1<<40).node("ConstantOfShape", "s -> c").node("Add", "x c -> y")
		}},
		{"huge expansion", ErrLimit, func(b *build) {
			b.floats("c", nil, 1).ints("s", 1<<20, 1<<20).node("Expand", "c s -> d").node("Add", "x d -> y")
		}},
		{"huge expansion of an activation", ErrLimit, func(b *build) { b.ints("s", 1<<40, 1<<40).node("Expand", "x s -> y") }},
		{"huge range", ErrLimit, func(b *build) {
			b.scalar("a", 0).scalar("z", 1<<40).scalar("d", 1).node("Range", "a z d -> r").node("Reshape", "x r -> y")
		}},
		{"huge pad", ErrLimit, func(b *build) { b.ints("p", 1<<40, 0).node("Pad", "x p -> y") }},
		{"rank", ErrLimit, func(b *build) { b.ints("s", slices.Repeat([]int64{1}, 9)...).node("Reshape", "x s -> y") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBuild(13).input("x", 1).output("y")
			c.edit(b)
			_, err := Import(b.model(t), Options{})
			var u *UnsupportedError
			if c.want == nil && !errors.As(err, &u) || c.want != nil && !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestInputShapesAreBound(t *testing.T) {
	for _, c := range []struct {
		name string
		dims []int // −1 is symbolic
		opt  Options
		want []int // nil for ErrShape
	}{
		{"fixed", []int{2, 3}, Options{}, []int{2, 3}},
		{"symbolic batch", []int{-1, 3}, Options{}, []int{1, 3}},
		{"batch", []int{-1, 3}, Options{Batch: 5}, []int{5, 3}},
		{"batch against a fixed dimension", []int{2, 3}, Options{Batch: 5}, nil},
		{"symbolic second dimension", []int{-1, -1}, Options{Batch: 5}, nil},
		{"given shape", []int{-1, -1}, Options{Batch: 5, Shapes: map[string][]int{"x": {2, 7}}}, []int{2, 7}},
		{"given shape contradicts", []int{-1, 3}, Options{Shapes: map[string][]int{"x": {2, 7}}}, nil},
		{"given shape of another rank", []int{-1, 3}, Options{Shapes: map[string][]int{"x": {3}}}, nil},
		{"given shape for no input", []int{-1, 3}, Options{Shapes: map[string][]int{"z": {3}}}, nil},
		{"given shape is negative", []int{-1, -1}, Options{Shapes: map[string][]int{"x": {-3, 1}}}, nil},
		{"empty", []int{0, 3}, Options{}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, err := Import(newBuild(13).input("x", c.dims...).node("Relu", "x -> y").output("y").model(t), c.opt)
			if c.want == nil {
				if !errors.Is(err, ErrShape) {
					t.Fatalf("got %v", err)
				}
				return
			}
			if err != nil || !slices.Equal(g.Inputs[0].Shape, c.want) || !slices.Equal(g.Outputs[0].Shape, c.want) {
				t.Fatalf("got %+v, %v", g, err)
			}
		})
	}
}

func TestLimitsAreEnforced(t *testing.T) {
	b := newBuild(13).input("x", 4, 8).floats("w", []int{8, 8}, make([]float32, 64)...).
		node("MatMul", "x w -> z").node("Relu", "z -> y").output("y")
	fits := Limits{MACs: 4*64 + 32, Params: 64, Elements: 64, Total: 96, Nodes: 2, Rank: 2}
	if _, err := Import(b.model(t), Options{Limits: fits}); err != nil {
		t.Fatal(err)
	}
	for name, tighten := range map[string]func(*Limits){
		"MACs": func(l *Limits) { l.MACs-- }, "params": func(l *Limits) { l.Params-- },
		"elements": func(l *Limits) { l.Elements-- }, "total": func(l *Limits) { l.Total-- },
		"nodes": func(l *Limits) { l.Nodes-- }, "rank": func(l *Limits) { l.Rank-- },
	} {
		l := fits
		tighten(&l)
		if _, err := Import(b.model(t), Options{Limits: l}); !errors.Is(err, ErrLimit) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestModelsAreRefusedWithTheWholeList(t *testing.T) {
	b := newBuild(17).typed("ids", onnx.Int64, 1, 4).typed("mask", onnx.Int64, 1, 4).
		floats("table", []int{8, 2}, make([]float32, 16)...).floats("g", []int{2}, 1, 1).
		floats("w", []int{2, 2}, 1, 0, 0, 1).ints("axis", 1).
		node("Gather", "table ids -> e").
		node("LayerNormalization", "e g g -> l").
		node("MatMul", "l w -> q").node("Transpose", "l -> k", aInts("perm", 0, 2, 1)).
		node("MatMul", "q k -> a").node("Hardmax", "a -> p").node("MatMul", "p l -> v").
		node("CumSum", "mask axis -> s").node("Neg", "mask -> n").node("Gather", "table s -> h").node("Add", "h v -> r").
		node("Sin", "r -> o").node("Shape", "o -> d").node("Reshape", "o d -> z").node("Conv", "z w -> c").
		node("Cast", "z -> f", aInt("to", 7)).node("Gather", "table f -> i").
		output("z", "c", "i")
	want := []string{
		"Hardmax n_p: operator is not supported",
		"CumSum n_s: an activation of int64 is not supported",
		"Neg n_n: an activation of int64 is not supported",
		"Sin n_o: it is supported on constants only",
		"Conv n_c: weights: rank 2 is not one of [3 4]",
		"Cast n_f: conversion of an activation from float32 to int64 is not supported",
	}
	if got := b.refused(t); !slices.Equal(got, want) {
		t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestOutputsThatAreNotComputedAreRefused(t *testing.T) {
	b := newBuild(13).input("x", 1).floats("c", []int{1}, 1).node("Relu", "x -> y").output("y", "c")
	if got := b.refused(t); !slices.Equal(got, []string{"output c: it does not depend on any input"}) {
		t.Fatal(got)
	}
}

func TestAnInputMayBeAnOutput(t *testing.T) {
	g := newBuild(13).input("x", 2).node("Identity", "x -> y").output("y", "x").graph(t, Options{})
	for _, out := range outputs(t, g, iota1(2)) {
		wantTensor(t, out, []int{2}, []float32{1, 2})
	}
}

func TestInputWithInitializerIsConstant(t *testing.T) {
	g := newBuild(13).input("x", 2).input("c", 2).floats("c", []int{2}, 1, 2).node("Add", "x c -> y").output("y").graph(t, Options{})
	if len(g.Inputs) != 1 || kinds(g) != "AddConst" {
		t.Fatalf("%+v", g)
	}
}

func TestTruncatedModelsAreRefusedOrImportCleanly(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(modelDir(), "iris_mlp.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	for n := range data {
		m, err := onnx.Parse(data[:n], onnx.Limits{})
		if err != nil {
			continue
		}
		if g, err := Import(m, Options{}); err == nil {
			if _, err := Evaluate(context.Background(), g, []Tensor{NewTensor(g.Inputs[0].Shape)}); err != nil {
				t.Fatalf("cut at %d: %v", n, err)
			}
		}
	}
}
