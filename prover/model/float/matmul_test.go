package float

import (
	"math/rand/v2"
	"testing"

	"github.com/weisyn/wes/prover/model/onnx"
)

func TestProductsAgreeWithHandComputedValues(t *testing.T) {
	six := []float32{1, 2, 3, 4, 5, 6}
	for _, c := range []struct {
		name  string
		in    []int
		edit  func(*build)
		ops   string
		shape []int
		want  []float32
	}{
		{"matrix", []int{2, 3}, func(b *build) {
			b.floats("w", []int{3, 2}, six...).node("MatMul", "x w -> y")
		}, "MatMul", []int{2, 2}, []float32{22, 28, 49, 64}},
		{"batched activation", []int{2, 1, 3}, func(b *build) {
			b.floats("w", []int{3, 2}, six...).node("MatMul", "x w -> y")
		}, "MatMul", []int{2, 1, 2}, []float32{22, 28, 49, 64}},
		{"vector on the right", []int{2, 3}, func(b *build) {
			b.floats("w", []int{3}, 1, 1, 2).node("MatMul", "x w -> y")
		}, "MatMul Reshape", []int{2}, []float32{9, 21}},
		{"vector on the left", []int{3}, func(b *build) {
			b.floats("w", []int{3, 2}, six...).node("MatMul", "x w -> y")
		}, "MatMul", []int{2}, []float32{22, 28}},
		{"leading ones", []int{1, 2, 3}, func(b *build) {
			b.floats("w", []int{1, 3, 2}, six...).node("MatMul", "x w -> y")
		}, "MatMul", []int{1, 2, 2}, []float32{22, 28, 49, 64}},
		{"gemm", []int{1, 3}, func(b *build) {
			b.floats("w", []int{2, 3}, six...).floats("c", []int{2}, 10, 20).
				node("Gemm", "x w c -> y", aInt("transB", 1), aFloat("alpha", 2), aFloat("beta", 0.5))
		}, "MatMul", []int{1, 2}, []float32{33, 74}},
		{"gemm without bias", []int{1, 3}, func(b *build) {
			b.floats("w", []int{3, 2}, six...).node("Gemm", "x w -> y")
		}, "MatMul", []int{1, 2}, []float32{22, 28}},
		{"gemm scalar bias", []int{1, 3}, func(b *build) {
			b.floats("w", []int{3, 2}, six...).floats("c", nil, 1).node("Gemm", "x w c -> y")
		}, "MatMul", []int{1, 2}, []float32{23, 29}},
		{"gemm matrix bias", []int{2, 3}, func(b *build) {
			b.floats("w", []int{3, 2}, six...).floats("c", []int{2, 1}, 1, 2).node("Gemm", "x w c -> y")
		}, "MatMul AddConst", []int{2, 2}, []float32{23, 29, 51, 66}},
		{"gemm activation bias", []int{1, 2}, func(b *build) {
			b.floats("w", []int{2, 2}, 1, 0, 0, 1).node("Gemm", "x w x -> y")
		}, "MatMul Add", []int{1, 2}, []float32{2, 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBuild(13).input("x", c.in...).output("y")
			c.edit(b)
			g := b.graph(t, Options{})
			if got := kinds(g); got != c.ops {
				t.Errorf("operators %q, want %q", got, c.ops)
			}
			wantTensor(t, outputs(t, g, iota1(c.in...))[0], c.shape, c.want)
		})
	}
}

func TestMatMulAgreesWithItsDefinition(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 100 {
		rows, m := 1+r.IntN(6), &MatMul{K: 1 + r.IntN(40), N: 1 + r.IntN(40)}
		m.W, m.B = randomTensor(r, m.K, m.N).Data, randomTensor(r, m.N).Data
		x, out := randomTensor(r, rows, m.K), NewTensor([]int{rows, m.N})
		m.eval([]Tensor{x}, out)
		want := make([]float32, 0, rows*m.N)
		for i := range rows {
			for j := range m.N {
				acc := float64(m.B[j])
				for k := range m.K {
					acc += float64(x.Data[i*m.K+k]) * float64(m.W[k*m.N+j])
				}
				want = append(want, float32(acc))
			}
		}
		wantTensor(t, out, out.Shape, want)
	}
}

