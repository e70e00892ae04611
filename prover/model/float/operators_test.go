package float

import (
	"math"
	"testing"
)

func TestImportedOperatorsAgreeWithTheirFormulas(t *testing.T) {
	x := Tensor{[]int{2, 3}, []float32{-2, -0.5, 1, 7, 0.25, -1}}
	all := func(f func(v float64) float64) []float32 {
		out := make([]float32, len(x.Data))
		for i, v := range x.Data {
			out[i] = float32(f(float64(v)))
		}
		return out
	}
	elu := func(v, alpha float64) float64 { return max(v, 0) + min(alpha*(math.Exp(v)-1), 0) }
	for _, c := range []struct {
		name  string
		opset int
		edit  func(*build)
		ops   string
		shape []int
		want  []float32
	}{
		{"erf", 17, func(b *build) { b.node("Erf", "x -> y") }, "Erf", nil, all(math.Erf)},
		{"exp", 17, func(b *build) { b.node("Exp", "x -> y") }, "Exp", nil, all(math.Exp)},
		{"log of absolute", 17, func(b *build) { b.node("Abs", "x -> a").node("Log", "a -> y") }, "Abs Log", nil, all(func(v float64) float64 { return math.Log(math.Abs(v)) })},
		{"square root of a square", 17, func(b *build) { b.node("Mul", "x x -> a").node("Sqrt", "a -> y") }, "Pow Sqrt", nil, all(math.Abs)},
		{"reciprocal", 17, func(b *build) { b.node("Reciprocal", "x -> y") }, "Reciprocal", nil, all(func(v float64) float64 { return 1 / v })},
		{"softplus", 17, func(b *build) { b.node("Softplus", "x -> y") }, "Softplus", nil, all(func(v float64) float64 { return math.Log1p(math.Exp(v)) })},
		{"softsign", 17, func(b *build) { b.node("Softsign", "x -> y") }, "Abs AddConst Reciprocal Mul", nil, all(func(v float64) float64 { return v / (1 + math.Abs(v)) })},
		{"mish", 18, func(b *build) { b.node("Mish", "x -> y") }, "Softplus Tanh Mul", nil, all(func(v float64) float64 { return v * math.Tanh(math.Log1p(math.Exp(v))) })},
		{"sign", 17, func(b *build) { b.node("Sign", "x -> y") }, "Sign", nil, []float32{-1, -1, 1, 1, 1, -1}},
		{"floor", 17, func(b *build) { b.node("Floor", "x -> y") }, "Floor", nil, all(math.Floor)},
		{"ceil", 17, func(b *build) { b.node("Ceil", "x -> y") }, "Ceil", nil, all(math.Ceil)},
		{"round", 17, func(b *build) { b.node("Round", "x -> y") }, "Round", nil, all(math.RoundToEven)},
		{"gelu", 20, func(b *build) { b.node("Gelu", "x -> y") }, "Gelu", nil, all((&Gelu{}).Apply)},
		{"gelu by tanh", 20, func(b *build) { b.node("Gelu", "x -> y", aString("approximate", "tanh")) }, "GeluTanh", nil, all((&GeluTanh{}).Apply)},
		{"hard swish", 17, func(b *build) { b.node("HardSwish", "x -> y") }, "HardSwish", nil, all((&HardSwish{}).Apply)},
		{"hard sigmoid", 17, func(b *build) { b.node("HardSigmoid", "x -> y") }, "HardSigmoid", nil, all(func(v float64) float64 { return max(0, min(1, 0.2*v+0.5)) })},
		{"elu", 17, func(b *build) { b.node("Elu", "x -> y", aFloat("alpha", 2)) }, "Elu", nil, all(func(v float64) float64 { return elu(v, 2) })},
		{"selu", 17, func(b *build) { b.node("Selu", "x -> y") }, "Elu MulConst", nil, all(func(v float64) float64 { return 1.0507009873554805 * elu(v, 1.6732632423543772) })},
		{"celu", 17, func(b *build) { b.node("Celu", "x -> y", aFloat("alpha", 2)) }, "MulConst Elu MulConst", nil, all(func(v float64) float64 { return max(v, 0) + min(2*(math.Exp(v/2)-1), 0) })},
		{"thresholded relu", 17, func(b *build) { b.node("ThresholdedRelu", "x -> y", aFloat("alpha", 0.5)) }, "Step Mul", nil, []float32{0, 0, 1, 7, 0, 0}},
		{"one slope", 17, func(b *build) { b.floats("s", []int{1}, 0.5).node("PRelu", "x s -> y") }, "LeakyRelu", nil, []float32{-1, -0.25, 1, 7, 0.25, -0.5}},
		{"slopes", 17, func(b *build) { b.floats("s", []int{3}, 0.5, 2, 3).node("PRelu", "x s -> y") }, "Relu MulConst Relu MulConst Add", nil, []float32{-1, -1, 1, 7, 0.25, -3}},
		{"cube", 17, func(b *build) { b.floats("e", nil, 3).node("Pow", "x e -> y") }, "Pow", nil, all(func(v float64) float64 { return v * v * v })},
		{"power of one", 17, func(b *build) { b.floats("e", nil, 1).node("Pow", "x e -> y") }, "", nil, x.Data},
		{"product", 17, func(b *build) { b.node("Abs", "x -> a").node("Mul", "x a -> y") }, "Abs Mul", nil, all(func(v float64) float64 { return v * math.Abs(v) })},
		{"product of ranks", 17, func(b *build) {
			b.node("ReduceMean", "x -> m", aInts("axes", 0), aInt("keepdims", 0)).node("Mul", "m x -> y")
		}, "MeanAxes Reshape Mul", nil, []float32{-5, 0.0625, 0, 17.5, -0.03125, 0}},
		{"quotient", 17, func(b *build) { b.node("Exp", "x -> a").node("Div", "x a -> y") }, "Exp Reciprocal Mul", nil, all(func(v float64) float64 { return v / math.Exp(v) })},
		{"constant by activation", 17, func(b *build) { b.floats("c", []int{3}, 1, 2, 3).node("Div", "c x -> y") }, "Reciprocal MulConst", nil, []float32{-0.5, -4, 3, 1. / 7, 8, -3}},
		{"mean of three", 17, func(b *build) { b.node("Mean", "x x x -> y") }, "Add Add MulConst", nil, x.Data},
		{"sum of constants and x", 17, func(b *build) {
			b.floats("c", nil, 1).floats("d", nil, 2).node("Sum", "c d x -> y")
		}, "AddConst", nil, all(func(v float64) float64 { return v + 3 })},
		{"max of two", 17, func(b *build) { b.node("Neg", "x -> n").node("Max", "x n -> y") }, "MulConst Maximum", nil, all(math.Abs)},
		{"max of x and a number", 17, func(b *build) { b.floats("c", nil, 0.5).node("Max", "c x -> y") }, "Clip", nil, all(func(v float64) float64 { return max(v, 0.5) })},
		{"max of x and 0", 17, func(b *build) { b.floats("c", nil, 0).node("Max", "c x -> y") }, "Relu", nil, all(func(v float64) float64 { return max(v, 0) })},
		{"max of x and a row", 17, func(b *build) { b.floats("c", []int{3}, 0, -1, 2).node("Max", "x c -> y") }, "AddConst Relu AddConst", nil, []float32{0, -0.5, 2, 7, 0.25, 2}},
		{"min of two", 17, func(b *build) { b.node("Neg", "x -> n").node("Min", "x n -> y") }, "MulConst MulConst MulConst Maximum MulConst", nil, all(func(v float64) float64 { return -math.Abs(v) })},
		{"min of x and a number", 17, func(b *build) { b.floats("c", nil, 0.5).node("Min", "c x -> y") }, "Clip", nil, all(func(v float64) float64 { return min(v, 0.5) })},
		{"min of x and a row", 17, func(b *build) { b.floats("c", []int{3}, 0, -1, 2).node("Min", "x c -> y") }, "MulConst AddConst Relu AddConst MulConst", nil, []float32{-2, -1, 1, 0, -1, -1}},
		{"sum over an axis", 17, func(b *build) { b.ints("a", 1).node("ReduceSum", "x a -> y", aInt("keepdims", 0)) }, "MeanAxes MulConst", []int{2}, []float32{-1.5, 6.25}},
		{"sum of squares", 17, func(b *build) { b.node("ReduceSumSquare", "x -> y", aInts("axes", 1)) }, "Pow MeanAxes MulConst", []int{2, 1}, []float32{5.25, 50.0625}},
		{"sum of magnitudes", 18, func(b *build) { b.node("ReduceL1", "x -> y", aInt("keepdims", 0)) }, "Abs MeanAxes MulConst", []int{}, []float32{11.75}},
		{"length", 17, func(b *build) { b.node("ReduceL2", "x -> y", aInts("axes", 0)) }, "Pow MeanAxes MulConst Sqrt", []int{1, 3}, []float32{7.2801099, 0.5590170, 1.4142135}},
		{"maximum over an axis", 17, func(b *build) { b.node("ReduceMax", "x -> y", aInts("axes", 1)) }, "Slice Slice Maximum Slice Slice Maximum", []int{2, 1}, []float32{1, 7}},
		{"minimum over all", 17, func(b *build) { b.node("ReduceMin", "x -> y", aInt("keepdims", 0)) }, "MulConst Slice Slice Maximum Slice Slice Maximum Slice Slice Maximum Reshape MulConst", []int{}, []float32{-2}},
		{"softmax of two axes", 11, func(b *build) {
			b.ints("s", 1, 2, 3).node("Reshape", "x s -> z").node("Softmax", "z -> p").node("ReduceSum", "p -> y", aInts("axes", 1, 2), aInt("keepdims", 0))
		}, "Reshape Reshape Softmax Reshape MeanAxes MulConst", []int{1}, []float32{1}},
		{"softmax behind a cast", 17, func(b *build) {
			b.node("Softmax", "x -> p").node("Cast", "p -> q", aInt("to", 1)).node("ReduceSum", "q one -> y")
		}, "Softmax MeanAxes MulConst", []int{2, 1}, []float32{1, 1}},
		{"logarithm of a softmax", 17, func(b *build) {
			b.floats("k", nil, 100).node("Mul", "x k -> z").node("LogSoftmax", "z -> y")
		}, "MulConst Slice Slice Maximum Slice Slice Maximum Broadcast Add Exp MeanAxes MulConst Log Broadcast Add", nil, []float32{-300, -150, 0, 0, -675, -800}},
		{"tile", 17, func(b *build) { b.ints("r", 1, 2).node("Tile", "x r -> y") }, "Reshape Broadcast Reshape", []int{2, 6}, []float32{-2, -0.5, 1, -2, -0.5, 1, 7, 0.25, -1, 7, 0.25, -1}},
		{"gather any", 17, func(b *build) { b.ints("i", 0, 2, 2, 1).node("Gather", "x i -> y", aInt("axis", 1)) }, "Slice Slice Concat", []int{2, 4}, []float32{-2, 1, 1, -0.5, 7, -1, -1, 0.25}},
		{"gather repeated", 17, func(b *build) { b.ints("i", 2, 2, 1, 1).node("Gather", "x i -> y", aInt("axis", 1)) }, "Slice Reshape Broadcast Reshape", []int{2, 4}, []float32{1, 1, -0.5, -0.5, -1, -1, 0.25, 0.25}},
		{"triangle", 17, func(b *build) { b.node("Trilu", "x -> y") }, "MulConst", nil, []float32{-2, -0.5, 1, 0, 0.25, -1}},
		{"running sum of a constant", 17, func(b *build) {
			b.floats("c", []int{3}, 1, 2, 3).scalar("a", 0).node("CumSum", "c a -> s").node("Mul", "x s -> y")
		}, "MulConst", nil, []float32{-2, -1.5, 6, 7, 0.75, -6}},
		{"matrix product of constants", 17, func(b *build) {
			b.floats("c", []int{2, 1}, 1, 2).floats("d", []int{1, 3}, 1, 2, 3).node("MatMul", "c d -> s").node("Mul", "x s -> y")
		}, "MulConst", nil, []float32{-2, -1, 3, 14, 1, -6}},
		{"constant on the left", 17, func(b *build) { b.floats("c", []int{1, 2}, 1, 2).node("MatMul", "c x -> y") }, "Transpose MatMul Transpose", []int{1, 3}, []float32{12, 0, -1}},
		{"list on the left", 17, func(b *build) { b.floats("c", []int{2}, 1, 2).node("MatMul", "c x -> y") }, "Transpose MatMul Transpose Reshape", []int{3}, []float32{12, 0, -1}},
		{"product with itself", 17, func(b *build) { b.node("Gemm", "x x -> y", aInt("transB", 1), aFloat("alpha", 2)) }, "Transpose MulConst Product", []int{2, 2}, []float32{10.5, -30.25, -30.25, 100.125}},
		{"transposed and a constant", 17, func(b *build) { b.floats("c", []int{2, 1}, 1, 2).node("Gemm", "x c -> y", aInt("transA", 1)) }, "Transpose MatMul", []int{3, 1}, []float32{12, 0, -1}},
		{"layer norm over two axes", 17, func(b *build) {
			b.floats("g", []int{2, 3}, ones(6)...).node("LayerNormalization", "x g -> n", aInt("axis", 0)).node("ReduceMean", "n -> y", aInt("keepdims", 0))
		}, "Reshape Norm Reshape MulConst MeanAxes", []int{}, []float32{0}},
		{"depth to space", 17, func(b *build) {
			b.ints("s", 1, 4, 1, 1).ints("i", 0, 1).node("Gather", "x i -> z", aInt("axis", 1)).node("Reshape", "z s -> w").node("DepthToSpace", "w -> y", aInt("blocksize", 2))
		}, "Slice Reshape Reshape Transpose Reshape", []int{1, 1, 2, 2}, []float32{-2, -0.5, 7, 0.25}},
		{"space to depth", 17, func(b *build) {
			b.ints("s", 1, 1, 2, 2).ints("i", 0, 1).node("Gather", "x i -> z", aInt("axis", 1)).node("Reshape", "z s -> w").node("SpaceToDepth", "w -> y", aInt("blocksize", 2))
		}, "Slice Reshape Reshape Transpose Reshape", []int{1, 4, 1, 1}, []float32{-2, -0.5, 7, 0.25}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBuild(c.opset).input("x", 2, 3).ints("one", 1).output("y")
			c.edit(b)
			g := b.graph(t, Options{})
			if got := kinds(g); got != c.ops {
				t.Errorf("operators %q, want %q", got, c.ops)
			}
			if c.shape == nil {
				c.shape = x.Shape
			}
			wantTensor(t, outputs(t, g, x)[0], c.shape, c.want)
		})
	}
}

