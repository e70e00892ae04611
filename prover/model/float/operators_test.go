package float

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
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

func TestNormsOfChannelsAgreeWithTheirFormulas(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	x := randomTensor(r, 2, 4, 3, 2)
	gamma, beta := randomTensor(r, 4), randomTensor(r, 4)
	for _, c := range []struct {
		op     string
		opset  int
		groups int
	}{{"InstanceNormalization", 17, 4}, {"GroupNormalization", 21, 2}, {"GroupNormalization", 18, 2}} {
		t.Run(fmt.Sprint(c.op, c.opset), func(t *testing.T) {
			scale, bias := slices.Clone(gamma.Data), slices.Clone(beta.Data)
			b := newBuild(c.opset).input("x", 2, 4, 3, 2).output("y")
			if c.opset == 18 { // a number a group
				b.floats("g", []int{2}, scale[0], scale[2]).floats("b", []int{2}, bias[0], bias[2])
				scale[1], scale[3], bias[1], bias[3] = scale[0], scale[2], bias[0], bias[2]
			} else {
				b.floats("g", []int{4}, scale...).floats("b", []int{4}, bias...)
			}
			if c.op == "GroupNormalization" {
				b.node(c.op, "x g b -> y", aInt("num_groups", c.groups))
			} else {
				b.node(c.op, "x g b -> y")
			}
			cells := 24 / c.groups
			unit := slices.Repeat([]float64{1}, cells)
			want := normOracle(x, 1e-5, true, unit, make([]float64, cells))
			for i := range want {
				ch := i / 6 % 4
				want[i] = want[i]*scale[ch] + bias[ch]
			}
			wantTensor(t, outputs(t, b.graph(t, Options{}), x)[0], x.Shape, want)
		})
	}
}

func TestEinsumAgreesWithItsDefinition(t *testing.T) {
	lengths := map[rune]int{'a': 2, 'b': 3, 'c': 4, 'd': 2, 'e': 3}
	shape := func(term string) (s []int) {
		for _, r := range term {
			s = append(s, lengths[r])
		}
		return s
	}
	r := rand.New(rand.NewPCG(5, 6))
	for _, eq := range []string{
		"ab,bc->ac", "ab,cb->ac", "abc,abd->acd", "abcd,aecd->acbe", "abcd,aebd->aecb", "ab,ab->a", "ab,ab->", "a,b->ab",
		"abc,cd->abd", "ab,bc", "ba,bc->ca", "abc->cab", "abc->b", "abc,a->ab", "ab,c->cb",
	} {
		left, out, explicit := strings.Cut(eq, "->")
		if !explicit {
			out = "ac"
		}
		terms := strings.Split(left, ",")
		b := newBuild(17).output("y")
		var in []Tensor
		for i, term := range terms {
			b.input(string(rune('x'+i)), shape(term)...)
			in = append(in, randomTensor(r, shape(term)...))
		}
		wires := "x -> y"
		if len(terms) == 2 {
			b.m.Graph.Inputs[1].Name = "z"
			wires = "x z -> y"
		}
		g := b.node("Einsum", wires, aString("equation", eq)).graph(t, Options{})
		got := outputs(t, g, in...)[0]
		wantTensor(t, got, append([]int{}, shape(out)...), einsumOracle(terms, out, lengths, in))
	}
}

// einsumOracle sums over all letters.
func einsumOracle(terms []string, out string, lengths map[rune]int, in []Tensor) []float32 {
	var letters []rune
	for _, r := range strings.Join(terms, "") {
		if !slices.Contains(letters, r) {
			letters = append(letters, r)
		}
	}
	at := map[rune]int{}
	index := func(term string) int {
		i := 0
		for _, r := range term {
			i = i*lengths[r] + at[r]
		}
		return i
	}
	n := 1
	for _, r := range out {
		n *= lengths[r]
	}
	sums := make([]float64, n)
	var walk func(k int)
	walk = func(k int) {
		if k < len(letters) {
			for i := range lengths[letters[k]] {
				at[letters[k]] = i
				walk(k + 1)
			}
			return
		}
		p := 1.0
		for i, term := range terms {
			p *= float64(in[i].Data[index(term)])
		}
		sums[index(out)] += p
	}
	walk(0)
	data := make([]float32, n)
	for i, s := range sums {
		data[i] = float32(s)
	}
	return data
}

