package float

import (
	"math"
	"testing"
)

func TestElementwiseOperatorsAgreeWithHandComputedValues(t *testing.T) {
	x := Tensor{[]int{2, 2}, []float32{-2, -0.5, 1, 7}}
	for _, c := range []struct {
		name string
		edit func(*build)
		ops  string
		want []float32
	}{
		{"relu", func(b *build) { b.node("Relu", "x -> y") }, "Relu", []float32{0, 0, 1, 7}},
		{"leaky relu", func(b *build) { b.node("LeakyRelu", "x -> y", aFloat("alpha", 0.5)) }, "LeakyRelu", []float32{-1, -0.25, 1, 7}},
		{"leaky relu default", func(b *build) { b.node("LeakyRelu", "x -> y") }, "LeakyRelu", []float32{-0.02, -0.005, 1, 7}},
		{
			"sigmoid", func(b *build) { b.node("Sigmoid", "x -> y") }, "Sigmoid",
			[]float32{0.11920292, 0.37754067, 0.7310586, 0.99908894},
		},
		{
			"tanh", func(b *build) { b.node("Tanh", "x -> y") }, "Tanh",
			[]float32{-0.9640276, -0.46211717, 0.7615942, 0.9999983},
		},
		{"clip", func(b *build) {
			b.floats("lo", nil, -1).floats("hi", nil, 6).node("Clip", "x lo hi -> y")
		}, "Clip", []float32{-1, -0.5, 1, 6}},
		{"clip without low", func(b *build) { b.floats("hi", nil, 0).node("Clip", "x _ hi -> y") }, "Clip", []float32{-2, -0.5, 0, 0}},
		{"clip without high", func(b *build) { b.floats("lo", nil, 0).node("Clip", "x lo -> y") }, "Clip", []float32{0, 0, 1, 7}},
		{"clip by attributes", func(b *build) { b.node("Clip", "x -> y", aFloat("max", 1), aFloat("min", -1)) }, "Clip", []float32{-1, -0.5, 1, 1}},
		{"add", func(b *build) { b.node("Add", "x x -> y") }, "Add", []float32{-4, -1, 2, 14}},
		{"sub", func(b *build) { b.node("Relu", "x -> r").node("Sub", "r x -> y") }, "Relu Add", []float32{2, 0.5, 0, 0}},
		{"sum", func(b *build) { b.floats("c", nil, 1).node("Sum", "c x x -> y") }, "AddConst Add", []float32{-3, 0, 3, 15}},
		{"add row", func(b *build) { b.floats("c", []int{2}, 10, 20).node("Add", "x c -> y") }, "AddConst", []float32{8, 19.5, 11, 27}},
		{"add column", func(b *build) { b.floats("c", []int{2, 1}, 10, 20).node("Add", "c x -> y") }, "AddConst", []float32{8, 9.5, 21, 27}},
		{"subtract constant", func(b *build) { b.floats("c", nil, 1).node("Sub", "x c -> y") }, "AddConst", []float32{-3, -1.5, 0, 6}},
		{"subtract from constant", func(b *build) { b.floats("c", nil, 1).node("Sub", "c x -> y") }, "MulConst AddConst", []float32{3, 1.5, 0, -6}},
		{"multiply", func(b *build) { b.floats("c", []int{1, 2}, 2, 3).node("Mul", "c x -> y") }, "MulConst", []float32{-4, -1.5, 2, 21}},
		{"divide", func(b *build) { b.floats("c", nil, 4).node("Div", "x c -> y") }, "MulConst", []float32{-0.5, -0.125, 0.25, 1.75}},
		{"negate", func(b *build) { b.node("Neg", "x -> y") }, "MulConst", []float32{2, 0.5, -1, -7}},
		{"identity and dropout", func(b *build) {
			b.node("Identity", "x -> a").node("Dropout", "a -> b").node("Cast", "b -> c", aInt("to", 11)).node("Relu", "c -> y")
		}, "Relu", []float32{0, 0, 1, 7}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBuild(13).input("x", 2, 2).output("y")
			c.edit(b)
			g := b.graph(t, Options{})
			if got := kinds(g); got != c.ops {
				t.Errorf("operators %q, want %q", got, c.ops)
			}
			wantTensor(t, outputs(t, g, x)[0], x.Shape, c.want)
		})
	}
}