func TestUnsupportedProductsAreRefusedWithTheirReason(t *testing.T) {
	for _, c := range []struct {
		want string
		edit func(*build)
	}{
		{"MatMul n_y: product of shapes [1 2 2 2] and [1 2 3 2]", func(b *build) {
			b.input("z", 1, 2, 3, 2).node("MatMul", "x z -> y")
		}},
		{"MatMul n_y: shapes [3] and [2] do not broadcast", func(b *build) {
			b.input("z", 3, 2, 2).input("v", 2, 2, 2).node("MatMul", "z v -> y")
		}},
		{"MatMul n_y: product of shapes [] and [2 2]", func(b *build) { b.input("z").node("MatMul", "z x -> y") }},
		{"Gemm n_y: operand 0: rank 3 is not one of [2]", func(b *build) { b.input("z", 1, 2, 2).node("Gemm", "z w -> y") }},
		{"output y: it does not depend on any input", func(b *build) { b.node("MatMul", "w w -> y") }},
		{"MatMul n_y: input [2 2], the weights want a last dimension of 3", func(b *build) {
			b.floats("v", []int{3, 1}, 1, 2, 3).node("MatMul", "x v -> y")
		}},
		{"MatMul n_y: weights of shape [2 2 1] are not one matrix", func(b *build) {
			b.floats("v", []int{2, 2, 1}, 1, 2, 3, 4).node("MatMul", "x v -> y")
		}},
		{"MatMul n_y: weights are int64 of shape [2 1]", func(b *build) { b.ints("v", 1, 2).node("MatMul", "x v -> y") }},
		{`Gemm n_y: attribute "alpha" has type 2 instead of 1`, func(b *build) { b.node("Gemm", "x w -> y", aInt("alpha", 1)) }},
		{"Conv n_y: needs two activations", func(b *build) { b.node("Conv", "x x -> y") }},
	} {
		b := newBuild(13).input("x", 2, 2).floats("w", []int{2, 2}, 1, 2, 3, 4).output("y")
		c.edit(b)
		if got := b.refused(t); got[0] != c.want {
			t.Errorf("got  %q\nwant %q", got[0], c.want)
		}
	}
}

func TestConvGeometryIsChecked(t *testing.T) {
	for _, c := range []struct {
		want  string
		attrs []onnx.Attribute
	}{
		{"strides has 0, outside [1, 65536]", []onnx.Attribute{aInts("strides", 0, 1)}},
		{"strides has -1, outside [1, 65536]", []onnx.Attribute{aInts("strides", 1, -1)}},
		{"dilations has 0, outside [1, 65536]", []onnx.Attribute{aInts("dilations", 1, 0)}},
		{"dilations has 2147483647, outside [1, 65536]", []onnx.Attribute{aInts("dilations", 1, 1<<62)}},
		{"pads has -1, outside [0, 65536]", []onnx.Attribute{aInts("pads", 0, 0, 0, -1)}},
		{"3 pads instead of 4", []onnx.Attribute{aInts("pads", 0, 0, 0)}},
		{"1 strides instead of 2", []onnx.Attribute{aInts("strides", 1)}},
		{"kernel_shape [3 3], the weights have [1 1]", []onnx.Attribute{aInts("kernel_shape", 3, 3)}},
		{"0 groups of weights [2 2 1 1] of float32", []onnx.Attribute{aInt("group", 0)}},
		{"3 groups of weights [2 2 1 1] of float32", []onnx.Attribute{aInt("group", 3)}},
		{"2 input channels, the weights want 4", []onnx.Attribute{aInt("group", 2)}},
		{`auto_pad "SAME" is not supported`, []onnx.Attribute{aString("auto_pad", "SAME")}},
		{`attribute "padding" is not supported`, []onnx.Attribute{aString("padding", "x")}},
		{"the window does not fit into axis 2 of length 2", []onnx.Attribute{aInts("dilations", 1, 1), aInts("strides", 1, 1)}},
	} {
		w := []int{2, 2, 1, 1}
		if c.want[0] == 't' {
			w = []int{2, 2, 3, 1}
		}
		b := newBuild(13).input("x", 1, 2, 2, 2).floats("w", w, ones(size(w))...).node("Conv", "x w -> y", c.attrs...).output("y")
		if got := b.refused(t); got[0] != "Conv n_y: "+c.want {
			t.Errorf("got  %q\nwant %q", got[0], c.want)
		}
	}
}

func TestProductsOfActivationsAgreeWithHandComputedValues(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b []int
		want []float32
	}{
		{"matrices", []int{2, 3}, []int{3, 2}, []float32{22, 28, 49, 64}},
		{"batches", []int{2, 1, 2}, []int{2, 2, 1}, []float32{5, 25}},
		{"batches on the left", []int{2, 1, 2}, []int{2, 2}, []float32{7, 10, 15, 22}},
		{"batches on the right", []int{1, 2}, []int{2, 2, 1}, []float32{5, 11}},
	} {
		b := newBuild(13).input("a", c.a...).input("b", c.b...).output("y").node("MatMul", "a b -> y")
		g := b.graph(t, Options{})
		if got := kinds(g); got != "Product" {
			t.Errorf("%s: operators %q", c.name, got)
		}
		if got, want := g.MACs(), int64(len(c.want)*c.a[len(c.a)-1]); got != want {
			t.Errorf("%s: %d MACs, want %d", c.name, got, want)
		}
		wantTensor(t, outputs(t, g, iota1(c.a...), iota1(c.b...))[0], g.Outputs[0].Shape, c.want)
	}
}