func TestConvTransposeAgreesWithItsDefinition(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 60 {
		group, in, out := 1+r.IntN(2), 1+r.IntN(2), 1+r.IntN(2)
		n, k, s, d := 1+r.IntN(4), 1+r.IntN(3), 1+r.IntN(3), 1+r.IntN(2)
		extra := r.IntN(max(s, d))
		extent := (k-1)*d + 1
		begin, end := r.IntN(extent+1), r.IntN(extent+1)
		length := (n-1)*s + extent - begin - end + extra
		if length < 1 || n*s-s+1-max(begin-extent+1, 0)-max(end-extent+1-extra, 0) < 1 {
			continue
		}
		x, w := randomTensor(r, 1, in*group, n), randomTensor(r, in*group, out, k)
		bias := randomTensor(r, out*group)
		g := newBuild(17).input("x", x.Shape...).floats("w", w.Shape, w.Data...).floats("b", bias.Shape, bias.Data...).
			node("ConvTranspose", "x w b -> y", aInt("group", group), aInts("strides", int64(s)), aInts("dilations", int64(d)),
				aInts("pads", int64(begin), int64(end)), aInts("output_padding", int64(extra))).output("y").graph(t, Options{})
		want := NewTensor([]int{1, out * group, length})
		for i := range want.Data {
			want.Data[i] = bias.Data[i/length]
		}
		for c := range in * group {
			for i := range n {
				for o := range out {
					for j := range k {
						if at := i*s + j*d - begin; at >= 0 && at < length {
							want.Data[(c/in*out+o)*length+at] += x.Data[c*n+i] * w.Data[(c*out+o)*k+j]
						}
					}
				}
			}
		}
		wantTensor(t, outputs(t, g, x)[0], want.Shape, want.Data)
	}
}

func TestResizeAgreesWithHandComputedValues(t *testing.T) {
	x := Tensor{[]int{1, 1, 1, 4}, []float32{1, 2, 3, 4}}
	for _, c := range []struct {
		name  string
		scale float32
		attrs string // mode, coordinates, nearest mode
		want  []float32
	}{
		{"doubled", 2, "nearest asymmetric floor", []float32{1, 1, 2, 2, 3, 3, 4, 4}},
		{"doubled by half pixels", 2, "nearest half_pixel round_prefer_floor", []float32{1, 1, 2, 2, 3, 3, 4, 4}},
		{"doubled by half pixels and floor", 2, "nearest half_pixel floor", []float32{1, 1, 1, 2, 2, 3, 3, 4}},
		{"halved", 0.5, "nearest asymmetric floor", []float32{1, 3}},
		{"halved, upper cells", 0.5, "nearest half_pixel round_prefer_ceil", []float32{2, 4}},
		{"by one and a half", 1.5, "nearest asymmetric ceil", []float32{1, 2, 3, 3, 4, 4}},
		{"linear", 2, "linear half_pixel floor", []float32{1, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4}},
		{"linear with corners", 1.75, "linear align_corners floor", []float32{1, 1.5, 2, 2.5, 3, 3.5, 4}},
		{"linear to one", 0.25, "linear pytorch_half_pixel floor", []float32{1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := strings.Fields(c.attrs)
			g := newBuild(17).input("x", x.Shape...).floats("s", []int{4}, 1, 1, 2, c.scale).
				node("Resize", "x _ s -> y", aString("mode", a[0]), aString("coordinate_transformation_mode", a[1]), aString("nearest_mode", a[2])).
				output("y").graph(t, Options{})
			n := len(c.want)
			wantTensor(t, outputs(t, g, x)[0], []int{1, 1, 2, n}, slices.Concat(c.want, c.want))
			sized := newBuild(18).input("x", x.Shape...).ints("z", int64(n)).
				node("Resize", "x _ _ z -> y", aString("mode", a[0]), aString("coordinate_transformation_mode", a[1]), aString("nearest_mode", a[2]), aInts("axes", -1)).
				output("y").graph(t, Options{})
			wantTensor(t, outputs(t, sized, x)[0], []int{1, 1, 1, n}, c.want)
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