func TestActivationsBroadcastToEachOther(t *testing.T) {
	square := Tensor{[]int{2, 2}, []float32{1, 2, 3, 5}}
	mean := func(b *build, axis int64, keep int) {
		b.node("ReduceMean", "x -> m", aInts("axes", axis), aInt("keepdims", keep))
	}
	for _, c := range []struct {
		name  string
		edit  func(*build)
		ops   string
		shape []int
		want  []float32
	}{
		{
			"column", func(b *build) { mean(b, 1, 1); b.node("Add", "x m -> y") }, "MeanAxes Broadcast Add",
			[]int{2, 2},
			[]float32{2.5, 3.5, 7, 9},
		},
		{
			"row on the left", func(b *build) { mean(b, 0, 1); b.node("Sub", "m x -> y") }, "MeanAxes Broadcast Add",
			[]int{2, 2},
			[]float32{1, 1.5, -1, -1.5},
		},
		{
			"lower rank", func(b *build) { mean(b, 0, 0); b.node("Sub", "x m -> y") }, "MeanAxes Reshape Broadcast Add",
			[]int{2, 2},
			[]float32{-1, -1.5, 1, 1.5},
		},
		{
			"rank without repetition", func(b *build) { b.ints("a", 0).node("Unsqueeze", "x a -> u").node("Add", "x u -> y") }, "Reshape Reshape Add",
			[]int{1, 2, 2},
			[]float32{2, 4, 6, 10},
		},
		{"both", func(b *build) {
			mean(b, 0, 1)
			b.node("ReduceMean", "x -> n", aInts("axes", 1)).node("Add", "m n -> y")
		}, "MeanAxes MeanAxes Broadcast Broadcast Add", []int{2, 2}, []float32{3.5, 5, 6, 7.5}},
		{"scalar", func(b *build) {
			b.node("ReduceMean", "x -> m", aInt("keepdims", 0)).node("Sub", "x m -> y")
		}, "MeanAxes Reshape Broadcast Add", []int{2, 2}, []float32{-1.75, -0.75, 0.25, 2.25}},
		{"sum of three", func(b *build) {
			mean(b, 1, 1)
			b.floats("c", []int{2}, 10, 20).node("Sum", "m c x -> y")
		}, "MeanAxes Broadcast AddConst Add", []int{2, 2}, []float32{12.5, 23.5, 17, 29}},
		{
			"constant of higher rank", func(b *build) { b.floats("c", []int{2, 1, 2}, 0, 1, 2, 3).node("Sub", "x c -> y") },
			"Reshape Broadcast AddConst",
			[]int{2, 2, 2},
			[]float32{1, 1, 3, 4, -1, -1, 1, 2},
		},
		{"factor longer than the activation", func(b *build) {
			mean(b, 1, 1)
			b.floats("c", []int{3}, 1, 2, 0.5).node("Mul", "m c -> y")
		}, "MeanAxes Broadcast MulConst", []int{2, 3}, []float32{1.5, 3, 0.75, 4, 8, 2}},
		{"divisor longer than the activation", func(b *build) {
			mean(b, 1, 1)
			b.floats("c", []int{2}, 1, 2).node("Div", "m c -> y")
		}, "MeanAxes Broadcast MulConst", []int{2, 2}, []float32{1.5, 0.75, 4, 2}},
		{
			"expansion", func(b *build) { mean(b, 1, 1); b.ints("s", 2, 1, 3).node("Expand", "m s -> y") }, "MeanAxes Reshape Broadcast",
			[]int{2, 2, 3},
			[]float32{1.5, 1.5, 1.5, 4, 4, 4, 1.5, 1.5, 1.5, 4, 4, 4},
		},
		{"expansion to the same shape", func(b *build) { b.ints("s", 1).node("Expand", "x s -> y") }, "", []int{2, 2}, square.Data},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBuild(13).input("x", 2, 2).output("y")
			c.edit(b)
			g := b.graph(t, Options{})
			if got := kinds(g); got != c.ops {
				t.Errorf("operators %q, want %q", got, c.ops)
			}
			wantTensor(t, outputs(t, g, square)[0], c.shape, c.want)
		})
	}
}

