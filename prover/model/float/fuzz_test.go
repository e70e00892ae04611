package float

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/weisyn/wes/prover/model/onnx"
)

func FuzzImport(f *testing.F) {
	for _, name := range []string{"iris_mlp", "digits_lenet"} {
		b, err := os.ReadFile(filepath.Join(modelDir(), name+".onnx"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, b := range fuzzSeeds() {
		data, err := b.m.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	limits := Limits{MACs: 1 << 22, Params: 1 << 16, Elements: 1 << 14, Total: 1 << 16, Nodes: 1 << 8, Rank: 6}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := onnx.Parse(data, onnx.Limits{Elements: 1 << 16})
		if err != nil {
			return
		}
		g, err := Import(m, Options{Batch: 2, Limits: limits})
		if err != nil {
			return
		}
		in := make([]Tensor, len(g.Inputs))
		for i := range in {
			in[i] = NewTensor(g.Inputs[i].Shape)
		}
		if _, err := Outputs(context.Background(), g, in); err != nil {
			t.Fatal(err)
		}
	})
}

// fuzzSeeds are small models that reach most importers.
func fuzzSeeds() []*build {
	conv := newBuild(13).input("x", -1, 2, 5, 5).floats("w", []int{2, 1, 3, 3}, ones(18)...).floats("c", []int{2}, 1, 2).
		node("Conv", "x w c -> a", aInt("group", 2), aInts("pads", 1, 1, 1, 1), aInts("dilations", 1, 1), aInts("strides", 2, 1)).
		node("BatchNormalization", "a c c c c -> b").
		node("MaxPool", "b -> d", aInts("kernel_shape", 2, 2), aInt("ceil_mode", 1), aInts("strides", 2, 2)).
		node("AveragePool", "d -> e", aInts("kernel_shape", 1, 2), aInt("count_include_pad", 1), aString("auto_pad", "SAME_UPPER")).
		node("GlobalAveragePool", "e -> f").node("Flatten", "f -> y").node("Softmax", "y -> z").output("z")
	move := newBuild(13).input("x", -1, 4).ints("s", 1).ints("e", 3).ints("a", 1).ints("p", 0, 0, 0, 1).ints("r", 0, 2, -1).
		node("Slice", "x s e a -> b").node("Pad", "b p -> c").node("Concat", "c x -> d", aInt("axis", 1)).node("Reshape", "d r -> f").
		node("Transpose", "f -> g", aInts("perm", 0, 2, 1)).node("ReduceMean", "g -> h", aInts("axes", 1)).
		node("Split", "h -> i j", aInt("axis", 2)).node("Sub", "i j -> k").node("Shape", "k -> l").
		node("ConstantOfShape", "l -> m").node("Mul", "k m -> n").node("Gather", "n s -> o", aInt("axis", 2)).
		node("Squeeze", "o -> q").node("ArgMax", "q -> y").output("y")
	move.m.Graph.Initializers[0].Ints[0] = 0
	text := newBuild(17).typed("ids", onnx.Int64, -1, 3).typed("mask", onnx.Int64, -1, 3).floats("t", []int{4, 2}, iota1(8).Data...).
		floats("g", []int{2}, 1, 2).floats("root", nil, 1.41421).floats("one", nil, 1).floats("half", nil, 0.5).floats("k", nil, -1e4).
		floats("causal", []int{3, 3}, 0, minusInf, minusInf, 0, 0, minusInf, 0, 0, 0).ints("a", 1).
		node("Gather", "t ids -> e").node("LayerNormalization", "e g g -> l").node("Transpose", "l -> w", aInts("perm", 0, 2, 1)).
		node("MatMul", "l w -> s").node("Add", "s causal -> m").node("Unsqueeze", "mask a -> u").node("Cast", "u -> f", aInt("to", 1)).
		node("Sub", "one f -> n").node("Mul", "n k -> o").node("Add", "m o -> p").node("Softmax", "p -> q").node("MatMul", "q l -> v").
		node("Div", "v root -> d").node("Erf", "d -> r").node("Add", "r one -> c").node("Mul", "v c -> h").node("Mul", "h half -> i").
		node("Greater", "i v -> j").node("Where", "j i v -> x").node("ReduceMax", "x -> z", aInts("axes", 1)).node("Einsum", "z x -> y", aString("equation", "abc,adc->abd")).
		output("y")
	plane := newBuild(18).input("x", -1, 4, 2, 2).floats("w", []int{4, 1, 2, 2}, ones(16)...).floats("s", []int{4}, 1, 1, 2, 1.5).floats("g", []int{1}, 2).
		node("ConvTranspose", "x w -> a", aInts("strides", 2, 2), aInts("pads", 1, 0, 0, 1), aInts("output_padding", 1, 0)).
		node("Resize", "a _ s -> b", aString("mode", "nearest")).node("Resize", "b _ s -> c", aString("mode", "linear")).
		node("InstanceNormalization", "c g g -> d").node("SpaceToDepth", "x -> e", aInt("blocksize", 2)).node("DepthToSpace", "e -> f", aInt("blocksize", 2)).
		node("PRelu", "f g -> h").node("Min", "h f -> i").output("d", "i")
	steps := newBuild(14).input("x", -1, 3, 2).input("h", -1, 2, 2).ints("n", 3, 3).floats("w", []int{2, 8, 2}, ones(32)...).floats("b", []int{2, 16}, ones(32)...).
		floats("p", []int{2, 6}, ones(12)...).floats("u", []int{1, 6, 2}, ones(12)...).ints("a", 2).
		node("LSTM", "x w w b n h _ p -> _ s c", aString("direction", "bidirectional"), aFloat("clip", 2), aInt("input_forget", 1), aInt("layout", 1)).
		node("GRU", "c u u -> g", aInt("layout", 1), aInt("linear_before_reset", 1), aStrings("activations", "Affine", "Softsign"), aFloats("activation_alpha", 1), aFloats("activation_beta", 0)).
		node("Squeeze", "g a -> y").output("y", "s")
	return []*build{conv, move, text, plane, steps}
}

func TestFuzzSeedsImport(t *testing.T) {
	for i, b := range fuzzSeeds() {
		if _, err := Import(b.model(t), Options{Batch: 2}); err != nil {
			t.Errorf("seed %d: %v", i, err)
		}
	}
}
