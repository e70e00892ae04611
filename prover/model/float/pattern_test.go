package float

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// constants are numbers that patterns use.
func (b *build) constants() *build {
	for name, v := range map[string]float32{
		"half": 0.5, "one": 1, "two": 2, "three": 3, "six": 6, "zero": 0, "minus": -1, "root2": math.Sqrt2,
		"inverse2": 1 / math.Sqrt2, "cubic": 0.044715, "k": 0.7978845608, "eps": 1e-5, "ahalf": -0.5, "sixth": 1. / 6,
	} {
		b.floats(name, nil, v)
	}
	return b
}

func TestExporterPatternsBecomeOneOperator(t *testing.T) {
	gelu := func(x float64) float64 { return x * 0.5 * math.Erfc(-x/math.Sqrt2) }
	tanh := func(x float64) float64 { return x * (1 + math.Tanh(0.7978845608*(x+0.044715*x*x*x))) / 2 }
	silu := func(x float64) float64 { return x / (1 + math.Exp(-x)) }
	swish := func(x float64) float64 { return x * max(0, min(6, x+3)) / 6 }
	erf := func(b *build) *build {
		return b.node("Div", "x root2 -> d").node("Erf", "d -> e").node("Add", "e one -> g")
	}
	cubic := func(b *build) *build {
		return b.node("Pow", "x three -> p").node("Mul", "cubic p -> q").node("Add", "x q -> r").node("Mul", "r k -> s").
			node("Tanh", "s -> u").node("Add", "one u -> g")
	}
	for _, c := range []struct {
		name string
		edit func(*build)
		ops  string
		want func(x float64) float64
	}{
		{"gelu: x·g·½", func(b *build) { erf(b).node("Mul", "x g -> h").node("Mul", "h half -> y") }, "Gelu", gelu},
		{"gelu: ½·(g·x)", func(b *build) { erf(b).node("Mul", "g x -> h").node("Mul", "half h -> y") }, "Gelu", gelu},
		{"gelu: (x·½)·g", func(b *build) { erf(b).node("Mul", "x half -> h").node("Mul", "h g -> y") }, "Gelu", gelu},
		{"gelu: x·(½·g)", func(b *build) { erf(b).node("Mul", "half g -> h").node("Mul", "x h -> y") }, "Gelu", gelu},
		{"gelu: (½·g)·x", func(b *build) { erf(b).node("Mul", "g half -> h").node("Mul", "h x -> y") }, "Gelu", gelu},
		{"gelu: halved by division", func(b *build) { erf(b).node("Mul", "x g -> h").node("Div", "h two -> y") }, "Gelu", gelu},
		{"gelu: factor inside, half inside the gate", func(b *build) {
			b.node("Mul", "x inverse2 -> d").node("Erf", "d -> e").node("Mul", "e half -> f").node("Add", "f half -> g").node("Mul", "x g -> y")
		}, "Gelu", gelu},
		{"gelu: of a scaled value", func(b *build) {
			b.node("Mul", "x two -> z").node("Div", "z root2 -> d").node("Erf", "d -> e").node("Add", "e one -> g").
				node("Mul", "z half -> h").node("Mul", "h g -> y")
		}, "MulConst Gelu", func(x float64) float64 { return gelu(2 * x) }},
		{"tanh: (½·x)·g", func(b *build) { cubic(b).node("Mul", "half x -> h").node("Mul", "h g -> y") }, "GeluTanh", tanh},
		{"tanh: ½·(x·g)", func(b *build) { cubic(b).node("Mul", "x g -> h").node("Mul", "h half -> y") }, "GeluTanh", tanh},
		{"tanh: x·(½·g)", func(b *build) { cubic(b).node("Mul", "g half -> h").node("Mul", "x h -> y") }, "GeluTanh", tanh},
		{"tanh: cube by products", func(b *build) {
			b.node("Mul", "x x -> x2").node("Mul", "x x2 -> p").node("Mul", "p cubic -> q").node("Add", "q x -> r").node("Mul", "k r -> s").
				node("Tanh", "s -> u").node("Add", "u one -> g").node("Mul", "x half -> h").node("Mul", "h g -> y")
		}, "GeluTanh", tanh},
		{"tanh: factored", func(b *build) {
			b.node("Mul", "x k -> a").node("Mul", "x cubic -> p").node("Mul", "p x -> q").node("Add", "q one -> r").node("Mul", "a r -> s").
				node("Tanh", "s -> u").node("Add", "u one -> g").node("Mul", "x half -> h").node("Mul", "g h -> y")
		}, "GeluTanh", tanh},
		{"silu", func(b *build) { b.node("Sigmoid", "x -> s").node("Mul", "x s -> y") }, "Silu", silu},
		{"silu on the right", func(b *build) { b.node("Sigmoid", "x -> s").node("Mul", "s x -> y") }, "Silu", silu},
		{"silu by division", func(b *build) {
			b.node("Neg", "x -> n").node("Exp", "n -> e").node("Add", "e one -> d").node("Div", "x d -> y")
		}, "Silu", silu},
		{"hard swish by clip", func(b *build) {
			b.node("Add", "x three -> a").node("Clip", "a zero six -> c").node("Mul", "x c -> m").node("Div", "m six -> y")
		}, "HardSwish", swish},
		{"hard swish by a scaled clip", func(b *build) {
			b.node("Add", "x three -> a").node("Clip", "a zero six -> c").node("Div", "c six -> m").node("Mul", "m x -> y")
		}, "HardSwish", swish},
		{"hard swish by hard sigmoid", func(b *build) {
			b.node("HardSigmoid", "x -> s", aFloat("alpha", 1./6)).node("Mul", "s x -> y")
		}, "HardSwish", swish},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBuild(17).input("x", 2, 3).constants().output("y")
			c.edit(b)
			g := b.graph(t, Options{})
			if got := kinds(g); got != c.ops {
				t.Errorf("operators %q, want %q", got, c.ops)
			}
			x := Tensor{[]int{2, 3}, []float32{-4, -1.5, -0.25, 0, 0.75, 3}}
			want := make([]float32, 6)
			for i, v := range x.Data {
				want[i] = float32(c.want(float64(v)))
			}
			wantTensor(t, outputs(t, g, x)[0], x.Shape, want)
		})
	}
}