func TestMissingClipBoundsAreInfinite(t *testing.T) {
	g := newBuild(13).input("x", 1).node("Clip", "x -> y").output("y").graph(t, Options{})
	c := g.Nodes[0].Op.(*Clip)
	if !math.IsInf(float64(c.Lo), -1) || !math.IsInf(float64(c.Hi), 1) {
		t.Fatalf("%+v", c)
	}
}

func TestTails(t *testing.T) {
	x := Tensor{[]int{2, 3}, []float32{1, 3, 3, 0, -1, -2}}
	e := func(v float64) float32 { return float32(math.Exp(v)) }
	soft := []float32{e(-2) / (e(-2) + 2), 1 / (e(-2) + 2), 1 / (e(-2) + 2), 1 / (1 + e(-1) + e(-2)), e(-1) / (1 + e(-1) + e(-2)), e(-2) / (1 + e(-1) + e(-2))}
	for _, c := range []struct {
		name  string
		opset int
		edit  func(*build)
		kind  string
		shape []int
		want  []float32
	}{
		{"softmax", 13, func(b *build) { b.node("Softmax", "x -> y") }, "Softmax", []int{2, 3}, soft},
		{"softmax before opset 13", 12, func(b *build) { b.node("Softmax", "x -> y") }, "Softmax", []int{2, 3}, soft},
		{"argmax takes the lowest index", 13, func(b *build) { b.node("ArgMax", "x -> y", aInt("axis", 1)) }, "ArgMax", []int{2, 1}, []float32{1, 0}},
		{"argmax without dims", 13, func(b *build) { b.node("ArgMax", "x -> y", aInt("keepdims", 0)) }, "ArgMax", []int{3}, []float32{0, 0, 0}},
		{"softmax before argmax is dropped", 13, func(b *build) {
			b.node("Softmax", "x -> s").node("ArgMax", "s -> a", aInt("axis", -1)).node("Cast", "a -> y", aInt("to", 6))
		}, "ArgMax", []int{2, 1}, []float32{1, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBuild(c.opset).input("x", 2, 3).output("y")
			c.edit(b)
			g := b.graph(t, Options{})
			if len(g.Nodes) != 0 || g.Outputs[0].Tail.Kind() != c.kind {
				t.Fatalf("%d nodes, tail %v", len(g.Nodes), g.Outputs[0].Tail)
			}
			wantTensor(t, outputs(t, g, x)[0], c.shape, c.want)
		})
	}
}

func TestTailsInsideTheGraphAreRefused(t *testing.T) {
	for _, c := range []struct {
		want string
		edit func(*build)
	}{
		{"ArgMax n_s: it is supported only at the end of the graph", func(b *build) { b.node("ArgMax", "x -> s").node("Relu", "s -> y") }},
		{"Relu n_y: it follows a ArgMax, which may only end the graph", func(b *build) {
			b.node("ArgMax", "x -> s").node("Identity", "s -> i").node("Relu", "i -> y")
		}},
		{"ArgMax n_y: it follows a Softmax along another axis", func(b *build) {
			b.node("Softmax", "x -> s").node("ArgMax", "s -> y", aInt("axis", 0))
		}},
		{"ArgMax n_y: select_last_index is not supported", func(b *build) { b.node("ArgMax", "x -> y", aInt("select_last_index", 1)) }},
		{"Softmax n_y: axis 2 for rank 2", func(b *build) { b.node("Softmax", "x -> y", aInt("axis", 2)) }},
		{"Hardmax n_y: operator is not supported", func(b *build) { b.node("Hardmax", "x -> y") }},
	} {
		b := newBuild(13).input("x", 2, 3).output("y")
		c.edit(b)
		if got := b.refused(t); got[0] != c.want {
			t.Errorf("got  %q\nwant %q", got[0], c.want)
		}
	}
}

func TestArgMinIsTheArgMaxOfTheNegatedValues(t *testing.T) {
	g := newBuild(13).input("x", 2, 3).node("ArgMin", "x -> y", aInt("axis", 1)).output("y").graph(t, Options{})
	x := Tensor{[]int{2, 3}, []float32{4, 2, 2, -1, 0, -1}}
	wantTensor(t, outputs(t, g, x)[0], []int{2, 1}, []float32{1, 0})
}