func TestUnsupportedFormsAreRefusedWithTheirReason(t *testing.T) {
	for _, c := range []struct {
		want string
		edit func(*build)
	}{
		{`Einsum n_y: equation "...ab->ab" is not supported`, func(b *build) { b.node("Einsum", "x -> y", aString("equation", "...ab->ab")) }},
		{`Einsum n_y: equation "aa->a" repeats an axis`, func(b *build) { b.node("Einsum", "x -> y", aString("equation", "aa->a")) }},
		{`Einsum n_y: axis 'a' has lengths 2 and 3`, func(b *build) { b.node("Einsum", "x x -> y", aString("equation", "ab,ca->bc")) }},
		{`Einsum n_y: axes "abc" for shape [2 3]`, func(b *build) { b.node("Einsum", "x -> y", aString("equation", "abc->a")) }},
		{`Resize n_y: mode "cubic" is not supported`, func(b *build) { b.floats("s", []int{2}, 1, 2).node("Resize", "x _ s -> y", aString("mode", "cubic")) }},
		{`Resize n_y: scale -1 of an axis of length 3`, func(b *build) { b.floats("s", []int{2}, 1, -1).node("Resize", "x _ s -> y") }},
		{"Gelu n_y: approximation fast is not supported", func(b *build) { b.node("Gelu", "x -> y", aString("approximate", "fast")) }},
		{"LayerNormalization n_y: epsilon is -1", func(b *build) {
			b.floats("g", []int{3}, 1, 1, 1).node("LayerNormalization", "x g -> y", aFloat("epsilon", -1))
		}},
		{`LayerNormalization n_y: output "m" is not supported`, func(b *build) {
			b.floats("g", []int{3}, 1, 1, 1).node("LayerNormalization", "x g -> y m").output("m")
		}},
		{"Tile n_y: repeats are not one positive number an axis", func(b *build) { b.ints("r", 2).node("Tile", "x r -> y") }},
		{"PRelu n_y: constant of shape [1 2] does not broadcast into [2 3]", func(b *build) { b.floats("s", []int{2}, 1, 2).node("PRelu", "x s -> y") }},
		{"Softmax n_s: masked cells are supported only in front of a Softmax", func(b *build) {
			b.m.Opsets[0].Version = 11
			b.ints("z", 1, 2, 3).floats("m", []int{3}, 0, -1e4, 0).node("Add", "x m -> a").node("Reshape", "a z -> w").
				node("Softmax", "w -> s").node("Relu", "s -> y")
		}},
		{"Where n_y: operands of types float32, float32 and float32", func(b *build) { b.node("Where", "x x x -> y") }},
	} {
		b := newBuild(20).input("x", 2, 3).output("y")
		c.edit(b)
		if got := b.refused(t); got[0] != c.want {
			t.Errorf("got  %q\nwant %q", got[0], c.want)
		}
	}
}
