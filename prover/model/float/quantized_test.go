package float

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/weisyn/wes/prover/model/onnx"
	"github.com/weisyn/wes/prover/model/onnx/onnxtest"
)

// normal draws numbers of unit variance.
func normal(seed uint64, shape []int) (Tensor, onnxtest.Tensor) {
	r := rand.New(rand.NewPCG(seed, 5))
	x := NewTensor(shape)
	wide := onnxtest.Tensor{Shape: shape, Data: make([]float64, len(x.Data))}
	for i := range x.Data {
		x.Data[i] = float32(r.NormFloat64())
		wide.Data[i] = float64(x.Data[i])
	}
	return x, wide
}

// steps counts cells that differ by more than a rounding of float32, and by more than a step.
type steps struct{ cells, other, far int }

func (s *steps) add(got []float32, want func(i int) float64, step float64) {
	for i, v := range got {
		d := math.Abs(float64(v)-want(i)) / step
		s.cells++
		if d > 0.01 {
			s.other++
		}
		if d > 1.01 {
			s.far++
		}
	}
}

// eachInt8 calls f with every quantised network in every form, and an input.
func eachInt8(t *testing.T, narrow bool, f func(t *testing.T, b *onnxtest.Builder, x Tensor, wide onnxtest.Tensor, got Tensor, step float64)) {
	for _, net := range onnxtest.Networks() {
		for _, form := range onnxtest.Forms {
			t.Run(net.Name+"/"+form.String(), func(t *testing.T) {
				for seed := range uint64(3) {
					b := onnxtest.New(form, seed)
					b.Narrow = narrow
					m, err := onnx.Parse(net.Build(b), onnx.Limits{})
					if err != nil {
						t.Fatal(err)
					}
					g, err := Import(m, Options{})
					if err != nil {
						t.Fatal(err)
					}
					x, wide := normal(seed, net.Shape)
					last, ok := g.Nodes[len(g.Nodes)-1].Op.(*Quantized)
					if !ok {
						t.Fatalf("the last operator is %s", g.Nodes[len(g.Nodes)-1].Op.Kind())
					}
					f(t, b, x, wide, outputs(t, g, x)[0], float64(last.Scale))
				}
			})
		}
	}
}

// TestInt8ModelsAreWhatTheirOperatorsSay compares with the operators one by one: sums of another order round
// otherwise in float32, and now and then that moves a cell by a step.
func TestInt8ModelsAreWhatTheirOperatorsSay(t *testing.T) {
	eachInt8(t, false, func(t *testing.T, b *onnxtest.Builder, _ Tensor, wide onnxtest.Tensor, got Tensor, step float64) {
		want := onnxtest.Run(&b.Model, wide)
		var s steps
		s.add(got.Data, func(i int) float64 { return want.Data[i] }, step)
		if s.far > 0 || 100*s.other > s.cells {
			t.Errorf("%+v", s)
		}
	})
}

func TestONNXRuntimeAgreesAboutInt8Models(t *testing.T) {
	c := openRuntime(t)
	var s steps
	eachInt8(t, true, func(t *testing.T, b *onnxtest.Builder, x Tensor, _ onnxtest.Tensor, got Tensor, step float64) {
		want := onRuntime(t, c, &b.Model, x, got.Shape)[0]
		s.add(got.Data, func(i int) float64 { return float64(want[i]) }, step)
	})
	t.Logf("%+v", s)
	if 1000*s.far > s.cells || 20*s.other > s.cells {
		t.Errorf("%+v", s)
	}
}

// typedInts adds integers of a type.
func (b *build) typedInts(name string, typ onnx.DataType, shape []int, v ...int64) *build {
	b.m.Graph.Initializers = append(b.m.Graph.Initializers, onnx.Tensor{Name: name, Type: typ, Dims: dims64(shape), Ints: v})
	return b
}

// quantising is a model with an input of two rows, scales and zero points.
func quantising() *build {
	b := newBuild(13).input("x", 2, 3).output("y").floats("s", nil, 0.5).floats("t", nil, 0.25).floats("s3", []int{3}, 1, 2, 3)
	b.typedInts("z", onnx.Int8, nil, 3).typedInts("u", onnx.Uint8, nil, 128).typedInts("n", onnx.Int32, nil, 0)
	b.typedInts("z3", onnx.Int8, []int{3}, 0, 1, 2)
	return b.typedInts("w", onnx.Int8, []int{3, 2}, 1, -2, 3, -4, 5, -6)
}

