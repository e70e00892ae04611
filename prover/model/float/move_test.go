package float

import (
	"math/rand/v2"
	"testing"

	"github.com/weisyn/wes/prover/model/onnx"
)

func TestMovesAgreeWithHandComputedValues(t *testing.T) {
	for _, c := range []struct {
		name  string
		opset int
		in    []int // filled with 1, 2, 3, …
		edit  func(*build)
		ops   string
		shape []int
		want  []float32
	}{
		{"flatten", 13, []int{2, 1, 2}, func(b *build) { b.node("Flatten", "x -> y") }, "Reshape", []int{2, 2}, []float32{1, 2, 3, 4}},
		{"flatten to a row", 13, []int{2, 2}, func(b *build) { b.node("Flatten", "x -> y", aInt("axis", 0)) }, "Reshape", []int{1, 4}, []float32{1, 2, 3, 4}},
		{"flatten from the end", 13, []int{2, 1, 2}, func(b *build) { b.node("Flatten", "x -> y", aInt("axis", -1)) }, "Reshape", []int{2, 2}, []float32{1, 2, 3, 4}},
		{"flatten of a matrix", 13, []int{2, 2}, func(b *build) { b.node("Flatten", "x -> y") }, "", []int{2, 2}, []float32{1, 2, 3, 4}},
		{"reshape", 13, []int{2, 2, 2}, func(b *build) { b.ints("s", 0, -1).node("Reshape", "x s -> y") }, "Reshape", []int{2, 4}, iota1(8).Data},
		{"squeeze", 13, []int{1, 2, 1}, func(b *build) { b.ints("a", -1).node("Squeeze", "x a -> y") }, "Reshape", []int{1, 2}, []float32{1, 2}},
		{"squeeze all", 13, []int{1, 2, 1}, func(b *build) { b.node("Squeeze", "x -> y") }, "Reshape", []int{2}, []float32{1, 2}},
		{"squeeze by attribute", 11, []int{1, 2, 1}, func(b *build) { b.node("Squeeze", "x -> y", aInts("axes", 0)) }, "Reshape", []int{2, 1}, []float32{1, 2}},
		{"unsqueeze", 13, []int{2}, func(b *build) { b.ints("a", 0, -1).node("Unsqueeze", "x a -> y") }, "Reshape", []int{1, 2, 1}, []float32{1, 2}},
		{"unsqueeze by attribute", 11, []int{2}, func(b *build) { b.node("Unsqueeze", "x -> y", aInts("axes", 1)) }, "Reshape", []int{2, 1}, []float32{1, 2}},
		{"transpose", 13, []int{2, 3}, func(b *build) { b.node("Transpose", "x -> y") }, "Transpose", []int{3, 2}, []float32{1, 4, 2, 5, 3, 6}},
		{"transpose by permutation", 13, []int{1, 2, 2}, func(b *build) { b.node("Transpose", "x -> y", aInts("perm", 2, 0, 1)) }, "Transpose", []int{2, 1, 2}, []float32{1, 3, 2, 4}},
		{"concat", 13, []int{2, 1}, func(b *build) { b.node("Concat", "x x -> y", aInt("axis", -1)) }, "Concat", []int{2, 2}, []float32{1, 1, 2, 2}},
		{"slice", 13, []int{2, 4}, func(b *build) {
			b.ints("s", 1).ints("e", -1).ints("a", 1).node("Slice", "x s e a -> y")
		}, "Slice", []int{2, 2}, []float32{2, 3, 6, 7}},
		{"slice backwards", 13, []int{5}, func(b *build) {
			b.ints("s", -1).ints("e", -1<<63).ints("a", 0).ints("d", -2).node("Slice", "x s e a d -> y")
		}, "Slice", []int{3}, []float32{5, 3, 1}},
		{"slice beyond the end", 13, []int{3}, func(b *build) { b.ints("s", 1).ints("e", 1<<62).node("Slice", "x s e -> y") }, "Slice", []int{2}, []float32{2, 3}},
		{"split", 13, []int{3}, func(b *build) { b.ints("p", 1, 2).node("Split", "x p -> z y") }, "Slice", []int{2}, []float32{2, 3}},
		{"split into equal parts", 11, []int{2, 2}, func(b *build) { b.node("Split", "x -> y z", aInt("axis", 1)) }, "Slice", []int{2, 1}, []float32{1, 3}},
		{"split with a short end", 18, []int{3}, func(b *build) { b.node("Split", "x -> z y", aInt("num_outputs", 2)) }, "Slice", []int{1}, []float32{3}},
		{"gather one", 13, []int{2, 2}, func(b *build) { b.scalar("i", -1).node("Gather", "x i -> y", aInt("axis", 1)) }, "Slice Reshape", []int{2}, []float32{2, 4}},
		{"gather evenly", 13, []int{5}, func(b *build) { b.ints("i", 4, 2, 0).node("Gather", "x i -> y") }, "Slice", []int{3}, []float32{5, 3, 1}},
		{"pad", 13, []int{1, 2}, func(b *build) { b.ints("p", 1, 0, 0, 1).node("Pad", "x p -> y") }, "Pad", []int{2, 3}, []float32{0, 0, 0, 1, 2, 0}},
		{"pad by axes", 18, []int{1, 2}, func(b *build) { b.ints("p", 1, 0).ints("a", -1).node("Pad", "x p _ a -> y") }, "Pad", []int{1, 3}, []float32{0, 1, 2}},
		{"pad by reflection", 13, []int{1, 3}, func(b *build) {
			b.ints("p", 0, 2, 0, 1).node("Pad", "x p -> y", aString("mode", "reflect"))
		}, "Slice Slice Slice Concat", []int{1, 6}, []float32{3, 2, 1, 2, 3, 2}},
		{"pad by the edge", 13, []int{1, 3}, func(b *build) {
			b.ints("p", 0, 1, 0, 2).node("Pad", "x p -> y", aString("mode", "edge"))
		}, "Slice Slice Slice Slice Concat", []int{1, 6}, []float32{1, 1, 2, 3, 3, 3}},
		{"pad by nothing", 13, []int{1, 2}, func(b *build) { b.ints("p", 0, 0, 0, 0).node("Pad", "x p -> y") }, "", []int{1, 2}, []float32{1, 2}},
		{"mean", 13, []int{2, 2}, func(b *build) { b.node("ReduceMean", "x -> y", aInts("axes", -1)) }, "MeanAxes", []int{2, 1}, []float32{1.5, 3.5}},
		{"mean of all", 13, []int{2, 2}, func(b *build) { b.node("ReduceMean", "x -> y", aInt("keepdims", 0)) }, "MeanAxes", []int{}, []float32{2.5}},
		{"mean by operand", 18, []int{1, 2, 2}, func(b *build) {
			b.ints("a", 1).node("ReduceMean", "x a -> y", aInt("keepdims", 0))
		}, "MeanAxes", []int{1, 2}, []float32{2, 3}},
		{"mean of nothing", 18, []int{2}, func(b *build) { b.node("ReduceMean", "x -> y", aInt("noop_with_empty_axes", 1)) }, "", []int{2}, []float32{1, 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBuild(c.opset).input("x", c.in...).output("y")
			c.edit(b)
			g := b.graph(t, Options{})
			if got := kinds(g); got != c.ops {
				t.Errorf("operators %q, want %q", got, c.ops)
			}
			wantTensor(t, outputs(t, g, iota1(c.in...))[0], c.shape, c.want)
		})
	}
}