// What almost is a pattern is computed as it is written.
func TestNearPatternsStayWhatTheyAre(t *testing.T) {
	for name, edit := range map[string]func(*build){
		"another factor": func(b *build) {
			b.node("Mul", "x half -> d").node("Erf", "d -> e").node("Add", "e one -> g").node("Mul", "x g -> h").node("Mul", "h half -> y")
		},
		"another half": func(b *build) {
			b.node("Div", "x root2 -> d").node("Erf", "d -> e").node("Add", "e one -> g").node("Mul", "x g -> y")
		},
		"another addend": func(b *build) {
			b.node("Div", "x root2 -> d").node("Erf", "d -> e").node("Add", "e two -> g").node("Mul", "x g -> h").node("Mul", "h half -> y")
		},
		"another value": func(b *build) {
			b.node("Relu", "x -> r").node("Sigmoid", "r -> s").node("Mul", "x s -> y")
		},
		"another degree": func(b *build) {
			b.node("Pow", "x two -> p").node("Mul", "cubic p -> q").node("Add", "x q -> r").node("Mul", "r k -> s").
				node("Tanh", "s -> u").node("Add", "one u -> g").node("Mul", "x g -> h").node("Mul", "half h -> y")
		},
		"norm along another axis": func(b *build) {
			b.node("ReduceMean", "x -> m", aInts("axes", 0)).node("Sub", "x m -> d").node("Pow", "d two -> q").
				node("ReduceMean", "q -> v", aInts("axes", 0)).node("Add", "v eps -> w").node("Sqrt", "w -> s").node("Div", "d s -> y")
		},
		"norm of other squares": func(b *build) {
			b.node("Relu", "x -> d").node("Pow", "x two -> q").node("ReduceMean", "q -> v", aInts("axes", -1)).
				node("Add", "v eps -> w").node("Sqrt", "w -> s").node("Div", "d s -> y")
		},
	} {
		b := newBuild(17).input("x", 2, 3).constants().output("y")
		edit(b)
		for _, n := range b.graph(t, Options{}).Nodes {
			if slices.Contains([]string{"Gelu", "GeluTanh", "Silu", "Norm"}, n.Op.Kind()) {
				t.Errorf("%s: became %s", name, n.Op.Kind())
			}
		}
	}
}