func TestQuantizedRoundsHalvesToEvenAndClamps(t *testing.T) {
	b := quantising().node("QuantizeLinear", "x s z -> q").node("DequantizeLinear", "q s z -> y")
	got := outputs(t, b.graph(t, Options{}), Tensor{[]int{2, 3}, []float32{0.25, 0.75, -0.25, 100, -100, 0.2500001}})
	wantTensor(t, got[0], []int{2, 3}, []float32{0, 1, 0, 62, -65.5, 0.5})
}

func TestConstantsAreDequantisedByChannel(t *testing.T) {
	b := quantising().node("DequantizeLinear", "w s3 z3 -> v", aInt("axis", 0)).node("MatMul", "x v -> y")
	g := b.graph(t, Options{})
	op := g.Nodes[0].Op.(*MatMul)
	if want := []float32{1, -2, 4, -10, 9, -24}; !slices.Equal(op.W, want) || op.Grid != nil {
		t.Errorf("weights %v on %v, want %v on no grid", op.W, op.Grid, want)
	}
}

// TestGridsFollowWeights: through transpositions, factors and sums, to the channels of their products.
func TestGridsFollowWeights(t *testing.T) {
	b := quantising().floats("k", []int{3}, 2, 4, -8).floats("c", []int{1, 3}, 1, 1, 1)
	b.typedInts("w2", onnx.Int8, []int{3, 3}, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	b.node("DequantizeLinear", "w2 s3 z3 -> v", aInt("axis", 0)).node("Transpose", "v -> vt").node("MatMul", "x vt -> m")
	b.node("Mul", "m k -> p").node("Add", "p c -> y")
	g := b.graph(t, Options{})
	if op := g.Nodes[0].Op.(*MatMul); len(g.Nodes) != 1 || !slices.Equal(op.Grid, []float32{2, 8, -24}) {
		t.Errorf("%d nodes, grid %v", len(g.Nodes), op.Grid)
	}
}

// TestValuesOnTheirStepsAreNotRoundedAgain: behind operators that move integers or take their maxima.
func TestValuesOnTheirStepsAreNotRoundedAgain(t *testing.T) {
	b := newBuild(13).input("x", 1, 2, 4, 4).output("y").floats("s", nil, 0.5).floats("t", nil, 0.25).typedInts("u", onnx.Uint8, nil, 128)
	b.node("QuantizeLinear", "x s u -> q").node("DequantizeLinear", "q s u -> a").node("MaxPool", "a -> b", aInts("kernel_shape", 2, 2))
	b.node("Relu", "b -> c").node("QuantizeLinear", "c s u -> d").node("Reshape", "d r -> e").ints("r", 1, 18)
	b.node("DequantizeLinear", "e s u -> f").node("QuantizeLinear", "f s u -> g").node("DequantizeLinear", "g s u -> y")
	g := b.graph(t, Options{})
	var kinds []string
	for i := range g.Nodes {
		kinds = append(kinds, g.Nodes[i].Op.Kind())
	}
	if want := "Quantized MaxPool Relu Reshape"; strings.Join(kinds, " ") != want {
		t.Errorf("%v, want %s", kinds, want)
	}
}

func TestIntegersOfTheClientHaveTheirTypesDomain(t *testing.T) {
	b := newBuild(13).typed("x", onnx.Uint8, 2, 2).output("y").floats("s", nil, 0.5).typedInts("u", onnx.Uint8, nil, 128)
	g := b.node("DequantizeLinear", "x s u -> y").graph(t, Options{})
	wantTensor(t, outputs(t, g, Tensor{[]int{2, 2}, []float32{0, 128, 129, 255}})[0], []int{2, 2}, []float32{-64, 0, 0.5, 63.5})
	if _, err := Outputs(t.Context(), g, []Tensor{{[]int{2, 2}, []float32{0, 0, 0, 256}}}); !errors.Is(err, ErrDomain) {
		t.Errorf("%v for 256", err)
	}
}

func TestQuantisationIsRefusedWithItsReason(t *testing.T) {
	for _, c := range []struct {
		want string
		add  func(b *build)
	}{
		{"scale 0", func(b *build) { b.floats("bad", nil, 0).node("QuantizeLinear", "x bad z -> q") }},
		{"scale -1", func(b *build) { b.floats("bad", nil, -1).node("QuantizeLinear", "x bad z -> q") }},
		{"scale 1e-40", func(b *build) { b.floats("bad", nil, 1e-40).node("QuantizeLinear", "x bad z -> q") }},
		{"scale 1e+38", func(b *build) { b.floats("bad", nil, 1e38).node("QuantizeLinear", "x bad z -> q") }},
		{"scale is int64 of shape [1]", func(b *build) { b.ints("bad", 1).node("QuantizeLinear", "x bad z -> q") }},
		{"scale: operand 1 must be constant", func(b *build) { b.node("QuantizeLinear", "x x z -> q") }},
		{"scale: operand 1 is missing", func(b *build) { b.node("QuantizeLinear", "x -> q") }},
		{"zero point is int8 of shape [3], for 1 scales of int8", func(b *build) { b.node("QuantizeLinear", "x s z3 -> q") }},
		{"zero point is uint8 of shape [], for 1 scales of int8", func(b *build) { b.node("DequantizeLinear", "w s u -> q") }},
		{"zero point 1 of int32", func(b *build) {
			b.typedInts("b", onnx.Int32, []int{2}, 5, 6).typedInts("one", onnx.Int32, nil, 1).node("DequantizeLinear", "b s one -> q")
		}},
		{"quantisation of float32 to int32 is not supported", func(b *build) { b.floats("f", nil, 1).node("QuantizeLinear", "f s n -> q") }},
		{"an activation of int32 is not supported", func(b *build) { b.node("QuantizeLinear", "x s n -> q") }},
		{"quantisation to int64 is not supported", func(b *build) { b.node("QuantizeLinear", "x s -> q", aInt("output_dtype", 7)) }},
		{"an activation with a scale for each channel is not supported", func(b *build) { b.node("QuantizeLinear", "x s3 z3 -> q", aInt("axis", 1)) }},
		{"3 scales for axis 0 of shape [2 3]", func(b *build) { b.node("QuantizeLinear", "x s3 z3 -> q", aInt("axis", 0)) }},
		{"axis 2 for rank 2", func(b *build) { b.node("DequantizeLinear", "w s3 z3 -> q", aInt("axis", 2)) }},
		{"blocks of 16 cells with a scale each are not supported", func(b *build) { b.node("DequantizeLinear", "w s z -> q", aInt("block_size", 16)) }},
		{"integers of scale 0.5 and zero point 3 are read with scale 0.25 and zero point 3", func(b *build) {
			b.node("QuantizeLinear", "x s z -> a").node("DequantizeLinear", "a t z -> q")
		}},
		{"zero point is uint8 of shape [], for 1 scales of int8", func(b *build) {
			b.node("QuantizeLinear", "x s z -> a").node("DequantizeLinear", "a s u -> q")
		}},
		{"integers of a quantised activation are read as they are: dequantise them before", func(b *build) {
			b.node("QuantizeLinear", "x s z -> a").node("Cast", "a -> q", aInt("to", 1))
		}},
		{"integers of different scales are joined", func(b *build) {
			b.node("QuantizeLinear", "x s z -> a").node("QuantizeLinear", "x t z -> b").node("Concat", "a b -> q", aInt("axis", 0))
		}},
		{"its scale depends on the input: quantise the model statically", func(b *build) { b.node("DynamicQuantizeLinear", "x -> q a b") }},
		{"integers are int8, not int32", func(b *build) {
			b.node("QuantizeLinear", "x s z -> a").node("Reshape", "a r -> p").ints("r", 1, 2, 3, 1)
			b.typedInts("k", onnx.Int8, []int{1, 2, 1, 1}, 1, 2).typedInts("b", onnx.Int8, []int{1}, 1)
			b.node("QLinearConv", "p s z k s z s z b -> q")
		}},
		{"operand 7 is missing", func(b *build) {
			b.node("QuantizeLinear", "x s z -> a").node("QLinearMatMul", "a s z w s z s -> q")
		}},
		{"operand 1 must be constant", func(b *build) {
			b.node("QuantizeLinear", "x s z -> a").node("MatMulInteger", "a a z -> q")
		}},
		{"integers of scale 0.5 and zero point 3 are read with scale 0.5 and zero point 0", func(b *build) {
			b.node("QuantizeLinear", "x s z -> a").node("MatMulInteger", "a w -> q")
		}},
		{"zero point is int64 of shape [1], for int8", func(b *build) {
			b.ints("bad", 3).node("QuantizeLinear", "x s z -> a").node("MatMulInteger", "a w bad -> q")
		}},
	} {
		b := quantising()
		c.add(b)
		b.m.Graph.Outputs = b.m.Graph.Outputs[:0]
		b.output("q")
		got := b.refused(t)
		if !strings.HasSuffix(got[0], " n_q: "+c.want) {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// TestIntegersMayBeAnOutput: with their zero point.
func TestIntegersMayBeAnOutput(t *testing.T) {
	g := quantising().node("QuantizeLinear", "x s z -> y").graph(t, Options{})
	x := Tensor{[]int{2, 3}, []float32{0, 0.25, 0.75, 1.5, 100, -100}}
	wantTensor(t, outputs(t, g, x)[0], []int{2, 3}, []float32{3, 3, 5, 6, 127, -128})
	if g.Outputs[0].Type != onnx.Int8 {
		t.Errorf("type %v", g.Outputs[0].Type)
	}
}