func TestUnsupportedMovesAreRefusedWithTheirReason(t *testing.T) {
	for _, c := range []struct {
		want string
		edit func(*build)
	}{
		{"Reshape n_y: operand 1 must be constant", func(b *build) { b.node("Reshape", "x x -> y") }},
		{"Reshape n_y: [2 3] cannot be reshaped to [4 -1]", func(b *build) { b.ints("s", 4, -1).node("Reshape", "x s -> y") }},
		{"Reshape n_y: [2 3] cannot be reshaped to [2 2]", func(b *build) { b.ints("s", 2, 2).node("Reshape", "x s -> y") }},
		{"Reshape n_y: shape [-1 -1] has more than one -1", func(b *build) { b.ints("s", -1, -1).node("Reshape", "x s -> y") }},
		{"Reshape n_y: shape [-2 3] has a negative dimension", func(b *build) { b.ints("s", -2, 3).node("Reshape", "x s -> y") }},
		{"Squeeze n_y: axis 0 of [2 3] is not 1", func(b *build) { b.ints("a", 0).node("Squeeze", "x a -> y") }},
		{"Transpose n_y: [0 0] is not a permutation", func(b *build) { b.node("Transpose", "x -> y", aInts("perm", 0, 0)) }},
		{"Concat n_y: axis 2 for rank 2", func(b *build) { b.node("Concat", "x x -> y", aInt("axis", 2)) }},
		{"Concat n_y: some operands are constant, others are not", func(b *build) {
			b.floats("c", []int{1, 3}, 1, 2, 3).node("Concat", "x c -> y")
		}},
		{"Slice n_y: step 0", func(b *build) {
			b.ints("s", 0).ints("e", 1).ints("a", 0).ints("d", 0).node("Slice", "x s e a d -> y")
		}},
		{"Slice n_y: axis 0 given twice", func(b *build) {
			b.ints("s", 0, 0).ints("e", 1, 1).ints("a", 0, -2).node("Slice", "x s e a -> y")
		}},
		{"Slice n_y: empty shape [0 3]: wrong shape", func(b *build) { b.ints("s", 1).ints("e", 1).node("Slice", "x s e -> y") }},
		{"Split n_y: parts [1 2] of an axis of length 2", func(b *build) { b.ints("p", 1, 2).node("Split", "x p -> y z") }},
		{"Gather n_y: indices into an activation are not constant", func(b *build) { b.typed("i", onnx.Int64, 2).node("Gather", "x i -> y") }},
		{"Gather n_y: indices are computed: only an integer input may be one", func(b *build) {
			b.floats("t", []int{2, 1}, 1, 2).floats("z", nil, 0).node("Greater", "x z -> g").node("Cast", "g -> i", aInt("to", 7)).node("Gather", "t i -> y")
		}},
		{"Gather n_y: indices are uint8", func(b *build) {
			b.typed("i", onnx.Uint8, 2).floats("t", []int{2, 1}, 1, 2).node("Gather", "t i -> y")
		}},
		{"Gather n_y: index 2 on an axis of length 2", func(b *build) { b.ints("i", 2).node("Gather", "x i -> y") }},
		{"Pad n_y: negative pad on axis 0", func(b *build) { b.ints("p", -1, 0, 0, 0).node("Pad", "x p -> y") }},
		{"Pad n_y: 2 pads for 2 axes", func(b *build) { b.ints("p", 1, 1).node("Pad", "x p -> y") }},
		{`Pad n_y: mode "wrap" is not supported`, func(b *build) {
			b.ints("p", 1, 0, 0, 0).node("Pad", "x p -> y", aString("mode", "wrap"))
		}},
		{"Pad n_y: padding by a value other than 0 is not supported", func(b *build) {
			b.ints("p", 1, 0, 0, 0).floats("v", nil, 1).node("Pad", "x p v -> y")
		}},
		{"Add n_y: shapes [2 3] and [3 2] do not broadcast", func(b *build) {
			b.node("Transpose", "x -> t").node("Add", "x t -> y")
		}},
		{"Sub n_y: shapes [2 3] and [3 2] do not broadcast", func(b *build) {
			b.node("Transpose", "x -> t").node("Sub", "x t -> y")
		}},
		{"Add n_y: shapes [2 3] and [2] do not broadcast", func(b *build) { b.floats("c", []int{2}, 1, 2).node("Add", "x c -> y") }},
		{"Expand n_y: shapes [2 3] and [4] do not broadcast", func(b *build) { b.ints("s", 4).node("Expand", "x s -> y") }},
		{"Expand n_y: operand 1 must be constant", func(b *build) { b.node("Expand", "x x -> y") }},
		{"Expand n_y: negative dimension in [-1 2 3]: wrong shape", func(b *build) { b.ints("s", -1, 1, 1).node("Expand", "x s -> y") }},
		{"Mul n_y: shapes [2 3] and [3 2] do not broadcast", func(b *build) { b.node("Transpose", "x -> t").node("Mul", "x t -> y") }},
		{"Pow n_y: operand 1 must be constant", func(b *build) { b.node("Pow", "x x -> y") }},
		{"Pow n_y: exponents differ", func(b *build) { b.floats("c", []int{3}, 1, 2, 3).node("Pow", "x c -> y") }},
		{"Sin n_y: it is supported on constants only", func(b *build) { b.node("Sin", "x -> y") }},
		{"Cast n_y: conversion of an activation from float32 to int64 is not supported", func(b *build) { b.node("Cast", "x -> y", aInt("to", 7)) }},
		{"Cast n_y: conversion to type 8 is not supported", func(b *build) { b.node("Cast", "x -> y", aInt("to", 8)) }},
		{"Dropout n_y: training mode is not supported", func(b *build) {
			b.floats("r", nil, 0.5).floats("t", nil, 1).node("Dropout", "x r t -> y")
		}},
	} {
		b := newBuild(13).input("x", 2, 3).output("y")
		c.edit(b)
		if got := b.refused(t); got[0] != c.want {
			t.Errorf("got  %q\nwant %q", got[0], c.want)
		}
	}
}

// sliceOracle walks the axis as the ONNX definition says.
func sliceOracle(n, start, end, step int) []int {
	clamp := func(v, lo, hi int) int {
		if v < 0 {
			v += n
		}
		return min(max(v, lo), hi)
	}
	var at []int
	if step > 0 {
		for i := clamp(start, 0, n); i < clamp(end, 0, n); i += step {
			at = append(at, i)
		}
		return at
	}
	for i := clamp(start, 0, n-1); i > clamp(end, -1, n-1); i += step {
		at = append(at, i)
	}
	return at
}

func TestSliceRangeAgreesWithTheDefinition(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 10000 {
		n, start, end, step := 1+r.IntN(8), r.IntN(25)-12, r.IntN(25)-12, r.IntN(9)-4
		if step == 0 {
			continue
		}
		want := sliceOracle(n, start, end, step)
		first, count := sliceRange(n, start, end, step)
		if count != len(want) || count > 0 && first != want[0] {
			t.Fatalf("[%d:%d:%d] of %d: first %d, count %d, want %v", start, end, step, n, first, count, want)
		}
	}
}