func TestNormPatternsBecomeNorms(t *testing.T) {
	last := aInts("axes", -1)
	centre := func(b *build) *build { return b.node("ReduceMean", "x -> m", last).node("Sub", "x m -> d") }
	for _, c := range []struct {
		name     string
		edit     func(*build)
		ops      string
		centered bool
	}{
		{"layer norm", func(b *build) {
			centre(b).node("Pow", "d two -> q").node("ReduceMean", "q -> v", last).node("Add", "v eps -> w").node("Sqrt", "w -> s").
				node("Div", "d s -> n").node("Mul", "n gamma -> o").node("Add", "o beta -> y")
		}, "Norm MulConst AddConst", true},
		{"layer norm in front of a product", func(b *build) {
			centre(b).node("Pow", "d two -> q").node("ReduceMean", "q -> v", last).node("Add", "v eps -> w").node("Sqrt", "w -> s").
				node("Div", "d s -> n").node("Mul", "gamma n -> o").node("Add", "beta o -> p").node("MatMul", "p eye -> y")
		}, "Norm MulConst AddConst MatMul", true},
		{"squares by a product, difference twice", func(b *build) {
			centre(b).node("Sub", "x m -> e").node("Mul", "e e -> q").node("ReduceMean", "q -> v", last).node("Add", "eps v -> w").
				node("Sqrt", "w -> s").node("Div", "d s -> n").node("Mul", "n gamma -> o").node("Add", "o beta -> y")
		}, "Norm MulConst AddConst", true},
		{"reciprocal of the root", func(b *build) {
			centre(b).node("Mul", "d d -> q").node("ReduceMean", "q -> v", last).node("Add", "v eps -> w").node("Sqrt", "w -> s").
				node("Reciprocal", "s -> r").node("Mul", "r d -> n").node("Mul", "n gamma -> o").node("Add", "o beta -> y")
		}, "Norm MulConst AddConst", true},
		{"power of −½", func(b *build) {
			centre(b).node("Pow", "d two -> q").node("ReduceMean", "q -> v", last).node("Add", "v eps -> w").node("Pow", "w ahalf -> r").
				node("Mul", "d r -> n").node("Mul", "n gamma -> o").node("Add", "o beta -> y")
		}, "Norm MulConst AddConst", true},
		{"means without their axis", func(b *build) {
			b.ints("at", -1).node("ReduceMean", "x -> m0", last, aInt("keepdims", 0)).node("Unsqueeze", "m0 at -> m").node("Sub", "x m -> d").
				node("Mul", "d d -> q").node("ReduceMean", "q -> v", last).node("Add", "v eps -> w").node("Sqrt", "w -> s").
				node("Div", "d s -> n").node("Mul", "n gamma -> o").node("Add", "o beta -> y")
		}, "Norm MulConst AddConst", true},
		{"scale and mean joined", func(b *build) {
			centre(b).node("Mul", "d d -> q").node("ReduceMean", "q -> v", last).node("Add", "v eps -> w").node("Sqrt", "w -> s").
				node("Reciprocal", "s -> r").node("Mul", "r gamma -> g").node("Mul", "x g -> a").node("Mul", "m g -> b").
				node("Sub", "beta b -> c").node("Add", "a c -> y")
		}, "Norm MulConst AddConst", true},
		{"root mean square", func(b *build) {
			b.node("Pow", "x two -> q").node("ReduceMean", "q -> v", last).node("Add", "v eps -> w").node("Sqrt", "w -> s").
				node("Div", "one s -> r").node("Mul", "x r -> n").node("Mul", "gamma n -> o").node("Add", "o beta -> y")
		}, "Norm MulConst AddConst", false},
		{"root mean square by division", func(b *build) {
			b.node("Mul", "x x -> q").node("ReduceMean", "q -> v", last).node("Add", "v eps -> w").node("Sqrt", "w -> s").
				node("Div", "x s -> n").node("Mul", "n gamma -> o").node("Add", "o beta -> y")
		}, "Norm MulConst AddConst", false},
		{"the operator itself", func(b *build) { b.node("LayerNormalization", "x gamma beta -> y") }, "Norm MulConst AddConst", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBuild(17).input("x", 2, 2, 3).constants().floats("gamma", []int{3}, 2, -1, 0.5).floats("beta", []int{3}, 1, 0, -1).
				floats("eye", []int{3, 3}, 1, 0, 0, 0, 1, 0, 0, 0, 1).output("y")
			c.edit(b)
			g := b.graph(t, Options{})
			if got := kinds(g); got != c.ops {
				t.Errorf("operators %q, want %q", got, c.ops)
			}
			x := randomTensor(rand.New(rand.NewPCG(1, 2)), 2, 2, 3)
			wantTensor(t, outputs(t, g, x)[0], x.Shape, normOracle(x, 1e-5, c.centered, []float64{2, -1, 0.5}, []float64{1, 0, -1}))
		})
	}
}

// normOracle writes the formula down.
func normOracle(x Tensor, eps float64, centered bool, gamma, beta []float64) []float32 {
	n := len(gamma)
	var out []float32
	for line := range slices.Chunk(x.Data, n) {
		var mean, squares float64
		for _, v := range line {
			mean += float64(v) / float64(n)
		}
		if !centered {
			mean = 0
		}
		for _, v := range line {
			squares += math.Pow(float64(v)-mean, 2) / float64(n)
		}
		for i, v := range line {
			out = append(out, float32((float64(v)-mean)/math.Sqrt(squares+eps)*gamma[i]+beta[i]))
		}
	}
	return out
}
